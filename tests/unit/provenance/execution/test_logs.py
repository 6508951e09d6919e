"""The log of an unsuccessful attempt survives although Snakemake removes it."""

from pathlib import Path

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
