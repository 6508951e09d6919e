"""Logs of attempts that did not succeed, kept although Snakemake removes a job's log."""

import os
from pathlib import Path

from cactus.stages.base import Job


def log_path(run_folder: Path, job: Job) -> Path:
    """Return the path of the log of a job's last attempt, which Snakemake creates and removes."""
    return run_folder / "logs" / f"{job.name}.log"


def attempt_log(run_folder: Path, job: Job, attempt: int) -> Path:
    """Return the path under which the log of an unsuccessful attempt is kept."""
    path = log_path(run_folder, job)
    return path.with_name(f"{path.stem}.attempt-{attempt}.log")


def keep_log(run_folder: Path, job: Job, attempt: int) -> None:
    """Give the log of this attempt a second name, so that it survives however the job ends."""
    path = log_path(run_folder, job)
    if attempt == 1:
        for old in path.parent.glob(f"{path.stem}.attempt-*.log"):
            old.unlink()
    if path.is_file():  # else the job was started by hand
        kept = attempt_log(run_folder, job, attempt)
        kept.unlink(missing_ok=True)
        os.link(path, kept)


def drop_log(run_folder: Path, job: Job, attempt: int) -> None:
    """Remove the second name of the log of a successful attempt."""
    attempt_log(run_folder, job, attempt).unlink(missing_ok=True)
