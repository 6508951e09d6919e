"""What happens to a job that sbatch does not take: it waits, is found again, or fails for good."""

import json
import subprocess
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from cactus.cluster import environment, submit
from cactus.cluster.submit import Submission

LIMIT = "SLURM sbatch failed. The error message was 'sbatch: error: QOSMaxSubmitJobPerUserLimit'"
LOST = "SLURM sbatch failed. The error message was 'sbatch: error: Socket timed out on send/recv'"
INVALID = "The error message was 'sbatch: error: Invalid account'.\n    sbatch call:\n sbatch -x"
COMMENT = "rule_train_embedding_wildcards_mnist_acai_0"


class Job:
    """What this file needs of Snakemake's job."""

    name, restart_times = "train_embedding", 3
    wildcards = ("mnist", "acai", "0")
    wildcards_dict = {"dataset": "mnist", "embedding": "acai", "seed": "0"}  # noqa: RUF012
    rule = SimpleNamespace(name="train_embedding")

    def __init__(self):
        self.attempt = 1

    def is_group(self):
        return False


class Executor:
    """Stands in for the plugin's: `answers` says what each call of sbatch comes to."""

    run_uuid = "cactus_x"

    def __init__(self, answers, folder):
        self.answers, self.slurm_logdir = iter(answers), folder / "logs"
        self.workflow = SimpleNamespace(scheduler=SimpleNamespace(_user_kill=None))
        self.submitted, self.failed, self.calls, self.said = [], [], 0, []
        self.logger = SimpleNamespace(warning=self.said.append, info=self.said.append)

    def run_job(self, job):
        self.calls += 1
        answer = next(self.answers)
        if answer.isdigit():
            self._report_job_submission_threadsafe(SimpleNamespace(external_jobid=answer, job=job))
        else:
            self._report_job_error_threadsafe(SimpleNamespace(job=job), msg=answer)

    def _report_job_submission_threadsafe(self, info):
        self.submitted.append(info.external_jobid)

    def _report_job_error_threadsafe(self, info, msg):  # noqa: ARG002
        self.failed.append(msg)

    def cancel(self):
        self.said.append("canceled")

    def shutdown(self):
        self.said.append("shut down")


@pytest.fixture
def squeue(tmp_path, monkeypatch):
    """Return a function that sets what `squeue` answers; None if the controller is away."""
    program, answer = tmp_path / "bin/squeue", tmp_path / "answer"
    program.parent.mkdir()
    away = 'echo "Unable to contact" >&2; exit 1'
    program.write_text(f"#!/bin/sh\ncat {answer} 2> /dev/null || {{ {away}; }}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.setattr(submit, "_FIRST_WAIT", 0.01)
    monkeypatch.setattr(submit, "_LONGEST_WAIT", 0.02)

    def set_to(text):
        answer.unlink(missing_ok=True) if text is None else answer.write_text(text)

    set_to("")
    return set_to


def submitted(answers, folder: Path) -> tuple[Executor, Job]:
    executor, job = Executor(answers, folder), Job()
    Submission(executor, folder).install()
    executor.run_job(job)
    return executor, job


def row(identity: str, comment: str = COMMENT) -> str:
    return f"{identity}|cactus_x|PENDING|None|gpu|{comment}\n"


def test_a_limit_is_waited_for_in_the_same_attempt(squeue, tmp_path):
    squeue("7\n")
    executor, job = submitted([LIMIT, LIMIT, LIMIT, "12"], tmp_path)
    assert (executor.submitted, executor.failed, job.attempt) == (["12"], [], 1)
    assert len(executor.said) == 3  # each wait shows in Snakemake's log that it is alive
    assert "set max_jobs in the profile" in executor.said[0]


@pytest.mark.parametrize(
    "answer",
    [
        LOST,
        "SLURM sbatch failed. The error message was ''.",  # sbatch itself was killed
        "SLURM sbatch failed. The error message was 'Unable to contact slurm controller'",
        "Job submission failed with exception: No valid SLURM job ID found in: welcome!",
        "SLURM sbatch failed. The error message was 'Zero Bytes were transmitted or received'",
    ],
)
def test_a_lost_answer_is_found_by_name_and_comment(answer, squeue, tmp_path):
    squeue("CLUSTER: alpha\n" + row("10", "rule_other") + row("11"))
    executor, job = submitted([answer], tmp_path)
    assert (executor.submitted, executor.failed, job.attempt) == (["11"], [], 1)
    assert executor.calls == 1


def test_an_earlier_attempt_is_not_taken_for_the_lost_job(squeue, tmp_path):
    executor, job = submitted(["11"], tmp_path)
    squeue(row("11"))
    executor.answers = iter([LOST, "12"])
    executor.run_job(job)
    assert executor.submitted == ["11", "12"]


def test_a_controller_that_is_away_is_waited_for(squeue, tmp_path):
    squeue(None)
    threading.Timer(0.2, squeue, [""]).start()
    executor, job = submitted([LOST, "12"], tmp_path)
    assert (executor.submitted, executor.failed, job.attempt) == (["12"], [], 1)
    assert "Slurm does not answer: Unable to contact" in " ".join(executor.said)


@pytest.mark.parametrize(
    ("refusal", "queue"),
    [
        (INVALID, "7\n"),
        ("Job submission failed with exception: Invalid GPU model format: a100-40g.", "7\n"),
    ],
)
def test_what_is_refused_for_good_fails_once_and_leaves_a_note(refusal, queue, squeue, tmp_path):
    squeue(queue)
    executor, job = submitted([refusal], tmp_path)
    assert (executor.calls, executor.failed, executor.submitted) == (1, [refusal], [])
    assert job.attempt > job.restart_times  # Snakemake does not try again with more memory
    note = json.loads((tmp_path / "states/train_embedding/mnist/acai/s0.json").read_text())
    shown = " ".join(refusal.partition("sbatch call:")[0].split())
    assert (note["state"], note["error"]) == ("failed", f"it was not submitted: {shown}")


def test_an_answer_that_never_gets_clear_is_not_asked_for_forever(squeue, tmp_path, monkeypatch):
    squeue("")
    monkeypatch.setattr(submit, "_UNCLEAR_ANSWERS", 3)
    refusal = "The error message was 'sbatch: error: Unspecified error'"
    executor, job = submitted([refusal] * 10, tmp_path)
    assert (executor.calls, executor.failed, executor.submitted) == (4, [refusal], [])
    assert any("gives no clear answer" in one for one in executor.said)
    assert job.attempt > job.restart_times


def test_an_error_here_fails_the_job_and_does_not_lose_it(squeue, tmp_path):
    squeue("")
    (tmp_path / "states").touch()  # no note can be written
    executor, job = submitted([INVALID], tmp_path)
    (said,) = executor.failed
    assert said.startswith("It was not submitted: ")
    assert job.attempt > job.restart_times


def test_a_group_of_jobs_is_submitted(squeue, tmp_path):
    squeue("")
    executor, job = Executor(["12"], tmp_path), Job()
    job.attempt, job.is_group = 2, lambda: True
    Submission(executor, tmp_path).install()
    executor.run_job(job)
    assert executor.submitted == ["12"]


GPU_FULL = {"state": "failed", "kind": "GpuMemoryError", "error": "The GPU's memory ran out."}


@pytest.mark.parametrize(
    ("attempt", "jobs_per_gpu", "note", "tried"),
    [
        (1, "1", GPU_FULL, True),  # the note is of an earlier run
        (2, "1", GPU_FULL, False),
        (2, "4", GPU_FULL, True),  # this time on a GPU of its own
        (3, "4", GPU_FULL, False),
        (2, "1", {**GPU_FULL, "kind": "ResourceError"}, True),
        (2, "1", {"state": "failed", "error": "of an older version"}, True),
        (2, "1", None, True),
    ],
)
def test_a_job_that_filled_a_gpu_of_its_own_is_not_tried_again(
    attempt, jobs_per_gpu, note, tried, squeue, tmp_path, monkeypatch
):
    squeue("")
    monkeypatch.setenv("CACTUS_JOBS_PER_GPU", jobs_per_gpu)
    path = tmp_path / "states/train_embedding/mnist/acai/s0.json"
    path.parent.mkdir(parents=True)
    if note is not None:
        path.write_text(json.dumps({**note, "attempt": attempt - 1}))
    executor, job = Executor(["12"], tmp_path), Job()
    job.attempt = attempt
    submission = Submission(executor, tmp_path)
    submission.install()
    executor.run_job(job)
    assert executor.submitted == (["12"] if tried else [])
    assert (job.attempt > job.restart_times) == (not tried)
    if not tried:
        assert "The GPU's memory ran out." in executor.failed[0]
        assert json.loads(path.read_text())["error"] == note["error"]  # with its log


FULL = "'sbatch: error: Slurm temporarily unable to accept job. Resource temporarily unavailable'"


@pytest.mark.parametrize("refusal", [LIMIT, FULL, "AssocGrpSubmitJobsLimit"])
def test_a_limit_that_others_fill_is_waited_for_within_bounds(
    refusal, squeue, tmp_path, monkeypatch
):
    squeue("")
    executor, job = submitted([refusal, refusal, "12"], tmp_path)
    assert (executor.submitted, executor.failed, job.attempt) == (["12"], [], 1)
    assert "although none of yours is queued" in executor.said[0]
    monkeypatch.setattr(submit, "_FOREIGN_LIMIT", 0.05)
    executor, job = submitted([refusal] * 1000, tmp_path)
    assert (executor.submitted, executor.failed) == ([], [refusal])
    note = json.loads((tmp_path / "states/train_embedding/mnist/acai/s0.json").read_text())
    assert note["error"] == f"it was not submitted within 0 min: {refusal}"


def test_a_submission_that_never_returns_is_ended_as_lost(tmp_path, monkeypatch):
    """The plugin gets an error without words, after which the job is looked up."""
    program = tmp_path / "bin/sbatch"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nexec sleep 600\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.setattr(environment, "_SUBMISSION_SECONDS", 0.2)
    environment.clean_environment(SimpleNamespace(), tmp_path / "a tool's folder")
    done = subprocess.run(["sbatch", "--x=a b"], input="", capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (124, b"")
    program.write_text('#!/bin/sh\necho "$@"; cat\n')
    done = subprocess.run(["sbatch", "--x=a b"], input=b"script", capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (0, b"--x=a b\nscript")


def test_a_configuration_of_an_earlier_call_is_not_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "/usr/bin:/bin")  # which the call changes
    monkeypatch.delenv("SLURM_CONF", raising=False)
    monkeypatch.delenv(environment._KEPT_CONF, raising=False)
    (tmp_path / "srun").write_text("#!/bin/sh\nSLURM_CONF=/old/slurm.conf exec srun\n")
    environment.clean_environment(SimpleNamespace(), tmp_path)
    assert not (tmp_path / "srun").exists()


@pytest.mark.parametrize("how", ["cancel", "shutdown", "user"])
def test_nothing_is_submitted_after_a_request_to_stop(how, squeue, tmp_path):
    squeue("7\n")
    executor, job = Executor([LIMIT] * 1000, tmp_path), Job()
    Submission(executor, tmp_path).install()
    waiting = threading.Thread(target=executor.run_job, args=(job,))
    waiting.start()
    while not executor.said:
        pass
    if how == "user":
        executor.workflow.scheduler._user_kill = "graceful"
    else:
        getattr(executor, how)()
    waiting.join(10)
    assert not waiting.is_alive()
    assert executor.failed == ["Snakemake was asked to stop before it was submitted."]
    executor.answers = iter(["12"])
    executor.run_job(Job())
    assert executor.submitted == []
