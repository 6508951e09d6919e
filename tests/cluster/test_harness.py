"""The test cluster is a real one: it schedules GPUs, requeues, preempts and kills."""

import subprocess
from pathlib import Path

import pytest

from tests.cluster.slurm import SlurmCluster

pytestmark = pytest.mark.cluster


def test_gpu_jobs_get_a_device_each_and_the_third_waits(cluster: SlurmCluster, tmp_path: Path):
    script = "echo $CUDA_VISIBLE_DEVICES; sleep 3"
    jobs = [
        cluster.submit(script, "-p", "gpu", request, f"--output={tmp_path}/{number}", "--mem=50")
        for number, request in enumerate(["--gpus=1", "--gres=gpu:1", "--gpus=1"])
    ]
    cluster.wait_for_state(jobs[2], "PENDING")
    for job in jobs:
        cluster.wait_for_state(job, "COMPLETED")
    seen = [(tmp_path / str(number)).read_text().strip() for number in range(3)]
    assert sorted(seen[:2]) == ["0", "1"]
    ends = [cluster.job(job)["EndTime"] for job in jobs[:2]]
    assert cluster.job(jobs[2])["StartTime"] >= min(ends)


def test_daemons_listen_on_loopback_only(cluster: SlurmCluster):
    lines = subprocess.run(
        ["ss", "-tlnpH"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    pids = {cluster.controller.process.pid, cluster.node.process.pid}
    ours = [line for line in lines if any(f"pid={pid}," in line for pid in pids)]
    assert len(ours) == 2
    assert all(line.split()[3].startswith("127.0.0.1:") for line in ours), ours


def test_jobs_survive_an_outage_of_the_controller(cluster: SlurmCluster, tmp_path: Path):
    job = cluster.submit("sleep 4; echo done", f"--output={tmp_path}/log", "--mem=50")
    cluster.wait_for_state(job, "RUNNING")
    cluster.stop_controller()
    assert cluster.run("squeue", check=False) == ""
    cluster.start_controller()
    cluster.wait_for_state(job, "COMPLETED")
    assert (tmp_path / "log").read_text() == "done\n"
