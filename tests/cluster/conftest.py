import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import database, faults, slurm
from tests.cluster.daemons import require
from tests.cluster.faults import FaultRun, MakeRun
from tests.cluster.slurm import SlurmCluster
from tests.workflow.project import Project


@pytest.fixture(scope="session")
def cluster() -> Iterator[SlurmCluster]:
    """A real one-node Slurm, which all tests of a session share."""
    yield from _started(slurm.missing(), accounting=False)


@pytest.fixture(scope="session")
def accounting_cluster() -> Iterator[SlurmCluster]:
    """A second one, with slurmdbd and MariaDB."""
    if os.environ.get("CACTUS_SLURM_ACCOUNTING") != "1":
        pytest.skip("needs slurmdbd and MariaDB, and CACTUS_SLURM_ACCOUNTING=1")
    yield from _started(slurm.missing() or database.missing(), accounting=True)


def _started(problem: str, accounting: bool) -> Iterator[SlurmCluster]:
    require(problem)
    with SlurmCluster(accounting=accounting) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with prepared data and one uninterrupted training, for tests to copy."""
    return faults.prepare(tmp_path_factory.mktemp("prepared") / "project")


@pytest.fixture
def fault_run(cluster: SlurmCluster, prepared: Project, tmp_path: Path) -> Iterator[MakeRun]:
    """Makes runs of trainings from settings and resources; the runs end with the test."""
    runs: list[FaultRun] = []

    def make(
        trainings: Mapping[str, Mapping[str, Any]], resources: Mapping[str, str] | None = None
    ) -> FaultRun:
        copy = prepared.copy(tmp_path / f"project{len(runs)}")
        runs.append(FaultRun(cluster, copy, trainings, resources))
        return runs[-1]

    yield make
    for run in runs:
        run.close()
