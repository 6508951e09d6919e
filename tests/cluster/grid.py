"""The reduced grid that the tests run on Slurm, and facts from its records."""

import json
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from tests.cluster.slurm import SlurmCluster
from tests.workflow.project import CONFIG, ROOT, Project

GRID = (*CONFIG, "config/grid.yaml")
RUN = "cluster"
CELLS = (
    "omniglot/acai/maml/s0",
    "omniglot/bigan/protonets/s0",
    "omniglot/scratch/maml/s0",
)
# The shipped profile, with a shorter wait before the first status check.
PROFILE = ("--profile", "slurm", "--slurm-init-seconds-before-status-checks", "3")
# Jobs of these stages request a GPU.
GPU_STAGES = ("train_embedding", "make_partitions", "meta_train", "evaluate_model")
LOCAL_STAGES = (
    "make_synthetic_data", "aggregate_results", "make_table", "make_document", "make_figure",
    "audit_run", "make_report",
)  # fmt: skip


class Facts(NamedTuple):
    """What a record says about how a job ran."""

    stage: str
    started: datetime
    ended: datetime
    slurm: dict[str, str] | None
    files: dict[str, str]


def copy_project(folder: Path, cluster: SlurmCluster | None = None) -> Project:
    """Copy the project, with the reduced grid, to run on a cluster or on this machine."""
    project = Project.create(folder)
    shutil.copy(ROOT / "tests/cluster/grid.yaml", folder / "config/grid.yaml")
    if cluster:  # jobs compute on the CPU, but should queue for the stand-in GPUs
        project.environment = {**cluster.environment, "CACTUS_GPUS": "1"}
    return project


def facts(project: Project) -> dict[str, Facts]:
    """Read the records of all jobs, by job name."""
    records = project.folder / "results" / RUN / "records"
    return {
        path.relative_to(records).with_suffix("").as_posix(): _facts(json.loads(path.read_text()))
        for path in sorted(records.rglob("*.json"))
    }


def most_at_once(jobs: list[Facts]) -> int:
    """Return how many of the given jobs ran at the same time, at most."""
    events = [(job.started, 1) for job in jobs] + [(job.ended, -1) for job in jobs]
    running, most = 0, 0
    for _, change in sorted(events):
        running += change
        most = max(most, running)
    return most


def _facts(record: dict[str, Any]) -> Facts:
    activity = record["activity"]
    return Facts(
        activity["plan"]["stage"],
        datetime.fromisoformat(activity["started"]),
        datetime.fromisoformat(activity["ended"]),
        record["agent"]["slurm"],
        {name: entity["sha256"] for name, entity in record["entities"].items()},
    )
