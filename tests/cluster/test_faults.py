"""Jobs are stopped in every way a cluster can, and nothing is lost, repeated or hung."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.faults import FaultRun, MakeRun
from tests.cluster.slurm import SlurmCluster
from tests.workflow.project import Project

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def stopped(
    cluster: SlurmCluster, prepared: Project, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FaultRun]:
    """A finished run of plain Snakemake; each of its trainings was stopped in a different way."""
    run = FaultRun(
        cluster,
        prepared.copy(tmp_path_factory.mktemp("stopped") / "project"),
        {
            "cancelled": {},
            "requeued": {},
            "limited": {"steps": 150, "pause": 0.6},
            "hungry": {"ballast": 900},
            "hopeless": {"steps": 0},
        },
        {
            "mem_mb": "dict(hungry=900).get(wildcards.embedding, 1500) * attempt",
            "runtime": "dict(limited=1).get(wildcards.embedding, 10) * attempt",
        },
    )
    process = run.start()
    run.wait_for_checkpoint("cancelled", "requeued")
    cluster.run("scancel", run.jobs("cancelled")[0].id)
    requeued = run.jobs("requeued")[0].id
    cluster.run("scontrol", "requeue", requeued)
    cluster.wait_for_state(requeued, "PENDING")
    cluster.start_requeued(requeued)
    run.code = run.end(process, 600)
    yield run
    run.close()


def test_a_canceled_training_is_resubmitted_and_resumes(stopped: FaultRun):
    jobs = stopped.jobs("cancelled")
    assert [job.state for job in jobs] == ["CANCELLED", "COMPLETED"]
    assert stopped.resumed_from("cancelled")[0] >= 5
    stopped.assert_equal_to_uninterrupted("cancelled")
    assert ": attempt 1," in stopped.log("cancelled", attempt=1)
    assert "The job was asked to stop." in stopped.log("cancelled", attempt=1)
    assert ": attempt 2," in stopped.log("cancelled")
    assert "resumed from step" in stopped.log("cancelled")
    ran_on = stopped.record("cancelled")["activity"]["processors"]
    assert [one["attempt"] for one in ran_on] == [1, 2]


def test_a_requeued_training_resumes_in_the_same_slurm_job(stopped: FaultRun):
    assert [job.state for job in stopped.jobs("requeued")] == ["COMPLETED"]
    assert stopped.resumed_from("requeued")[0] >= 5
    stopped.assert_equal_to_uninterrupted("requeued")


def test_a_training_over_its_time_limit_is_resubmitted_with_more_and_resumes(stopped: FaultRun):
    states = [job.state for job in stopped.jobs("limited")]
    assert states in (["TIMEOUT"] * count + ["COMPLETED"] for count in (1, 2))  # on a busy machine
    # SIGTERM came before SIGKILL, and the training saved its step then, not only each fifth one.
    assert stopped.resumed_from("limited")[0] > 20
    assert "The job was asked to stop." in stopped.log("limited", attempt=1)


def test_a_training_over_its_memory_is_resubmitted_with_more(stopped: FaultRun):
    states = [job.state for job in stopped.jobs("hungry")]
    assert states[0] in ("FAILED", "OUT_OF_MEMORY")
    assert states[-1] == "COMPLETED"
    stopped.assert_equal_to_uninterrupted("hungry")


def test_a_permanent_failure_stops_nothing_else_and_is_listed_with_its_log(stopped: FaultRun):
    assert stopped.code == 1
    assert len(stopped.jobs("hopeless")) == 4  # one try and three retries
    closing = stopped.text().rpartition("jobs failed:")[2]
    assert "train_embedding/mnist/hopeless/s0: A custom embedding rejects its settings" in closing
    log = "results/faults/logs/train_embedding/mnist/hopeless/s0.attempt-4.log"
    assert log in closing
    assert (stopped.project.folder / log).is_file()


@pytest.mark.parametrize("partition", ["low", "lowcancel"])
def test_a_preempted_training_resumes(
    cluster: SlurmCluster, fault_run: MakeRun, tmp_path: Path, partition: str
):
    run = fault_run({"preempted": {}}, {"slurm_partition": partition})  # fmt: skip
    process = run.start_supervised()
    run.wait_for_checkpoint("preempted")
    urgent = cluster.submit("sleep 2", "--exclusive", "-p", "cpu", "--mem=50", folder=tmp_path)
    cluster.wait_for_state(urgent, "COMPLETED")
    first = run.jobs("preempted")[0]
    if partition == "low":
        cluster.wait_for(
            lambda: run.jobs("preempted")[0].state in ("PENDING", "RUNNING"), "requeue"
        )
        cluster.start_requeued(first.id)
    assert run.end(process) == 0, run.text()
    states = [job.state for job in run.jobs("preempted")]
    if partition == "low":
        assert states == ["COMPLETED"]
    else:
        assert states == ["PREEMPTED", "COMPLETED"]
        assert f"Slurm jobs {first.id} ended as PREEMPTED" in run.text()
    assert run.resumed_from("preempted")
    run.assert_equal_to_uninterrupted("preempted")
