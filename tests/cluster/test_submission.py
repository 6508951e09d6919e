"""Jobs that Slurm does not take at once, or loses on the way, and heads in unusual places."""

import sys
from datetime import datetime
from pathlib import Path

import pytest

from tests.cluster.faults import FaultRun, MakeRun
from tests.cluster.slurm import SlurmCluster

pytestmark = pytest.mark.cluster

QUICK = {"steps": 5, "pause": 0.1}
# Defaults of a user that would hide partitions and jobs, or change what is submitted.
MISLEADING = {
    "SQUEUE_PARTITION": "low", "SQUEUE_STATES": "R", "SQUEUE_USERS": "nobody",
    "SQUEUE_FORMAT": "%i", "SINFO_PARTITION": "low", "SBATCH_ARRAY_INX": "0-3",
    "SLURM_CLUSTERS": "elsewhere", "SLURM_TIME_FORMAT": "relative",
}  # fmt: skip
# At most two jobs in the queue, one answer that is lost, and one account that does not exist.
SBATCH = """#!/bin/sh
case " $* " in *" --test-only "*) exec "$REAL/sbatch" "$@" ;; esac
comment=$(echo " $*" | sed 's/.*--comment \\([^ ]*\\) .*/\\1/')
echo "$comment" >> "$CALLS"
case $comment in *_refused_*) echo "sbatch: error: Invalid account" >&2; exit 1 ;; esac
if [ "$("$REAL/squeue" -h --name "$(echo " $*" | sed 's/.*--job-name \\([^ ]*\\) .*/\\1/')" | wc -l)" -ge 2 ]
then
  echo "sbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)" >&2
  exit 1
fi
"$REAL/sbatch" "$@" || exit
case $comment in
  *_lost_*)
    if mkdir "$CALLS.lost" 2> /dev/null
    then
      echo "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation" >&2
      exit 1
    fi ;;
esac
"""  # noqa: E501
SRUN = """#!/bin/sh
case "$(squeue -h -j "$SLURM_JOB_ID" -o %k)" in
  *_dead_*) echo "srun: error: Unable to create step: Invalid generic resource" >&2; exit 1 ;;
esac
exec "$REAL/srun" "$@"
"""


def memory(cluster: SlurmCluster, run: FaultRun, name: str) -> list[str]:
    return [cluster.job(job.id)["MinMemoryNode"] for job in run.jobs(name)]


def test_limits_and_lost_answers_cost_no_attempt_and_early_deaths_are_named(
    cluster: SlurmCluster, fault_run: MakeRun, tmp_path: Path
):
    run = fault_run(dict.fromkeys(("lost", "second", "third", "refused", "dead"), QUICK))
    for name, text in (("sbatch", SBATCH), ("srun", SRUN)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    path = f"{tmp_path}:{Path(sys.executable).parent}:{cluster.environment['PATH']}"
    calls = tmp_path / "calls"
    run.variables = {"PATH": path, "REAL": f"{cluster.folder}/bin", "CALLS": str(calls)}
    assert run.end(run.start("--retries", "1")) == 1, run.text()
    for name in ("lost", "second", "third"):
        assert [job.state for job in run.jobs(name)] == ["COMPLETED"], run.text()
        assert memory(cluster, run, name) == ["1500M"]
        assert run.record(name)["agent"]["slurm"]["job"] == run.jobs(name)[0].id
    assert f"found Slurm job {run.jobs('lost')[0].id} of train_embedding" in run.text()
    assert "waiting: Slurm accepts no more jobs at present; set max_jobs" in run.text()
    # What Slurm refuses for good is not tried again.
    assert calls.read_text().count("_refused_") == 1
    assert run.jobs("refused") == []
    assert memory(cluster, run, "dead") == ["1500M", "1500M"]
    closing = run.text().rpartition("2 jobs failed:")[2]
    assert "mnist/refused/s0: it was not submitted: SLURM sbatch failed." in closing
    assert "Invalid account" in closing
    assert "mnist/dead/s0: it ended early: srun: error: Unable to create step" in closing
    assert f"rule_train_embedding/mnist_dead_0/{run.jobs('dead')[-1].id}.log" in closing
    assert "srun: error: Unable to create step" in run.text()
    assert "no job failed" not in run.text()
    assert "mnist/dead/protonets/s0" in run.project.cactus("status", "faults")[1]


def test_a_killed_snakemake_with_jobs_unsent_is_taken_over_at_once(
    cluster: SlurmCluster, fault_run: MakeRun
):
    run = fault_run({"sent": {"steps": 150}, "unsent": QUICK, "later": QUICK})
    run.variables = MISLEADING
    process = run.start(
        "--jobs", "1", "--prioritize", "results/faults/records/train_embedding/mnist/sent/s0.json"
    )
    cluster.wait_for(lambda: any(map(run.jobs, ("sent", "unsent", "later"))), "a job", 90)
    (first,) = [name for name in ("sent", "unsent", "later") if run.jobs(name)]
    assert first == "sent", run.text()
    run.wait_for_checkpoint("sent")
    process.kill()
    process.wait()
    assert run.end(run.start_supervised(snakemake=["--jobs", "2"])) == 0, run.text()
    assert "adopted train_embedding/mnist/sent/s0: Slurm job" in run.text()
    assert "SQUEUE_PARTITION" in run.text()
    ended = datetime.fromisoformat(run.record("sent")["activity"]["ended"])
    for name in ("sent", "unsent", "later"):
        assert [job.state for job in run.jobs(name)] == ["COMPLETED"]
    for name in ("unsent", "later"):
        assert datetime.fromisoformat(run.record(name)["activity"]["ended"]) < ended, run.text()


def test_inside_an_allocation_with_a_configuration_of_its_own_on_a_drained_node(
    cluster: SlurmCluster, fault_run: MakeRun
):
    run = fault_run({"wanted": QUICK})
    path = cluster.environment["PATH"].replace(f"{cluster.folder}/bin:", "")
    run.variables = {"PATH": f"{Path(sys.executable).parent}:{path}"}  # Slurm's own programs
    update = f"scontrol update NodeName={cluster.host}"
    drain = f'{update} State=DRAIN Reason="bad disk"; exec "$@"'
    run.launcher = ("salloc", "--quiet", "--mem=50", "sh", "-c", drain, "sh")
    process = run.start()
    try:
        cluster.wait_for(lambda: run.jobs("wanted"), f"a job\n{run.text()}")
        assert "note: jobs of rule train_embedding will wait: node" in run.text()
        assert "(bad disk)" in run.text()
        assert [job.state for job in run.jobs("wanted")] == ["PENDING"]
    finally:
        cluster.run(*update.split(), "State=RESUME")
    assert run.end(process) == 0, run.text()
    assert [job.state for job in run.jobs("wanted")] == ["COMPLETED"]
    assert [job.id for job in cluster.jobs() if job.name == "cactus_check" and not job.over] == []
