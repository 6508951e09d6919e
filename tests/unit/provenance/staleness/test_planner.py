"""Plans are written only when they need to be."""

from pathlib import Path

import pytest

from cactus.config.load import parse_config
from cactus.provenance.records.plan import read_plan
from cactus.provenance.staleness.open_run import open_planner
from cactus.stages.base import Job

JOB = Job("make_synthetic_data", "mnist")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return tmp_path / "results" / "paper"


def write(run: Path, seed: int = 0) -> Path:
    config = parse_config({"synthetic_data": True, "synthetic": {"seed": seed}})
    return open_planner(config, run).write_plan(JOB)


def test_the_plan_of_a_job_without_results_is_kept_while_it_is_valid(run: Path):
    path = write(run)
    first, planned = path.stat(), read_plan(path).planned
    assert planned
    again = write(run).stat()
    assert (again.st_ino, again.st_mtime_ns) == (first.st_ino, first.st_mtime_ns)
    write(run, seed=1)
    assert path.stat().st_ino != first.st_ino
    assert read_plan(path).planned > planned


def test_the_plan_of_a_stale_job_with_results_gets_new_content_and_a_new_time(run: Path):
    path = write(run)
    result = run / "raw/mnist/synthetic.json"
    result.parent.mkdir(parents=True)
    result.touch()
    planned = read_plan(path).planned
    write(run)
    assert read_plan(path).planned > planned
    assert path.stat().st_mtime > result.stat().st_mtime


def test_a_damaged_plan_is_replaced(run: Path):
    path = write(run)
    path.write_text("{", encoding="utf-8")
    write(run)
    assert read_plan(path).plan.job == JOB
