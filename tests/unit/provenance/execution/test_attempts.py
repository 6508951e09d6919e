"""A job says that it runs, or has failed, and its silence after a kill is seen."""

import json
import multiprocessing
import os
import signal
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cactus.errors import TrainingError
from cactus.provenance.execution.attempts import (
    FailureNote,
    failure_path,
    next_attempt,
    read_state,
    work_folder,
)
from cactus.provenance.execution.lease import EXPIRY_SECONDS, Lease
from cactus.stages.base import Job

JOB = Job("meta_train", "omniglot/acai/maml/s0")


def lease(folder: Path, **facts) -> Lease:
    return Lease(work_folder(folder, JOB), JOB.name, facts)


def note(folder: Path, attempt: int = 1) -> FailureNote:
    return FailureNote(folder, JOB, datetime.now(UTC), attempt)


def test_a_job_runs_and_then_says_no_more(tmp_path: Path):
    with lease(tmp_path), note(tmp_path):
        facts = read_state(tmp_path, JOB)
        assert facts is not None
        assert (facts["state"], facts["pid"]) == ("running", os.getpid())
    assert read_state(tmp_path, JOB) is None


def test_a_failure_stays_until_the_next_success(tmp_path: Path):
    error = TrainingError("The loss is NaN.", where="here", got="NaN", fix="lower the rate")
    with pytest.raises(TrainingError), note(tmp_path):
        raise error
    facts = read_state(tmp_path, JOB)
    assert facts is not None
    assert (facts["state"], facts["error"]) == ("failed", "The loss is NaN.")
    with note(tmp_path):
        pass
    assert read_state(tmp_path, JOB) is None


def test_leaving_with_success_is_no_failure(tmp_path: Path):
    with pytest.raises(SystemExit), note(tmp_path):
        raise SystemExit(0)
    assert read_state(tmp_path, JOB) is None


def test_attempts_are_counted_until_success(tmp_path: Path):
    assert next_attempt(tmp_path, JOB) == 1
    for attempt in (1, 2):
        with pytest.raises(SystemExit), note(tmp_path, attempt):
            raise SystemExit(75)
        assert next_attempt(tmp_path, JOB) == attempt + 1
    with note(tmp_path, 3):
        pass
    assert next_attempt(tmp_path, JOB) == 1


def _run_for_ever(folder: Path, ready) -> None:
    with lease(folder, attempt=4):
        ready.set()
        signal.pause()


def test_a_killed_job_is_not_taken_for_a_running_one(tmp_path: Path):
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    process = context.Process(target=_run_for_ever, args=(tmp_path, ready))
    process.start()
    assert ready.wait(60)
    facts = read_state(tmp_path, JOB)
    assert facts is not None
    assert facts["state"] == "running"
    process.kill()
    process.join()
    facts = read_state(tmp_path, JOB)
    assert facts is not None
    assert facts["state"] == "killed"
    assert next_attempt(tmp_path, JOB) == 5


def test_a_job_of_another_host_counts_as_killed_after_long_silence(tmp_path: Path):
    path = work_folder(tmp_path, JOB) / "lease.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"host": "elsewhere", "pid": 1, "token": "x", "beat": 3}))
    facts = read_state(tmp_path, JOB)
    assert facts is not None
    assert facts["state"] == "running"
    long_ago = path.stat().st_mtime - EXPIRY_SECONDS - 60
    os.utime(path, (long_ago, long_ago))
    facts = read_state(tmp_path, JOB)
    assert facts is not None
    assert facts["state"] == "killed"


def test_a_damaged_state_says_nothing(tmp_path: Path):
    path = failure_path(tmp_path, JOB)
    path.parent.mkdir(parents=True)
    path.write_text("{")
    assert read_state(tmp_path, JOB) is None
