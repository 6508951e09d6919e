"""The log of an unsuccessful attempt survives although Snakemake removes it."""

import os
from pathlib import Path

import pytest

from cactus.provenance.execution.attempts import failure_path, next_attempt, read_state
from cactus.provenance.execution.logs import attempt_log, drop_log, keep_log, log_path
from cactus.stages.base import Job

JOB = Job("meta_train", "omniglot/acai/maml/s0")


def write(folder: Path, text: str) -> Path:
    path = log_path(folder, JOB)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_lines_written_later_survive_the_removal_of_the_log(tmp_path: Path):
    log = write(tmp_path, "start\n")
    keep_log(tmp_path, JOB, 1)
    with log.open("a") as file:
        file.write("killed\n")
    log.unlink()
    assert attempt_log(tmp_path, JOB, 1).read_text() == "start\nkilled\n"


def test_a_success_keeps_the_logs_of_earlier_attempts(tmp_path: Path):
    for attempt in (1, 2):
        log_path(tmp_path, JOB).unlink(missing_ok=True)
        log = write(tmp_path, f"{attempt}")
        keep_log(tmp_path, JOB, attempt)
    drop_log(tmp_path, JOB, 2)
    assert sorted(path.name for path in log.parent.iterdir()) == ["s0.attempt-1.log", "s0.log"]
    assert attempt_log(tmp_path, JOB, 1).read_text() == "1"


def test_a_first_attempt_removes_the_logs_of_an_earlier_run(tmp_path: Path):
    write(tmp_path, "old")
    keep_log(tmp_path, JOB, 3)
    keep_log(tmp_path, JOB, 1)
    assert [path.name for path in log_path(tmp_path, JOB).parent.glob("*attempt*")] == [
        "s0.attempt-1.log"
    ]


def test_a_job_started_by_hand_has_no_log_to_keep(tmp_path: Path):
    keep_log(tmp_path, JOB, 1)
    assert not attempt_log(tmp_path, JOB, 1).exists()


TRACEBACK = (
    "Traceback (most recent call last):\n  File ...\nModuleNotFoundError: No module named 'x'\n"
)


@pytest.mark.parametrize(
    ("log", "error"),
    [
        (TRACEBACK, "ModuleNotFoundError: No module named 'x'"),
        ("a warning\n" + TRACEBACK, "ModuleNotFoundError: No module named 'x'"),
        ("/bin/bash: exec: python: not found\n", "/bin/bash: exec: python: not found"),
        ("python: can't open file 'x.py'\n", "python: can't open file 'x.py'"),
        ("", None),
        ("a warning of a job that is still importing\n", None),
        ("=== meta_train/omniglot/acai/maml/s0: attempt 1\n" + TRACEBACK, None),
        (None, None),
    ],
    ids=map(str, range(8)),
)  # fmt: skip
def test_an_attempt_that_died_before_its_first_line_is_told_by_its_log(tmp_path, log, error):
    path = log_path(tmp_path, JOB)
    path.parent.mkdir(parents=True)
    if log is not None:
        path.write_text(log)
    found = read_state(tmp_path, JOB)
    assert (found["error"] if found else None) == error


@pytest.mark.parametrize("log", ["", "a warning\n"])
def test_a_log_that_stays_silent_tells_of_a_kill(tmp_path, log):
    path = write(tmp_path, log)
    os.utime(path, (1e9, 1e9))
    found = read_state(tmp_path, JOB)
    assert (found["state"], found["error"][:33]) == ("failed", "it was killed while it started; i")
    path.write_text(f"=== {JOB.name}: attempt 1\n")
    os.utime(path, (1e9, 1e9))
    assert read_state(tmp_path, JOB) is None


def test_an_early_death_counts_before_the_note_of_an_earlier_attempt(tmp_path):
    note = failure_path(tmp_path, JOB)
    note.parent.mkdir(parents=True)
    note.write_text('{"state": "failed", "error": "of an earlier attempt", "attempt": 3}')
    assert read_state(tmp_path, JOB)["error"] == "of an earlier attempt"
    log_path(tmp_path, JOB).parent.mkdir(parents=True)
    log_path(tmp_path, JOB).write_text(TRACEBACK)
    assert "ModuleNotFoundError" in read_state(tmp_path, JOB)["error"]


DAMAGES = ["", "[]", '{"pid": "x"}', '{"ended": 3}', '{"attempt": -1}', '{"started": "now"}', "\0"]


@pytest.mark.parametrize("content", DAMAGES)
def test_a_damaged_note_is_named(tmp_path, content):
    note = failure_path(tmp_path, JOB)
    note.parent.mkdir(parents=True)
    note.write_text(content)
    found = read_state(tmp_path, JOB)
    assert (found["state"], str(note) in found["error"]) == ("failed", True)
    assert next_attempt(tmp_path, JOB) == 1
