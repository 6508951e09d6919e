"""Random edits of random modules: no job that depends on the module stays fresh."""

import ast
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cactus.provenance.fingerprint.closure import SourceTree
from cactus.provenance.fingerprint.dependencies import Project as Sources
from cactus.provenance.fingerprint.hash_cache import HASHES_FILE, HashCache
from cactus.provenance.staleness.planned_config import read_planned_config
from cactus.provenance.staleness.planner import Planner
from tests.workflow.oracle import jobs_by_module
from tests.workflow.project import Project

pytestmark = pytest.mark.workflow


class Numbers(ast.NodeTransformer):
    """Changes one chosen constant, name or comparison of a syntax tree."""

    def __init__(self, chosen: ast.AST) -> None:
        self.chosen = chosen

    def visit(self, node: ast.AST) -> ast.AST:
        if node is not self.chosen:
            return self.generic_visit(node)
        if isinstance(node, ast.Constant):
            return ast.Constant(value=f"edited {node.value!r}")
        if isinstance(node, ast.Name):
            return ast.Name(id=f"{node.id}_edited", ctx=node.ctx)
        assert isinstance(node, ast.Return)
        return ast.Raise(exc=ast.Name(id="RuntimeError", ctx=ast.Load()))


def edited(text: str, generator: random.Random) -> str:
    """Return a source with one constant, name or return changed, docstrings aside."""
    tree = ast.parse(text)
    docstrings = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    targets = [
        node
        for node in ast.walk(tree)
        if isinstance(node, (ast.Constant, ast.Name, ast.Return)) and id(node) not in docstrings
    ]
    if not targets:
        return text + "\nEDITED = 1\n"
    changed = Numbers(generator.choice(targets)).visit(tree)
    return ast.unparse(ast.fix_missing_locations(changed))


@pytest.fixture(scope="module")
def copy(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return finished.copy(tmp_path_factory.mktemp("property") / "project")


@pytest.fixture(scope="module")
def dependents(copy: Project) -> dict[str, set[str]]:
    return jobs_by_module(copy)


def fresh_jobs(copy: Project) -> set[str]:
    """Return the jobs of the copied run that are fresh according to the copy's own code."""
    config = read_planned_config(copy.run).load(copy.folder)
    tree = SourceTree(copy.scripts, HashCache.load(copy.run / HASHES_FILE))
    planner = Planner(config, copy.run, Sources(copy.folder, tree), copy.run / "raw")
    return {one.job.name for one in planner.assess_all() if not one.stale}


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_no_dependent_job_stays_fresh(copy: Project, dependents: dict[str, set[str]], data):
    file = data.draw(st.sampled_from(sorted(dependents)))
    path = copy.scripts / file
    text = path.read_text()
    path.write_text(edited(text, data.draw(st.randoms(use_true_random=False))))
    try:
        fresh = fresh_jobs(copy)
    finally:
        path.write_text(text)
    assert not fresh & dependents[file], file
