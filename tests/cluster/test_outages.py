"""The cluster or Snakemake itself disappears for a while; nothing is lost, repeated or hung."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cluster.faults import CONFIG, MakeRun
from tests.cluster.slurm import SlurmCluster

pytestmark = pytest.mark.cluster


def test_a_drained_node_and_a_controller_that_is_down_for_a_minute(
    cluster: SlurmCluster, fault_run: MakeRun, tmp_path: Path
):
    names = {"first": {"steps": 40}, "second": {"steps": 40}}
    run = fault_run(names)
    process = run.start_supervised()
    run.wait_for_checkpoint("first", "second")
    node = f"NodeName={cluster.host}"
    cluster.run("scontrol", "update", node, "State=DRAIN", "Reason=test")
    later = cluster.submit("true", "--mem=50", folder=tmp_path)
    time.sleep(5)
    assert cluster.job(later)["JobState"] == "PENDING"
    cluster.run("scontrol", "update", node, "State=RESUME")
    cluster.wait_for_state(later, "COMPLETED")
    cluster.stop_controller()
    time.sleep(60)
    cluster.start_controller()
    assert run.end(process) == 0, run.text()
    for name in names:
        assert [job.state for job in run.jobs(name)] == ["COMPLETED"]
        assert run.resumed_from(name) == []


def test_asking_for_missing_accounting_does_not_hang_the_run(fault_run: MakeRun):
    run = fault_run({"unseen": {}})
    options = ("--slurm-status-command", "sacct", "--slurm-status-attempts", "3")
    process = run.start_supervised(snakemake=options)
    assert run.end(process) == 0, run.text()
    assert "slurm-status-command has to be squeue" in run.text()
    assert [job.state for job in run.jobs("unseen")] == ["COMPLETED"]
    run.assert_equal_to_uninterrupted("unseen")


def test_an_interrupted_training_is_canceled_and_resumes(cluster: SlurmCluster, fault_run: MakeRun):
    run = fault_run({"interrupted": {}})
    process = run.start()
    run.wait_for_checkpoint("interrupted")
    process.send_signal(signal.SIGINT)  # Ctrl-C
    assert run.end(process, 60) != 0, run.text()
    cluster.wait_for(lambda: all(job.over for job in run.jobs("interrupted")), "jobs to end")
    assert [job.state for job in run.jobs("interrupted")] == ["CANCELLED"]
    assert run.end(run.start()) == 0, run.text()
    assert run.resumed_from("interrupted")
    run.assert_equal_to_uninterrupted("interrupted")


def test_jobs_that_outlive_a_killed_snakemake_are_adopted_by_name(
    cluster: SlurmCluster, fault_run: MakeRun
):
    names = {"orphan": {"steps": 60}, "other": {"steps": 60}}
    run = fault_run(names)
    process = run.start()
    run.wait_for_checkpoint("orphan", "other")
    process.kill()
    process.wait()
    # Plain Snakemake does not submit them a second time.
    assert run.end(run.start("--nolock"), 60) != 0
    assert "Slurm jobs of an earlier Snakemake process are still working on this run." in run.text()
    assert "train_embedding/mnist/orphan/s0: Slurm job" in run.text()
    assert "cactus run" in run.text()
    assert run.end(run.start_supervised()) == 0, run.text()
    for name in names:
        assert f"adopted train_embedding/mnist/{name}/s0: Slurm job" in run.text()
        assert [job.state for job in run.jobs(name)] == ["COMPLETED"]
        assert run.record(name)["agent"]["slurm"]["job"] == run.jobs(name)[0].id
    # They have finished, so another start repeats nothing.
    jobs = len(cluster.jobs())
    assert run.end(run.start("--nolock"), 60) == 0
    assert len(cluster.jobs()) == jobs


def test_jobs_that_outlive_a_killed_snakemake_can_be_canceled_by_name(fault_run: MakeRun):
    run = fault_run({"orphan": {"steps": 60}})
    process = run.start_supervised()
    run.wait_for_checkpoint("orphan")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert run.end(run.start_supervised("--cancel-orphans")) == 0, run.text()
    assert "canceled train_embedding/mnist/orphan/s0: Slurm job" in run.text()
    assert [job.state for job in run.jobs("orphan")] == ["CANCELLED", "COMPLETED"]
    assert run.resumed_from("orphan")


def test_the_supervisor_restarts_a_killed_snakemake(fault_run: MakeRun):
    run = fault_run({"orphan": {"steps": 50}})
    process = run.start_supervised()
    run.wait_for_checkpoint("orphan")
    children = subprocess.run(
        ["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=True
    )
    os.kill(int(children.stdout.split()[0]), signal.SIGKILL)
    assert run.end(process) == 0, run.text()
    assert "Snakemake was killed by signal 9; restarting Snakemake" in run.text()
    assert [job.state for job in run.jobs("orphan")] == ["COMPLETED"]


def test_a_second_process_on_a_cell_waits_and_exits(fault_run: MakeRun):
    run = fault_run({"wanted": {}})
    process = run.start()
    run.wait_for_checkpoint("wanted")
    second = subprocess.run(
        [
            sys.executable,
            run.project.scripts / "train_embedding.py",
            "--plan",
            run.folder / "plans/train_embedding/mnist/wanted/s0.json",
        ],
        cwd=run.project.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 0, second.stderr
    assert "waiting: train_embedding/mnist/wanted/s0 is in progress" in second.stderr
    assert "finished already, by another process or attempt" in second.stderr
    assert run.end(process) == 0, run.text()
    assert run.resumed_from("wanted") == []


def test_a_run_has_one_driver_at_a_time(fault_run: MakeRun):
    run = fault_run({"wanted": {}})
    process = run.start()
    run.wait_for_checkpoint("wanted")
    second = run.project.run_snakemake("embeddings", "--cores", "1", "--nolock", config=CONFIG)
    assert second.returncode != 0
    assert "Snakemake is already working on this run." in second.stdout + second.stderr
    assert run.end(process) == 0, run.text()
