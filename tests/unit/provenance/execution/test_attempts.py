"""A job is known to be running, failed or killed, and its attempts are counted."""

import json
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cactus.errors import LeaseError, StoppedError, TrainingError
from cactus.provenance.execution.attempts import (
    failure_note,
    failure_path,
    next_attempt,
    read_state,
    was_stopped,
    work_folder,
)
from cactus.provenance.execution.lease import EXPIRY_SECONDS, Lease
from cactus.stages.base import Job

JOB = Job("meta_train", "omniglot/acai/maml/s0")


def lease(folder: Path, **facts) -> Lease:
    return Lease(work_folder(folder, JOB), JOB.name, facts)


@contextmanager
def note(folder: Path, attempt: int = 1) -> Iterator[None]:
    with lease(folder) as held, failure_note(folder, JOB, held, attempt):
        yield


def test_a_job_is_running_until_it_succeeds(tmp_path: Path):
    with note(tmp_path):
        facts = read_state(tmp_path, JOB)
        assert facts is not None
        assert (facts["state"], facts["pid"]) == ("running", os.getpid())
    assert read_state(tmp_path, JOB) is None


def test_a_failure_is_shown_until_the_next_success(tmp_path: Path):
    error = TrainingError("The loss is NaN.", where="here", got="NaN", fix="lower the rate")
    with pytest.raises(TrainingError), note(tmp_path):
        raise error
    facts = read_state(tmp_path, JOB)
    assert facts is not None
    assert (facts["state"], facts["error"]) == ("failed", "The loss is NaN.")
    with note(tmp_path):
        pass
    assert read_state(tmp_path, JOB) is None


def test_a_note_has_the_kind_of_its_error_also_of_one_of_a_library(tmp_path: Path):
    error = RuntimeError("CUDA out of memory. Tried to allocate 2.00 MiB.")
    with pytest.raises(RuntimeError), note(tmp_path):
        raise error
    facts = read_state(tmp_path, JOB)
    assert facts is not None
    assert (facts["kind"], facts["error"]) == ("GpuMemoryError", "The GPU's memory ran out.")
    with pytest.raises(ZeroDivisionError), note(tmp_path):
        raise ZeroDivisionError
    facts = read_state(tmp_path, JOB)
    assert facts is not None
    assert facts["kind"] == "ZeroDivisionError"


@pytest.mark.parametrize(
    ("error", "stopped"),
    [
        (StoppedError("The job was asked to stop.", where="a", got="SIGINT", fix="again"), True),
        (SystemExit(128 + signal.SIGINT), True),
        (SystemExit(128 + signal.SIGTERM), True),
        (SystemExit(128 + signal.SIGKILL), False),
        (SystemExit(3), False),
        (SystemExit("a text"), False),
        (KeyError("a"), False),
    ],
)
def test_a_job_that_was_asked_to_stop_has_not_failed(
    tmp_path: Path, error: BaseException, stopped: bool
):
    with pytest.raises(type(error)), note(tmp_path):
        raise error
    facts = read_state(tmp_path, JOB)
    assert facts is not None
    assert was_stopped(facts) is stopped
    assert ("asked to stop" in facts["error"]) is stopped


def test_a_process_that_lost_the_job_leaves_no_note(tmp_path: Path):
    with pytest.raises(LeaseError), note(tmp_path):  # noqa: PT012
        path = work_folder(tmp_path, JOB) / "lease.json"
        path.write_text(json.dumps({"host": "elsewhere", "pid": 1, "token": "theirs"}))
        raise KeyError
    assert not failure_path(tmp_path, JOB).exists()


def test_exiting_with_success_is_not_a_failure(tmp_path: Path):
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


def _run_until_killed(folder: Path, ready) -> None:
    with lease(folder, attempt=4):
        ready.set()
        signal.pause()


def test_a_killed_job_does_not_count_as_running(tmp_path: Path):
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    process = context.Process(target=_run_until_killed, args=(tmp_path, ready))
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


def test_a_job_on_another_host_counts_as_killed_after_a_long_silence(tmp_path: Path):
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


def test_a_wrong_clock_of_this_host_makes_no_running_job_look_killed(tmp_path: Path, monkeypatch):
    path = work_folder(tmp_path, JOB) / "lease.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"host": "elsewhere", "pid": 1, "token": "x", "beat": 3}))
    for hours in (-1, 1):
        now = time.time() + 3600 * hours
        monkeypatch.setattr(time, "time", lambda now=now: now)
        facts = read_state(tmp_path, JOB)
        assert facts is not None
        assert facts["state"] == "running"
        monkeypatch.undo()
    assert [one.name for one in path.parent.iterdir()] == ["lease.json"]
