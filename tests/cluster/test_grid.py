"""The reduced grid on a real Slurm with the shipped profile, from images to tables."""

import pytest

from tests.cluster.grid import (
    CELLS,
    GPU_STAGES,
    GRID,
    LOCAL_STAGES,
    PROFILE,
    RUN,
    Facts,
    copy_project,
    facts,
    most_at_once,
)  # fmt: skip
from tests.cluster.slurm import SlurmCluster
from tests.workflow.project import Project

pytestmark = [pytest.mark.cluster, pytest.mark.workflow]


@pytest.fixture(scope="module")
def project(cluster: SlurmCluster, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The grid, run on the cluster with a profile that `cactus profile` fitted to it."""
    project = copy_project(tmp_path_factory.mktemp("slurm") / "project", cluster)
    code, output = project.cactus("profile")
    assert code == 0, output
    output = project.snakemake(*PROFILE, config=GRID)
    assert "of 24, 0 remain" in output, output
    return project


@pytest.fixture(scope="module")
def jobs(project: Project) -> dict[str, Facts]:
    return facts(project)


def test_every_cell_is_computed(project: Project):
    run = project.folder / "results" / RUN
    for cell in CELLS:
        assert (run / "evaluations" / cell / "summary.json").is_file()
        assert project.cactus("status", RUN)[1].count("fresh")
    assert (run / "tables/omniglot.tex").is_file()
    assert project.stale_jobs(config=GRID) == set()


def test_results_equal_those_of_a_local_run(jobs: dict[str, Facts], tmp_path):
    local = copy_project(tmp_path / "project")
    local.snakemake("--cores", "2", config=GRID)
    of_the_run = ("audit_run", "make_report")  # they tell of computers and times
    expected = {name: job.files for name, job in facts(local).items() if name not in of_the_run}
    assert {name: jobs[name].files for name in expected} == expected


def test_heavy_stages_run_on_slurm_and_small_ones_locally(jobs, cluster: SlurmCluster):
    states = {job.id: (job.state, job.partition) for job in cluster.jobs()}
    for job in jobs.values():
        if job.stage in LOCAL_STAGES:
            assert job.slurm is None
        else:
            partition = "gpu" if job.stage in GPU_STAGES else "cpu"
            assert states[job.slurm["job"]] == ("COMPLETED", partition)


def test_gpu_jobs_have_a_gpu_each_and_two_run_at_once(jobs: dict[str, Facts]):
    on_gpu = [job for job in jobs.values() if job.stage in GPU_STAGES]
    assert {job.slurm["gpus"] for job in on_gpu} == {"0", "1"}
    assert most_at_once(on_gpu) == 2
    for gpu in "01":
        assert most_at_once([job for job in on_gpu if job.slurm["gpus"] == gpu]) == 1
    others = [job for job in jobs.values() if job.stage not in GPU_STAGES and job.slurm]
    assert others
    assert all("gpus" not in job.slurm for job in others)


def test_logs_are_named_after_their_cell(project: Project, jobs: dict[str, Facts]):
    for name, job in jobs.items():
        text = (project.folder / "results" / RUN / "logs" / f"{name}.log").read_text()
        assert name in text
        if job.slurm:
            assert f"Slurm job {job.slurm['job']}" in text
