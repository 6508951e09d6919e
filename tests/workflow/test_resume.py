"""A real job that is killed and stopped resumes, and its record shows it."""

import json
import re
import signal
from pathlib import Path

import pytest

from cactus.provenance.execution.backups import BACKUP, drop_backups
from tests.workflow.project import Project
from tests.workflow.training_job import TrainingJob

pytestmark = pytest.mark.workflow
CELL = "omniglot/acai/maml/s0"


def test_a_killed_and_stopped_job_gives_the_results_of_an_uninterrupted_one(
    finished: Project, tmp_path: Path
):
    TrainingJob(finished.copy(tmp_path / "project"), CELL).check_that_it_resumes()


def test_results_removed_after_the_end_of_a_job_are_restored_and_not_recomputed(
    finished: Project, tmp_path: Path
):
    job = TrainingJob(finished.copy(tmp_path / "project"), CELL)
    job.finish()
    whole, record = job.results(), job.record().read_bytes()
    # As Snakemake does if it was killed before it noticed the end of the job.
    job.record().unlink()
    for path in (job.project.run / f"models/{CELL}").iterdir():
        path.unlink()
    assert "finished already" in job.finish()
    assert job.results() == whole
    assert job.record().read_bytes() == record


def test_backups_are_dropped_when_snakemake_ends(finished: Project, tmp_path: Path):
    assert not list((finished.run / "work").rglob(BACKUP))
    job = TrainingJob(finished.copy(tmp_path / "project"), CELL)
    job.finish()
    assert (job.work / BACKUP).is_dir()
    drop_backups(job.project.run)
    assert not job.work.exists()


def test_a_changed_configuration_starts_from_scratch(finished: Project, tmp_path: Path):
    job = TrainingJob(finished.copy(tmp_path / "project"), CELL)
    job.interrupt(signal.SIGTERM, lambda: job.last_saved() >= 3)
    _, states = job.project.cactus("status")
    assert re.search(rf"{CELL.removesuffix('/s0')}\S* +stopped", states)
    assert "go on from where it was stopped" in job.project.cactus()[1]
    content = json.loads(job.plan.read_text())
    content["plan"]["spec"]["settings"]["outer_lr"] *= 2
    job.plan.write_text(json.dumps(content))
    printed = job.finish()
    assert "cannot be used: it belongs to other code, configuration or data" in printed
    assert "resumed" not in printed
    assert job.resumed_from() == []
