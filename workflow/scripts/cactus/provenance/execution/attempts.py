"""The attempts at a job that has not succeeded yet: running, failed or killed, and how many."""

import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cactus.errors import CactusError, StoppedError
from cactus.exits import SIGNAL_CODES
from cactus.files import read_text, write_json
from cactus.provenance.execution.lease import Lease, lives, read_lease
from cactus.provenance.execution.logs import early_death
from cactus.provenance.execution.process import identity
from cactus.provenance.records.facts import parse_facts
from cactus.provenance.records.reasons import is_absent
from cactus.provenance.records.record import record_path
from cactus.refusals import explained
from cactus.stages.base import Job


def failure_path(run_folder: Path, job: Job) -> Path:
    """Return the path of a job's failure note."""
    return run_folder / "states" / f"{job.name}.json"


def work_folder(run_folder: Path, job: Job) -> Path:
    """Return the folder for what a job needs until it is finished.

    Snakemake does not know about it, so it survives a failure.
    """
    return run_folder / "work" / job.name


@contextmanager
def failure_note(run_folder: Path, job: Job, lease: Lease, attempt: int) -> Iterator[None]:
    """Write a note if the block fails, and remove an earlier attempt's note if it succeeds.

    Attempts are counted from 1.

    Raises
    ------
    LeaseError
        The block failed after another process had taken over. The job is not this one's to report.
    """
    path = failure_path(run_folder, job)
    try:
        yield
    except BaseException as error:
        if isinstance(error, SystemExit) and not error.code:
            path.unlink(missing_ok=True)
            raise
        lease.check()
        told = _stopped(error, job) or explained(error)
        facts = {
            **identity(),
            "state": "failed",
            "kind": type(told or error).__name__,
            "error": told.what if told else repr(error),
            "started": lease.started.isoformat(),
            "ended": datetime.now(UTC).isoformat(),
            "attempt": attempt,
        }
        try:
            write_json(path, facts)
        except (CactusError, OSError) as second:  # the first error is the one to tell
            print(f"this failure cannot be noted in {path}: {second}", file=sys.stderr)
        raise
    path.unlink(missing_ok=True)


def _stopped(error: BaseException, job: Job) -> StoppedError | None:
    """Return the error of a job that a signal ended, if one did (`cactus.exits.run_main`)."""
    if not isinstance(error, SystemExit) or error.code not in SIGNAL_CODES:
        return None
    name = signal.Signals(error.code - 128).name
    fix = "run the workflow again"
    return StoppedError("The job was asked to stop.", where=job.name, got=name, fix=fix)


def was_stopped(facts: Mapping[str, Any]) -> bool:
    """Return whether an attempt ended because it was asked to, not because anything failed."""
    return facts.get("kind") == StoppedError.__name__


def read_state(run_folder: Path, job: Job) -> dict[str, Any] | None:
    """Return what is known of an unfinished job: ``state`` is running, failed or killed.

    A job counts as killed if its process is gone from this host, or has been silent for too long on
    another host, without leaving a failure note. A job that could not even start, because an import
    failed, left its error in its log alone. None if nothing is known.
    """
    folder = work_folder(run_folder, job)
    try:
        holder = read_lease(folder)
    except OSError as error:
        if not _is_behind(error):
            return {"state": "failed", "error": f"its lease cannot be read: {error}"}
        holder = None
    if holder is not None:
        return {**holder, "state": "running" if lives(folder, holder) else "killed"}
    if not os.path.lexists(record_path(run_folder, job)):
        early = early_death(run_folder, job)
        if early:
            return {"state": "failed", "attempt": 0, **early}
    return _failure(run_folder, job)


def next_attempt(run_folder: Path, job: Job) -> int:
    """Return the number of the next attempt, counted from 1 after each success."""
    last = read_lease(work_folder(run_folder, job)) or _failure(run_folder, job) or {}
    return int(last.get("attempt", 0)) + 1


def _failure(run_folder: Path, job: Job) -> dict[str, Any] | None:
    path = failure_path(run_folder, job)
    try:
        return {"state": "failed", **parse_facts(read_text(path))}
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and _is_behind(error):
            return None
        return {"state": "failed", "error": f"its note {path} is damaged: {error}"}


def _is_behind(error: OSError) -> bool:
    """Return whether a file is not there, or behind an obstruction, which is no job's doing."""
    return is_absent(error) or (
        isinstance(error, PermissionError) and not os.path.lexists(error.filename)
    )
