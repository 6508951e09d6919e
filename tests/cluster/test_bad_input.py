"""A request that the cluster refuses is reported before anything is submitted, with the fix."""

import shutil
from pathlib import Path

import pytest

from tests.cluster.faults import CONFIG, FaultRun, MakeRun, write_config
from tests.cluster.slurm import SlurmCluster
from tests.workflow.project import Project

pytestmark = pytest.mark.cluster

KEYS = "gpu_model, or the row of the rule in memory"
CASES = {
    "partition": ({"slurm_partition": "nosuch"}, "cpu_partition or gpu_partition"),
    "model": ({"gres": "gpu:h100:1"}, KEYS),
    "memory": ({"mem_mb": "10000000"}, KEYS),
}


@pytest.mark.parametrize("case", CASES)
def test_an_impossible_request_is_refused_before_submission(fault_run: MakeRun, case: str):
    resources, key = CASES[case]
    run = fault_run({"wanted": {}}, resources)
    assert run.end(run.start(), 60) != 0
    assert "ClusterError" in run.text()
    assert "Slurm would refuse the jobs of a rule." in run.text()
    assert "rule train_embedding: sbatch" in run.text()
    assert key in run.text()
    assert "cpu (default): gpu:2, 1440 min; gpu: gpu:2, 1440 min" in run.text()
    assert run.jobs("wanted") == []


def test_a_model_that_only_the_plugin_refuses_is_refused_before_submission(fault_run: MakeRun):
    run = fault_run({"wanted": {}}, {"gres": "gpu:a100-40g:1"})
    assert run.end(run.start(), 60) != 0
    assert "Snakemake's Slurm plugin would refuse the jobs of a rule." in run.text()
    assert "where: rule train_embedding" in run.text()
    assert "Invalid GRES format: gpu:a100-40g:1" in run.text()
    assert "ClusterError in file" not in run.text()
    assert run.jobs("wanted") == []


def test_an_unknown_account_is_refused(
    accounting_cluster: SlurmCluster, prepared: Project, tmp_path: Path
):
    run = FaultRun(
        accounting_cluster, prepared.copy(tmp_path / "project"), {"wanted": {}},
        {"slurm_account": "nosuch"},
    )  # fmt: skip
    assert run.end(run.start(), 60) != 0
    assert "account" in run.text()
    assert run.jobs("wanted") == []


def test_a_machine_without_slurm_is_reported(prepared: Project, tmp_path: Path):
    project = prepared.copy(tmp_path / "project")
    write_config(project, {"wanted": {}})
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("bash", "env", "git", "sh", "which"):
        found = shutil.which(name)
        assert found is not None
        (programs / name).symlink_to(found)
    project.environment = {"PATH": str(programs)}
    done = project.run_snakemake("--profile", "slurm", "embeddings", config=CONFIG)
    assert done.returncode != 0
    assert "Slurm's commands are not installed on this machine" in done.stdout + done.stderr
