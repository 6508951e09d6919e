"""The rules, the scripts and the Slurm profile agree with the stages' files."""

import inspect
import re

import pytest
import yaml

from cactus.config.load import parse_config
from cactus.evaluate.baselines import cluster_matching
from cactus.evaluate.baselines.registry import REFERENCE_MODULE
from cactus.graph import Graph
from cactus.stages.base import CellWildcards, EmbeddingWildcards, Spec, stage_named, stage_names
from cactus.tasks.kmeans.loader import GPU_MODULE, SCIKIT_MODULE
from tests.workflow.project import ROOT

RULES = "\n".join(path.read_text() for path in sorted((ROOT / "rules").glob("*.smk")))
PROFILE = yaml.safe_load((ROOT / "config/profiles/slurm/config.yaml").read_text())["__variables__"]


def rule(stage: str) -> str:
    """Return the text of a stage's rule."""
    found = re.search(rf"^rule {stage}:\n(?:    .*\n|\n(?=    ))+", RULES, re.M)
    assert found, f"no rule {stage}"
    return found[0]


@pytest.mark.parametrize("name", stage_names())
def test_a_stage_has_a_rule_and_a_script_with_its_name(name: str):
    assert f'"$SCRIPTS/{name}.py"' in rule(name)
    assert (ROOT / f"workflow/scripts/{name}.py").is_file()


@pytest.mark.parametrize("name", stage_names())
def test_a_local_stage_has_a_local_rule_and_any_other_requests_memory(name: str):
    text, stage = rule(name), stage_named(name)
    assert ("localrule: True" in text) == stage.local
    assert (f'mem_mb=memory_of("{name}")' in text) == (not stage.local)


def test_the_slurm_profile_has_a_row_for_each_stage_that_is_not_local_and_no_other():
    heavy = {name for name in stage_names() if not stage_named(name).local}
    assert set(PROFILE["memory"]) == set(PROFILE["minutes"]) == heavy
    jobs = Graph(parse_config({})).jobs
    on_gpu = {job.stage for job in jobs if job.definition.uses_gpu(job.definition.parse(job.cell))}
    assert set(PROFILE["gpu_jobs"]) == on_gpu
    assert {name for name in stage_names() if f'gpu=gpus_of("{name}")' in RULES} == on_gpu


@pytest.mark.parametrize(
    ("source", "device", "modules"),
    [
        ("acai", "auto", (GPU_MODULE,)),
        ("pixels", "cuda", (GPU_MODULE,)),
        ("acai", "cpu", ()),
        ("labels", "auto", ()),
    ],
)
def test_partitions_by_kmeans_import_the_module_of_gpus_unless_on_a_cpu(source, device, modules):
    config, stage = parse_config({"compute": {"device": device}}), stage_named("make_partitions")
    assert stage.modules(config, CellWildcards("mnist", source, "maml", 0)) == modules


@pytest.mark.parametrize(
    ("baselines", "modules"),
    [
        ({}, ()),
        ({"linear": {"solver": "scikit-learn"}}, (REFERENCE_MODULE,)),
        ({"per_dataset": {"mnist": {"linear": {"solver": "scikit-learn"}}}}, (REFERENCE_MODULE,)),
        ({"methods": ["knn"], "linear": {"solver": "scikit-learn"}}, ()),
        ({"cluster_matching": {"kmeans": "scikit-learn"}}, (cluster_matching.REFERENCE_MODULE,)),
        ({"methods": ["knn"], "cluster_matching": {"kmeans": "scikit-learn"}}, ()),
    ],
)
def test_baselines_import_the_references_that_are_selected(baselines, modules):
    config, stage = parse_config({"baselines": baselines}), stage_named("run_baselines")
    assert stage.modules(config, EmbeddingWildcards("mnist", "acai", 0)) == modules


@pytest.mark.parametrize("device", ["auto", "cpu"])
@pytest.mark.parametrize(
    ("source", "modules"),
    [("acai", (SCIKIT_MODULE,)), ("pixels", (SCIKIT_MODULE,)), ("hyperplanes-acai", ())],
)
def test_partitions_by_scikit_learn_import_its_module_alone(source, modules, device):
    values = {"partitions": {"kmeans": "scikit-learn"}, "compute": {"device": device}}
    config, stage = parse_config(values), stage_named("make_partitions")
    assert stage.modules(config, CellWildcards("mnist", source, "maml", 0)) == modules


def specs() -> list[type[Spec]]:
    for name in stage_names():
        stage_named(name)
    return Spec.__subclasses__()


@pytest.mark.parametrize("spec", specs(), ids=lambda spec: spec.__name__)
def test_a_spec_holds_values_but_no_logic(spec: type[Spec]):
    """Code in a spec would not count as a job's code, since stages are bookkeeping."""
    own = [name for name, value in vars(spec).items() if inspect.isroutine(value)]
    assert not [name for name in own if not name.startswith(("__", "_abc"))]
    assert not any(isinstance(value, property) for value in vars(spec).values())
