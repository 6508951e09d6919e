"""Logs of attempts that did not succeed, kept although Snakemake removes a job's log."""

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cactus.files import open_regular
from cactus.provenance.execution.lease import file_clock
from cactus.stages.base import Job

_START_OF_LOG: Final = 1 << 20
# Seconds within which a script has imported its libraries, even from a slow file system.
_LONGEST_START: Final = 600.0
_SILENT: Final = "its log says nothing (the memory may have run out, or the machine was restarted)"
_CRASH: Final = re.compile(
    r"^(Traceback \(most recent call last\)|\S*python\S*: |(\S*/)?(ba|da)?sh: |Segmentation fault)",
    re.M,
)


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


def early_death(run_folder: Path, job: Job) -> dict[str, str] | None:
    """Return when and of what an attempt died that did not even start; None if it has started.

    Python or the shell then leaves its error in the log, where the line is missing with which an
    attempt starts. SIGKILL leaves nothing: then the log tells by its silence.
    """
    path = log_path(run_folder, job)
    try:
        with open_regular(path) as file:
            text = file.read(_START_OF_LOG).decode(errors="replace")
        ended = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError:
        return None
    if f"=== {job.name}: " in text:
        return None
    if _CRASH.search(text):
        return {"error": text.splitlines()[-1], "ended": ended.isoformat()}
    if file_clock(path.parent) - ended.timestamp() < _LONGEST_START:
        return None
    return {"error": f"it was killed while it started; {_SILENT}", "ended": ended.isoformat()}
