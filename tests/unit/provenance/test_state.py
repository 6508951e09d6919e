"""A job says that it runs, or has failed, and its silence after a kill is seen."""

import multiprocessing
import os
import signal
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cactus.errors import TrainingError
from cactus.provenance.jobs import Job
from cactus.provenance.state import JobState, read_state, state_path

JOB = Job("meta_train", "omniglot/acai/maml/s0")


def state(folder: Path) -> JobState:
    return JobState(folder, JOB, datetime.now(UTC))


def test_a_job_runs_and_then_says_no_more(tmp_path: Path):
    with state(tmp_path):
        facts = read_state(tmp_path, JOB)
        assert facts is not None
        assert (facts["state"], facts["pid"]) == ("running", os.getpid())
    assert read_state(tmp_path, JOB) is None


def test_a_failure_stays_until_the_next_success(tmp_path: Path):
    error = TrainingError("The loss is NaN.", where="here", got="NaN", fix="lower the rate")
    with pytest.raises(TrainingError), state(tmp_path):
        raise error
    facts = read_state(tmp_path, JOB)
    assert facts is not None
    assert (facts["state"], facts["error"]) == ("failed", "The loss is NaN.")
    with state(tmp_path):
        pass
    assert read_state(tmp_path, JOB) is None


def _run_for_ever(folder: Path, ready) -> None:
    with state(folder):
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


def test_a_damaged_state_says_nothing(tmp_path: Path):
    path = state_path(tmp_path, JOB)
    path.parent.mkdir(parents=True)
    path.write_text("{")
    assert read_state(tmp_path, JOB) is None
