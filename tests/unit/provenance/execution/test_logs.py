"""The log of an attempt that came to nothing outlives Snakemake's clearing up."""

from pathlib import Path

from cactus.provenance.execution.logs import attempt_log, drop_log, keep_log, log_path
from cactus.stages.base import Job

JOB = Job("meta_train", "omniglot/acai/maml/s0")


def write(folder: Path, text: str) -> Path:
    path = log_path(folder, JOB)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_what_is_written_later_is_kept_when_the_log_is_removed(tmp_path: Path):
    log = write(tmp_path, "start\n")
    keep_log(tmp_path, JOB, 1)
    with log.open("a") as file:
        file.write("killed\n")
    log.unlink()
    assert attempt_log(tmp_path, JOB, 1).read_text() == "start\nkilled\n"


def test_a_success_leaves_the_logs_of_the_attempts_before(tmp_path: Path):
    for attempt in (1, 2):
        log_path(tmp_path, JOB).unlink(missing_ok=True)
        log = write(tmp_path, f"{attempt}")
        keep_log(tmp_path, JOB, attempt)
    drop_log(tmp_path, JOB, 2)
    assert sorted(path.name for path in log.parent.iterdir()) == ["s0.attempt-1.log", "s0.log"]
    assert attempt_log(tmp_path, JOB, 1).read_text() == "1"


def test_a_first_attempt_clears_those_of_an_earlier_time(tmp_path: Path):
    write(tmp_path, "old")
    keep_log(tmp_path, JOB, 3)
    keep_log(tmp_path, JOB, 1)
    assert [path.name for path in log_path(tmp_path, JOB).parent.glob("*attempt*")] == [
        "s0.attempt-1.log"
    ]


def test_a_job_started_by_hand_has_no_log_to_hold(tmp_path: Path):
    keep_log(tmp_path, JOB, 1)
    assert not attempt_log(tmp_path, JOB, 1).exists()
