from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import faults
from tests.cluster.daemons import require
from tests.cluster.faults import FaultRun, MakeRun
from tests.nodes.cluster import NodesCluster, missing_tools
from tests.workflow.project import Project

# Seconds between renewals of a lease, and of silence after which it is taken over.
LEASE = {"RENEWAL_SECONDS": 2.0, "EXPIRY_SECONDS": 15.0}


@pytest.fixture(scope="session")
def nodes() -> Iterator[NodesCluster]:
    """A real Slurm of three nodes, which all tests of a session share."""
    require(missing_tools())
    with NodesCluster() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with prepared data, one uninterrupted training and short leases."""
    project = faults.prepare(tmp_path_factory.mktemp("prepared") / "project")
    path = project.scripts / "cactus/provenance/execution/lease.py"
    lines = path.read_text().splitlines()
    for name, seconds in LEASE.items():
        (at,) = [at for at, line in enumerate(lines) if line.startswith(f"{name}: Final = ")]
        lines[at] = f"{name}: Final = {seconds}"
    path.write_text("\n".join(lines))
    return project


@pytest.fixture(scope="module")
def node_run(
    nodes: NodesCluster, prepared: Project, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MakeRun]:
    """Makes runs of trainings from settings and resources; the runs end with the module."""
    runs: list[FaultRun] = []

    def make(
        trainings: Mapping[str, Mapping[str, Any]],
        resources: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> FaultRun:
        copy = prepared.copy((folder or tmp_path_factory.mktemp("run")) / "project")
        runs.append(FaultRun(nodes, copy, trainings, resources))
        return runs[-1]

    yield make
    for run in runs:
        run.close()
