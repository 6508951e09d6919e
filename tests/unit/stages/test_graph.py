"""The graph of jobs: its order, names and files."""

import sys

import pytest

from cactus import stages
from cactus.config.load import parse_config, read_yaml
from cactus.errors import CodeError, RecordError
from cactus.graph import Graph, check_rules, check_stages
from cactus.stages.base import Inputs, Job, inputs_from, stage_named, stage_names
from cactus.stages.whole_run.audit_run import AUDIT
from cactus.stages.whole_run.make_paper import PAPER
from cactus.stages.whole_run.make_report import REPORT
from tests.workflow.project import ROOT

CONFIG = parse_config(read_yaml(ROOT / "config/demo.yaml"))
GRAPH = Graph(CONFIG)


def test_every_job_comes_after_its_upstream_jobs():
    seen: set[Job] = set()
    for job in GRAPH.jobs:
        assert {upstream.job for upstream in GRAPH.inputs(job)} <= seen, job
        seen.add(job)


def test_a_job_reads_files_where_the_upstream_job_writes_them():
    for job in GRAPH.jobs:
        for upstream in GRAPH.inputs(job):
            for name in upstream.files:
                assert name in upstream.job.files or name.startswith(f"{upstream.job.folder}/"), (
                    name
                )


def test_a_job_can_be_rebuilt_from_its_wildcards():
    for job in GRAPH.jobs:
        assert job.definition.job(**job.wildcards) == job
        assert tuple(job.wildcards) == job.definition.wildcard_names


def test_every_job_is_upstream_of_a_final_one():
    final = [job for job in GRAPH.jobs if job.definition.final]
    after = {AUDIT, REPORT, PAPER}
    assert {one for job in final for one in GRAPH.ancestry(job)} == set(GRAPH.jobs) - after
    assert {*GRAPH.ancestry(REPORT)} == set(GRAPH.jobs) - {PAPER}


TRAINING = ("train_embedding", "make_partitions", "meta_train", "evaluate_model", "run_baselines")
# All kinds of task sources on all data sets, the oracle too.
FULL = Graph(
    parse_config({"grid": {"controls": {name: ["labels", "random", "pixels", "hyperplanes-acai"]
                                        for name in CONFIG.expanded_grid.datasets}}})
)  # fmt: skip


def test_no_training_is_downstream_of_the_quality_of_partitions():
    measured = set(FULL.by_stage["measure_partitions"])
    assert measured
    for stage in TRAINING:
        for job in FULL.by_stage[stage]:
            assert not measured & {*FULL.ancestry(job)}, job.name
    followers = {
        one.stage for one in FULL.jobs for read in FULL.inputs(one) if read.job in measured
    }
    assert followers == {"aggregate_results"}


def test_no_training_but_the_oracles_reads_the_labels_of_training_images():
    readers = {
        job
        for job in FULL.jobs
        for read in FULL.inputs(job)
        if any(name.endswith("/train_labels.npy") for name in read.files)
    }
    trained = {job for job in readers if job.stage in TRAINING}
    assert trained
    assert {job.wildcards["source"] for job in trained} == {"labels"}
    assert {job.stage for job in readers - trained} == {"measure_partitions", "make_figure"}
    for job in trained:
        later = {one.wildcards["source"] for one in FULL.jobs
                 if one.stage in TRAINING and job in FULL.ancestry(one)}  # fmt: skip
        assert later == {"labels"}


def test_partitions_of_each_trained_cell_are_measured_where_there_are_classes():
    cells = {job.cell for job in FULL.by_stage["meta_train"]}
    measured = {job.cell for job in FULL.by_stage["measure_partitions"]}
    assert measured == {cell for cell in cells if not cell.startswith("celeba/")}
    alone = Graph(parse_config({"grid": {"datasets": ["celeba"]}}))
    assert alone.by_stage["measure_partitions"] == ()
    assert [job.cell for job in alone.by_stage["make_table"]] == [
        "celeba", "celeba-verdicts", "celeba-tests",
    ]  # fmt: skip


def test_each_stage_belongs_to_one_target():
    stages = [stage for target in GRAPH.targets.values() for stage in target]
    assert sorted(stages) == sorted(stage_names())


def test_a_cell_stands_for_its_evaluation_and_all_upstream_jobs():
    found = [job.stage for job in GRAPH.find("omniglot/acai/maml/s0")]
    assert found[-1] == "evaluate_model"
    assert {"meta_train", "make_partitions", "train_embedding", "prepare_data"} <= set(found)
    assert GRAPH.find("make_table/mnist") == [Job("make_table", "mnist")]
    with pytest.raises(RecordError, match="no such cell") as caught:
        GRAPH.find("omniglot/acia/maml/s0")
    assert caught.value.fix == "did you mean 'omniglot/acai/maml/s0'?"


@pytest.mark.parametrize("folder", ["models", "models/counts", "data"])
def test_a_stage_that_would_write_into_the_folder_of_another_is_refused(monkeypatch, folder):
    monkeypatch.setattr(type(stage_named("run_baselines")), "folder", folder)
    check_stages.cache_clear()
    with pytest.raises(CodeError, match="one folder") as caught:
        Graph(CONFIG)
    assert folder in caught.value.got
    monkeypatch.undo()
    check_stages.cache_clear()


def test_a_stage_without_results_is_refused(monkeypatch):
    monkeypatch.setattr(type(stage_named("run_baselines")), "results", "counts.json")
    check_stages.cache_clear()
    with pytest.raises(CodeError, match="not complete"):
        Graph(CONFIG)
    monkeypatch.undo()
    check_stages.cache_clear()


def test_a_misspelled_stage_is_refused_with_the_nearest_one():
    with pytest.raises(CodeError, match="no such stage") as caught:
        inputs_from("prepare_dat", "mnist", "manifest.json")
    assert caught.value.fix == "did you mean 'prepare_data'?"
    with pytest.raises(CodeError, match="own no folder"):
        inputs_from("make_table", "mnist", "mnist.tex")


@pytest.mark.parametrize(
    ("stage", "name", "fix"),
    [
        ("prepare_data", "train_label.npy", "did you mean 'train_labels.npy'?"),
        ("make_partitions", "partition.npy", "did you mean 'partitions.npy'?"),
        ("meta_train", "x", "it makes model.json, model.safetensors, metrics.jsonl"),
    ],
)
def test_a_misspelled_file_of_another_stage_is_refused(stage: str, name: str, fix: str):
    with pytest.raises(CodeError, match="makes no such file") as caught:
        inputs_from(stage, "mnist", name)
    assert fix in caught.value.fix


@pytest.fixture
def fresh_check():
    """Let the stages be checked again, now and after the test."""
    check_stages.cache_clear()
    yield
    check_stages.cache_clear()


def reads(monkeypatch, stage: str, *inputs: Inputs) -> None:
    monkeypatch.setattr(type(stage_named(stage)), "inputs", lambda *_: inputs)


def test_stages_that_read_from_each_other_are_named_in_order(monkeypatch):
    job = Job("meta_train", "omniglot/acai/maml/s0")
    reads(monkeypatch, "prepare_data", Inputs(job, job.files))
    with pytest.raises(CodeError, match="in a circle") as caught:
        _ = Graph(CONFIG).jobs
    circle = caught.value.got.split(" -> ")
    assert circle[0] == circle[-1]
    assert {"prepare_data", "meta_train"} <= set(circle)
    assert "cactus/stages/meta_train.py" in caught.value.where


def test_a_stage_that_reads_from_itself_is_refused(monkeypatch):
    job = Job("prepare_data", "mnist")
    reads(monkeypatch, "prepare_data", Inputs(job, job.files))
    with pytest.raises(CodeError, match="in a circle") as caught:
        _ = Graph(CONFIG).jobs
    assert caught.value.got == "prepare_data -> prepare_data"


@pytest.mark.parametrize("cell", ["mnits", "", "mnist/acai", "../mnist"])
def test_a_stage_that_reads_from_an_unknown_cell_is_refused(monkeypatch, cell):
    reads(monkeypatch, "run_baselines", inputs_from("prepare_data", cell, "manifest.json"))
    with pytest.raises(CodeError, match="does not have") as caught:
        _ = Graph(CONFIG).jobs
    assert caught.value.got == Job("prepare_data", cell).name
    assert caught.value.where.startswith("cactus/stages/run_baselines.py, for run_baselines/")
    assert "prepare_data/mnist" in caught.value.fix


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("make_table_old", None, "no workflow/scripts/make_table_old.py"),
        ("make_table-checkpoint", None, "no workflow/scripts/make_table-checkpoint.py"),
        ("make_table_old", "def", "SyntaxError"),
        ("make_table_old", "import nosuch", "No module named 'nosuch'"),
        ("make_table_old", "nosuch", "name 'nosuch' is not defined"),
    ],
)
@pytest.mark.usefixtures("fresh_check")
def test_a_copy_among_the_stages_is_refused_by_name(monkeypatch, tmp_path, name, text, told):
    original = ROOT / "workflow/scripts/cactus/stages/make_table.py"
    (tmp_path / f"{name}.py").write_text(original.read_text() if text is None else text)
    monkeypatch.setattr(stages, "__path__", [*stages.__path__, str(tmp_path)])
    stage_names.cache_clear()
    try:
        with pytest.raises(CodeError) as caught:
            Graph(CONFIG)
    finally:
        monkeypatch.undo()
        stage_names.cache_clear()
        stage_named.cache_clear()
        sys.modules.pop(f"cactus.stages.{name}", None)
    assert caught.value.where == f"cactus/stages/{name}.py"
    assert told in caught.value.got


def test_a_stage_without_a_rule_is_refused():
    check_rules(stage_names())
    with pytest.raises(CodeError, match="no rule") as caught:
        check_rules(name for name in stage_names() if name != "make_table")
    assert caught.value.where == "cactus/stages/make_table.py"
