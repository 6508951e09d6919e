"""The graph of jobs: its order, names and files."""

import pytest

from cactus.config.load import parse_config, read_yaml
from cactus.errors import CodeError, RecordError
from cactus.graph import Graph, check_stages
from cactus.stages.audit_run import AUDIT
from cactus.stages.base import Job, inputs_from, stage_named, stage_names
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
    assert {one for job in final for one in GRAPH.ancestry(job)} == set(GRAPH.jobs) - {AUDIT}


def test_a_wave_comes_after_those_that_its_jobs_read_from():
    seen: set[str] = set()
    for wave in GRAPH.waves:
        for job in GRAPH.jobs:
            if job.stage in wave.stages:
                assert {upstream.job.stage for upstream in GRAPH.inputs(job)} <= seen | wave.stages
        seen |= wave.stages
    assert seen == set(stage_names())


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
