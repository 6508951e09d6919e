"""`cactus profile` fits the profile to a real cluster, and refuses what the cluster lacks."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yte

from tests.cluster.grid import GRID, PROFILE, RUN, copy_project, facts
from tests.cluster.slurm import SlurmCluster
from tests.workflow.project import ROOT, Project

pytestmark = pytest.mark.cluster
SHIPPED = ROOT / "config/profiles/slurm/config.yaml"


@pytest.fixture(scope="module")
def copied(cluster: SlurmCluster, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return copy_project(tmp_path_factory.mktemp("profile") / "project", cluster)


@pytest.fixture(scope="module")
def with_models() -> Iterator[SlurmCluster]:
    """A second cluster beside the first, whose GPUs have a model and shards."""
    with SlurmCluster(gpu_model="a100", shards=4) as cluster:
        yield cluster


def read(file: Path) -> dict[str, dict[str, dict[str, str]]]:
    with file.open() as stream:
        return yte.process_yaml(stream, require_use_yte=True)


def test_it_fills_in_what_the_cluster_has_and_keeps_the_rest(copied: Project):
    code, output = copied.cactus("profile", "--output", "mine")
    assert code == 0, output
    assert "gpu: gpu:2, 1440 min" in output
    shipped, mine = (
        path.read_text().splitlines() for path in (SHIPPED, copied.folder / "mine/config.yaml")
    )
    changed = [new.strip() for old, new in zip(shipped, mine, strict=True) if new != old]
    assert changed[:4] == [
        'cpu_partition: "cpu"', 'gpu_partition: "gpu"', 'gpu_request: "gpus"', "cpu_minutes: 1440",
    ]  # fmt: skip
    assert all(": " in line for line in changed)


def test_snakemake_reads_its_profile(copied: Project):
    copied.cactus("profile", "--output", "mine")
    assert "meta_train omniglot/acai/maml/s0" in copied.snakemake(
        "--profile", "mine", "--dry-run", config=GRID
    )


def test_a_request_by_gres_and_model_reaches_slurm(with_models: SlurmCluster, tmp_path: Path):
    project = Project.create(tmp_path / "project")
    project.environment = with_models.environment
    asked = ("--gpu-model", "a100", "--gpu-request", "gres", "--account", "12345")
    code, output = project.cactus("profile", *asked)
    assert code == 0, output
    profile = read(project.folder / "slurm/config.yaml")
    training = profile["set-resources"]["meta_train"]
    assert training["gpu"] == 0
    alone = "'gpu:a100:1' if ($CACTUS_JOBS_PER_GPU == 1 or attempt > 1) else 'shard:"
    assert training["gres"].startswith(f"({alone}")
    assert profile["default-resources"]["slurm_account"] == "'12345'"
    options = ("--test-only", "--partition=gpu", "--gres=gpu:a100:1", "--wrap=true")
    with_models.run("sbatch", *options)


def test_jobs_that_share_a_gpu_get_shards_of_it(with_models: SlurmCluster, tmp_path: Path):
    project = copy_project(tmp_path / "project", with_models)
    code, output = project.cactus("profile")
    assert code == 0, output
    assert "gpu: gpu:a100:2, 4 shards each" in output
    target = f"results/{RUN}/evaluations/omniglot/scratch/maml/s0/summary.json"
    project.snakemake(target, *PROFILE, "--config", "gpus={jobs_per_gpu: 2}", config=GRID)
    job = next(one for one in facts(project).values() if one.stage == "evaluate_model")
    assert job.slurm["gpus"] in ("0", "1")
    assert "gres:shard:2" in with_models.job(job.slurm["job"])["TresPerNode"]


def test_sharing_is_refused_where_gpus_have_no_shards(copied: Project):
    code, output = copied.cactus("profile", "--output", "mine")
    assert code == 0, output
    target = f"results/{RUN}/evaluations/omniglot/scratch/maml/s0/summary.json"
    done = copied.run_snakemake(
        target, "--profile", "mine", "--config", "gpus={jobs_per_gpu: 2}", config=GRID
    )
    assert done.returncode != 0
    assert "where: gpus.jobs_per_gpu" in done.stdout + done.stderr
    assert "got:   2, and --gpus=1 for rule evaluate_model" in done.stdout + done.stderr
    assert not (copied.folder / f"results/{RUN}/data").exists()


@pytest.mark.parametrize(
    ("options", "got", "fix"),
    [
        (["--gpu-partition", "gqu"], "gqu", "choose one of cpu, gpu, low, lowcancel"),
        (["--cpu-partition", "long"], "long", "choose one of cpu, gpu, low, lowcancel"),
        (["--gpu-model", "h100"], "h100; it has gpu:a100:2", "choose one of a100"),
    ],
)
def test_what_the_cluster_lacks_is_refused_with_what_it_has(
    options: list[str], got: str, fix: str, with_models: SlurmCluster, copied: Project
):
    project = Project(copied.folder, with_models.environment)
    code, output = project.cactus("profile", *options)
    assert code == 10
    assert f"got:   {got}" in output
    assert f"fix:   {fix}" in output
    assert (copied.folder / "slurm/config.yaml").read_text() == SHIPPED.read_text()


def test_without_slurm_it_says_so(copied: Project, tmp_path: Path):
    for program in ("bash", "env", "git"):
        (tmp_path / program).symlink_to(shutil.which(program))
    project = Project(copied.folder, {**os.environ, "PATH": str(tmp_path)})
    runs = sorted((copied.folder / "results").glob("*"))
    for command in ("profile", "run"):
        code, output = project.cactus(command)
        assert code == 10
        assert "Slurm's commands are not installed on this machine." in output
    assert sorted((copied.folder / "results").glob("*")) == runs


def test_with_a_silent_controller_it_says_so(with_models: SlurmCluster, copied: Project):
    with_models.stop_controller()
    try:
        code, output = Project(copied.folder, with_models.environment).cactus("profile")
    finally:
        with_models.start_controller()
    assert code == 10
    assert "Slurm does not answer as expected." in output


@pytest.mark.accounting
def test_with_accounting_it_takes_sacct_and_the_account(
    accounting_cluster: SlurmCluster, copied: Project
):
    project = Project(copied.folder, accounting_cluster.environment)
    code, output = project.cactus("profile", "--output", "mine")
    assert code == 0, output
    assert "yours are research, root" in output
    code, output = project.cactus("profile", "--output", "mine", "--account", "research")
    assert code == 0, output
    text = (copied.folder / "mine/config.yaml").read_text()
    assert 'account: "research"' in text
    assert 'status_command: "sacct"' in text
    code, output = project.cactus("profile", "--account", "wrong")
    assert code == 10
    assert "choose one of research, root" in output


@pytest.mark.accounting
def test_a_run_with_accounting_is_charged_to_its_account(
    accounting_cluster: SlurmCluster, tmp_path: Path
):
    project = copy_project(tmp_path / "project", accounting_cluster)
    code, output = project.cactus("profile", "--account", "research")
    assert code == 0, output
    target = f"results/{RUN}/evaluations/omniglot/scratch/maml/s0/summary.json"
    project.snakemake(target, *PROFILE, config=GRID)
    assert (project.folder / target).is_file()
    told = accounting_cluster.run("sacct", "-nPX", "--format=Account,State,AllocTRES%80")
    rows = [line.split("|") for line in told.splitlines()]
    assert {(row[0], row[1]) for row in rows} == {("research", "COMPLETED")}
    assert sum("gres/gpu=1" in row[2] for row in rows) == 1
