"""A real job that is killed and stopped resumes, and its record shows it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cactus.provenance.execution.backups import BACKUP, drop_backups
from tests.workflow.project import Project

pytestmark = pytest.mark.workflow
CELL = "omniglot/acai/maml/s0"


class Job:
    """The training script of one cell, with a plan of more steps than in the grid."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.plan = project.run / f"plans/meta_train/{CELL}.json"
        content = json.loads(self.plan.read_text())
        content["plan"]["spec"]["settings"] |= {"iterations": 40, "log_every": 7}
        self.plan.write_text(json.dumps(content))
        self.work = project.run / f"work/meta_train/{CELL}"

    def start(self) -> subprocess.Popen[str]:
        script = self.project.scripts / "meta_train.py"
        options = ["--plan", str(self.plan), "--checkpoints", '{"steps": 1}']
        return subprocess.Popen(
            [sys.executable, str(script), *options],
            cwd=self.project.folder,
            env={**os.environ, "PYTHONPATH": str(self.project.scripts)},
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(self) -> str:
        process = self.start()
        _, printed = process.communicate()
        assert process.returncode == 0, printed
        return printed

    def last_saved(self) -> int:
        paths = (self.work / "checkpoints").glob("step-*.ckpt")
        return max((int(path.stem.removeprefix("step-")) for path in paths), default=0)

    def interrupt(self, number: int, when: Callable[[], bool]) -> tuple[int, str]:
        """Start the job and send it a signal as soon as a condition holds."""
        process = self.start()
        while not when():
            assert process.poll() is None, "the job has ended already"
            time.sleep(0.005)
        process.send_signal(number)
        _, printed = process.communicate()
        return process.returncode, printed

    def results(self) -> dict[str, bytes]:
        folder = self.project.run / f"models/{CELL}"
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    def record(self) -> Path:
        return self.project.run / f"records/meta_train/{CELL}.json"

    def forget(self) -> None:
        """Let it run again from the start."""
        self.record().unlink()
        shutil.rmtree(self.work)

    def resumed_from(self) -> list[int]:
        record = json.loads(self.record().read_text())
        steps: list[int] = record["activity"]["resumed_from"]
        return steps


def test_a_killed_and_stopped_job_gives_the_results_of_an_uninterrupted_one(
    finished: Project, tmp_path: Path
):
    job = Job(finished.copy(tmp_path / "project"))
    job.finish()
    whole = job.results()
    assert job.resumed_from() == []
    assert not (job.work / "checkpoints").exists()
    job.forget()

    code, printed = job.interrupt(signal.SIGKILL, lambda: job.last_saved() >= 3)
    assert code == -signal.SIGKILL, printed
    killed_at = job.last_saved()
    _, audit = job.project.cactus("audit")
    assert f"meta_train/{CELL}" in audit
    assert "work" not in audit

    code, printed = job.interrupt(signal.SIGTERM, lambda: job.last_saved() >= killed_at + 3)
    assert code == 75, printed
    assert f"resumed from step {killed_at}" in printed
    stopped_at = job.last_saved()
    assert f"resumes from step {stopped_at}" in printed

    assert f"resumed from step {stopped_at} of 40" in job.finish()
    assert job.resumed_from() == [killed_at, stopped_at]
    assert job.results() == whole
    assert not (job.work / "checkpoints").exists()


def test_results_removed_after_the_end_of_a_job_are_restored_and_not_recomputed(
    finished: Project, tmp_path: Path
):
    job = Job(finished.copy(tmp_path / "project"))
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
    job = Job(finished.copy(tmp_path / "project"))
    job.finish()
    assert (job.work / BACKUP).is_dir()
    drop_backups(job.project.run)
    assert not job.work.exists()


def test_a_changed_configuration_starts_from_scratch(finished: Project, tmp_path: Path):
    job = Job(finished.copy(tmp_path / "project"))
    job.interrupt(signal.SIGTERM, lambda: job.last_saved() >= 3)
    content = json.loads(job.plan.read_text())
    content["plan"]["spec"]["settings"]["outer_lr"] *= 2
    job.plan.write_text(json.dumps(content))
    printed = job.finish()
    assert "cannot be used: it belongs to other code, configuration or data" in printed
    assert "resumed" not in printed
    assert job.resumed_from() == []
