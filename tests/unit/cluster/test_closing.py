"""The closing lines name every job that failed, also one that could not leave a note."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from cactus.cluster.closing import closing_lines
from cactus.cluster.queued import ADOPTED
from cactus.provenance.execution.attempts import read_state
from cactus.provenance.execution.lease import Lease
from cactus.provenance.staleness.status import failed_attempts
from cactus.stages.base import Job

JOB = Job("train_embedding", "mnist/acai/s0")
OTHER = Job("train_embedding", "mnist/bigan/s0")
STOPPED = '{"state": "failed", "kind": "StoppedError", "error": "It was asked to stop."}'
BOILERPLATE = "At least one job did not complete successfully.\n"


class TheirJob:
    """A job as Snakemake has it."""

    def __init__(self, job: Job) -> None:
        self.rule, self.wildcards_dict = SimpleNamespace(name=job.stage), job.wildcards
        self.is_group = bool


def closing(
    folder: Path,
    *failed: Job,
    earlier: dict | None = None,
    coming: tuple[Job, ...] = (),
    waiting: tuple[Job, ...] = (),
    **scheduler: object,
) -> str:
    executor = SimpleNamespace(slurm_logdir=folder / "slurm_logs")
    facts = {"_executor": executor, "_user_kill": None, "_executor_error": None, "running": set()}
    facts |= {"failed": [*map(TheirJob, failed)], **scheduler}

    def needrun_jobs(*, exclude_finished: bool = True) -> list[TheirJob]:
        return [*map(TheirJob, waiting if exclude_finished else coming)]

    workflow = SimpleNamespace(
        scheduler=SimpleNamespace(**facts),
        execution_settings=SimpleNamespace(keep_going=True),
        dag=SimpleNamespace(needrun_jobs=needrun_jobs),
    )
    return closing_lines(workflow, planner(folder), earlier or {})


def planner(folder: Path) -> SimpleNamespace:
    return SimpleNamespace(run_folder=folder, graph=SimpleNamespace(jobs=[JOB, OTHER]))


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_run_without_failures_says_so(tmp_path):
    assert closing(tmp_path) == "no job failed"


ENDINGS = [{"_user_kill": "graceful"}, {"running": {1}}, {}]


@pytest.mark.parametrize("ending", ENDINGS, ids=["SIGTERM", "Ctrl-C", "Ctrl-C between two jobs"])
def test_an_interrupted_call_says_how_far_it_came_and_what_goes_on(ending, tmp_path, monkeypatch):
    calls = {
        "`snakemake --cores 2 --config 'compute={threads: 1}'`": [
            "--config",
            "compute={threads: 1}",
        ],
        f"`cactus update {tmp_path.name}`": [f"{tmp_path}/models/x"],
    }
    for command, words in calls.items():
        monkeypatch.setattr("sys.argv", ["/bin/snakemake", "--cores", "2", *words])
        told = closing(tmp_path, coming=(JOB, OTHER), waiting=(OTHER,), **ending)
        assert told == f"interrupted with 1 of 2 jobs done\n{command} goes on with the rest"
    monkeypatch.setenv(ADOPTED, "")
    assert "the same `cactus run` goes on" in closing(tmp_path, waiting=(OTHER,), **ending)


def test_a_job_that_an_interrupt_stopped_is_listed(tmp_path):
    write(tmp_path / f"states/{JOB.name}.json", STOPPED)
    lines = closing(tmp_path, coming=(JOB,), waiting=(JOB,), running={1}).splitlines()
    assert lines[:2] == ["interrupted with 0 of 1 job done", "1 job stopped:"]
    assert lines[-1].endswith(" goes on with the rest")


def test_a_job_that_an_interrupt_ended_while_it_imported_has_not_failed(tmp_path):
    write(
        tmp_path / f"logs/{JOB.name}.log", "Traceback (most recent call last):\nKeyboardInterrupt\n"
    )
    assert "1 job stopped:\n" in closing(tmp_path, coming=(JOB,), waiting=(JOB,), running={1})


def test_an_executor_that_failed_is_no_interrupt(tmp_path):
    error = OSError("no sbatch")
    assert closing(tmp_path, waiting=(JOB,), _executor_error=error) == "no job failed"


@pytest.mark.parametrize(
    ("own", "slurm", "error"),
    [
        ("Traceback ...\nImportError: no libcuda\n", BOILERPLATE, "ImportError: no libcuda"),
        ("", f"starting\nsrun: error: no step\n{BOILERPLATE}", "srun: error: no step"),
        (None, "slurmstepd: error: Detected 1 oom-kill event(s)\nbye\n", "slurmstepd: error: Det"),
        (None, "killed somehow\n\n", "killed somehow"),
        (None, None, "without a word"),
    ],
)
def test_a_job_that_died_early_is_named_with_its_log(own, slurm, error, tmp_path):
    logs = {"logs/train_embedding/mnist/acai/s0.log": own,
            "slurm_logs/rule_train_embedding/mnist_acai_0/7.log": slurm}  # fmt: skip
    written = [write(tmp_path / name, text) for name, text in logs.items() if text is not None]
    told = closing(tmp_path, JOB)
    assert told.startswith(f"1 job failed:\n  {JOB.name}: it ended early: {error}")
    named = tmp_path / "logs/train_embedding/mnist/acai/s0.log"
    if written:
        named = next(path for path in written if error in path.read_text())
    assert told.endswith(f"    log: {named}")
    state = read_state(tmp_path, JOB)
    assert state["state"] == "failed"  # so `cactus status` tells it too
    assert state["attempt"] == 0


def test_the_note_of_a_job_itself_is_kept(tmp_path):
    write(tmp_path / "states/train_embedding/mnist/acai/s0.json",
          '{"state": "failed", "error": "diverged", "attempt": 4}')  # fmt: skip
    assert f"{JOB.name}: diverged" in closing(tmp_path, JOB)


def test_a_failed_job_whose_process_seems_alive_is_listed(tmp_path):
    with Lease(tmp_path / f"work/{JOB.name}", JOB.name):
        assert "no job failed" in closing(tmp_path)
        told = closing(tmp_path, JOB)
    assert told.startswith("1 job failed:")
    assert "died without reporting an error" in told


def test_a_failure_of_an_earlier_call_is_not_one_of_this_call(tmp_path):
    note = "states/train_embedding/mnist/{}/s0.json"
    for name in ("acai", "bigan"):
        write(tmp_path / note.format(name), '{"state": "failed", "error": "old", "attempt": 1}')
    earlier = failed_attempts(planner(tmp_path))
    assert closing(tmp_path, earlier=earlier) == "no job failed"
    write(tmp_path / note.format("acai"), '{"state": "failed", "error": "new", "attempt": 2}')
    told = closing(tmp_path, earlier=earlier)
    assert told.startswith(f"1 job failed:\n  {JOB.name}: new")
    assert f"{OTHER.name}: old" in closing(tmp_path, OTHER, earlier=earlier)


def test_jobs_that_were_asked_to_stop_are_told_apart(tmp_path):
    note = "states/train_embedding/mnist/{}/s0.json"
    write(tmp_path / note.format("acai"), STOPPED)
    assert closing(tmp_path).startswith(f"1 job stopped:\n  {JOB.name}: It was asked to stop.")
    write(tmp_path / note.format("bigan"), '{"state": "failed", "error": "diverged"}')
    assert closing(tmp_path).startswith("1 job failed, 1 job stopped:\n")
