"""Logs of attempts that came to nothing, which Snakemake removes before the next one."""

import os
from pathlib import Path

from cactus.stages.base import Job


def log_path(run_folder: Path, job: Job) -> Path:
    """Return the log of a job's last attempt, which Snakemake makes and removes."""
    return run_folder / "logs" / f"{job.name}.log"


def attempt_log(run_folder: Path, job: Job, attempt: int) -> Path:
    """Return where the log of an attempt stays that did not succeed."""
    path = log_path(run_folder, job)
    return path.with_name(f"{path.stem}.attempt-{attempt}.log")


def keep_log(run_folder: Path, job: Job, attempt: int) -> None:
    """Give the log of this attempt a second name, so that it stays whatever becomes of the job."""
    path = log_path(run_folder, job)
    if attempt == 1:
        for old in path.parent.glob(f"{path.stem}.attempt-*.log"):
            old.unlink()
    if path.is_file():  # else the job was started by hand
        held = attempt_log(run_folder, job, attempt)
        held.unlink(missing_ok=True)
        os.link(path, held)


def drop_log(run_folder: Path, job: Job, attempt: int) -> None:
    """Take the second name of the log of an attempt back that succeeded."""
    attempt_log(run_folder, job, attempt).unlink(missing_ok=True)
