"""Results on a file system that shows files late on other hosts, as NFS does."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.faults import CONFIG, MakeRun
from tests.nodes.cluster import Node, NodesCluster

pytestmark = pytest.mark.cluster

NAMES = ("moved", "calm", "other")
# How long other hosts believe what they saw last. NFS says 3 to 60 by default.
SECONDS = 20


@pytest.fixture(scope="module")
def shared(nodes: NodesCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with nodes.late_files(tmp_path_factory.mktemp("late"), SECONDS) as folder:
        yield folder


def sees(node: Node, path: Path) -> bool:
    return subprocess.run(node.enter("test", "-e", str(path)), check=False).returncode == 0


def test_files_really_show_up_late(nodes: NodesCluster, shared: Path):
    first, second, _ = nodes.nodes.values()
    path = shared / "file"
    assert not sees(second, path)
    subprocess.run(first.enter("touch", str(path)), check=True)
    assert sees(first, path)
    assert not sees(second, path)
    nodes.wait_for(lambda: sees(second, path), "a late file", 3 * SECONDS)


def test_a_run_on_late_files_ends_with_the_same_bits(
    nodes: NodesCluster, node_run: MakeRun, shared: Path
):
    run = node_run({name: {} for name in NAMES}, folder=shared)
    process = run.start_supervised()
    run.wait_for_checkpoint(*NAMES)
    moved = run.jobs("moved")[0].id
    before = nodes.host_of(moved)
    update = ("scontrol", "update", f"NodeName={before.host}")
    nodes.run(*update, "State=DRAIN", "Reason=test")
    nodes.run("scontrol", "requeue", moved)
    nodes.wait_for_state(moved, "PENDING")
    nodes.start_requeued(moved)
    nodes.wait_for_state(moved, "RUNNING")
    nodes.run(*update, "State=RESUME")
    assert nodes.host_of(moved) is not before
    assert run.end(process) == 0, run.text()
    for name in NAMES:
        assert [job.state for job in run.jobs(name)] == ["COMPLETED"]
    run.assert_equal_to_uninterrupted(*NAMES)
    assert run.resumed_from("moved")
    assert run.project.stale_jobs("embeddings", config=CONFIG) == set()
