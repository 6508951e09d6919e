"""Jobs to which no measured one compares have the rough time of those that do the same."""

from pathlib import Path

import pytest

from cactus.config.load import parse_config
from cactus.provenance.staleness.open_run import open_planner
from cactus.provenance.staleness.work import alike
from cactus.stages.base import Job
from tests.unit.provenance.staleness.test_estimate import (
    CACHE,
    EVALUATE,
    GRID,
    TRAIN,
    cactus,
    cost,
    planner,
    record,
)


def test_a_job_of_another_size_has_a_rough_time_and_says_whence(tmp_path: Path):
    record(planner(tmp_path, "old", iterations=100), TRAIN, 50.0)
    found = cost(planner(tmp_path, "new", iterations=200, filters=8, query=3))
    assert (found.seconds, found.rough) == (None, (100.0, 100.0))
    assert (found.runs, found.keys) == (("old",), ("filters", "query"))
    assert (found.single, found.memory, found.disk) == (False, None, None)


def test_a_job_that_compares_has_no_rough_time(tmp_path: Path):
    record(planner(tmp_path, "like", iterations=100, filters=8), TRAIN, 70.0)
    record(planner(tmp_path, "old", iterations=100), TRAIN, 50.0)
    found = cost(planner(tmp_path, "new", iterations=200))
    assert (found.seconds, found.rough, found.runs) == ((100.0, 100.0), None, ("old",))


def test_where_tasks_come_from_matters_for_partitions_alone():
    def kinds(stage: str) -> list[str]:
        sources = ("acai", "labels", "scratch")
        return [alike(Job(stage, f"mnist/{one}/maml/s0"), drawn=False) for one in sources]

    assert kinds("evaluate_model") == [
        *2 * ["evaluate_model/mnist/trained/maml/real"],
        "evaluate_model/mnist/scratch/maml/real",
    ]
    assert len({*kinds("make_partitions")}) == 3


def test_synthetic_data_tell_nothing_of_real_ones_nor_a_stage_of_another(tmp_path: Path):
    record(planner(tmp_path, "old"), TRAIN, 50.0)
    values = {"run": "new", "grid": {**GRID, "controls": {"mnist": []}}, "synthetic_data": True}
    made = open_planner(parse_config(values), tmp_path / "new", cache=CACHE)
    assert cost(made).rough is None
    assert cost(planner(tmp_path, "other", filters=8), EVALUATE).rough is None


def test_the_plan_names_the_runs_and_the_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    record(planner(tmp_path / "results", "old", iterations=100), TRAIN, 50.0)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.yaml").write_text(
        "run: new\ngrid: {datasets: [mnist], embeddings: [acai], learners: [protonets], "
        "controls: {mnist: []}}\ncompute: {device: cpu}\n"
        "learners: {protonets: {iterations: 200, filters: 8}}\n"
    )
    code, output = cactus(monkeypatch, capsys, "plan", "--configfile", "study.yaml")
    assert code == 0, output
    (row,) = (line for line in output.splitlines() if line.startswith("meta_train"))
    assert "roughly 1 min 40 s" in row
    assert "\n1 job: as measured in old\n" in output
    like = "only roughly, as they are like those of old, but for filters"
    assert f"\n1 job: {like}; `--measure` times trainings\n" in output
