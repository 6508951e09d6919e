"""The code keeps its shape: sizes, no circles, and stages named in their own files alone."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from cactus.provenance.fingerprint.source_hash import read_source
from cactus.stages.base import stage_names
from tests.workflow.project import ROOT

SCRIPTS = ROOT / "workflow/scripts"
FILES = sorted((SCRIPTS / "cactus").rglob("*.py"))
MODULES = {
    ".".join(path.relative_to(SCRIPTS).with_suffix("").parts).removesuffix(".__init__"): path
    for path in FILES
}


def imports(module: str) -> set[str]:
    """Return the modules of the package that a module imports."""
    path = MODULES[module]
    name = f"{module}.__init__" if path.name == "__init__.py" else module
    found = read_source(path.read_text(encoding="utf-8"), name).imports
    return {one for one in found if one in MODULES and one != module}


def room(module: str) -> str:
    """Return the package of a module, or the module itself at the top."""
    parent = module.rpartition(".")[0]
    return module if parent in ("", "cactus") and "." in module else parent


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Yield the functions of a file with their numbers of lines, docstrings left out."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = ast.get_docstring(node, clean=False)
            lines = (node.end_lineno or 0) - node.lineno + 1
            yield node.name, lines - (docstring.count("\n") + 1 if docstring else 0)


def test_no_file_has_more_than_300_lines():
    assert [path.name for path in FILES if len(path.read_text().splitlines()) > 300] == []


def test_packages_hold_a_docstring_alone():
    """They count as code of every job that imports anything below them.

    The public interface is for users alone.
    """
    assert not [one for one in MODULES if "cactus.api" in imports(one)]
    for path in FILES:
        if path.name == "__init__.py" and path.parent.name not in ("cactus", "api"):
            assert len(ast.parse(path.read_text()).body) == 1, path


def test_no_function_has_more_than_40_lines():
    long = [(path.name, *one) for path in FILES for one in functions(path) if one[1] > 40]
    assert long == []


def test_no_folder_has_more_than_15_files():
    folders = {path.parent for path in FILES}
    assert {str(one) for one in folders if len(list(one.glob("*.py"))) > 15} == set()


@pytest.mark.parametrize("level", ["files", "packages"])
def test_nothing_imports_itself_in_a_circle(level: str):
    name = str if level == "files" else room
    edges: dict[str, set[str]] = {}
    for module in MODULES:
        others = {name(one) for one in imports(module)}
        edges.setdefault(name(module), set()).update(others - {name(module)})
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_the_configuration_knows_nothing_but_errors():
    own = {one for one in MODULES if one.startswith("cactus.config.")}
    others = {
        one for module in own for one in imports(module) if not one.startswith("cactus.config")
    }
    assert others <= {"cactus", "cactus.errors"}


def test_stages_are_named_in_their_own_files():
    """Everything else takes a stage from there, so that a new one is one file."""
    names = set(stage_names())
    found = [
        (path.relative_to(SCRIPTS).as_posix(), node.value)
        for path in [
            *FILES,
            *SCRIPTS.glob("*.py"),
            *(SCRIPTS / "snakemake_logger_plugin_cactus").glob("*.py"),
        ]
        if "stages" not in path.relative_to(SCRIPTS).parts
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in names
    ]
    assert found == []
