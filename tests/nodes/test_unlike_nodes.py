"""Nodes that see files late, as over NFS, whose clocks are wrong, and with another processor."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.cluster.faults import CONFIG, FaultRun, MakeRun
from tests.nodes.cluster import Node, NodesCluster

pytestmark = pytest.mark.cluster

NAMES = ("first", "second", "third")
# How long other hosts believe what they saw last. NFS says 3 to 60 by default.
SECONDS = 20


@pytest.fixture(scope="module")
def late(nodes: NodesCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    if not Path("/dev/fuse").exists():
        pytest.skip("this machine has no FUSE: no /dev/fuse")
    with nodes.late_files(tmp_path_factory.mktemp("late"), SECONDS) as folder:
        yield folder


def sees(node: Node, path: Path) -> bool:
    return subprocess.run(node.enter("test", "-e", str(path)), check=False).returncode == 0


def start(nodes: NodesCluster, run: FaultRun, clock: str, *words: str) -> subprocess.Popen[str]:
    """Start Python on the head, with the clock of a node."""
    variables = run.project.variables()
    return subprocess.Popen(
        [sys.executable, *words],
        cwd=run.project.folder,
        env={**nodes.environment, **variables, **nodes.clock_of(clock, variables["PYTHONPATH"])},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_late_files_wrong_clocks_and_two_processors(
    nodes: NodesCluster, node_run: MakeRun, late: Path
):
    for name, hours in (("node1", 0), ("node2", 1), ("node3", -1)):
        nodes.set_clock(name, hours)
    first, second, _ = nodes.nodes.values()
    path = late / "file"
    assert not sees(second, path)
    subprocess.run(first.enter("touch", str(path)), check=True)
    assert sees(first, path)
    assert not sees(second, path)  # files really show up late
    variables = {name: nodes.clock_of(name) for name in nodes.nodes}
    variables["node3"]["ATEN_CPU_CAPABILITY"] = "default"  # as on a plain x86-64 processor
    with nodes.job_environment(**variables):
        run = node_run({name: {"pause": 1.5} for name in NAMES}, folder=late)
        process = run.start_supervised()
        run.wait_for_checkpoint(*NAMES)
        # The last job of each: Snakemake retries one that a node could not start.
        jobs = {nodes.host_of(run.jobs(name)[-1].id).host: name for name in NAMES}
        assert sorted(jobs) == ["node1", "node2", "node3"]
        stayed, moved = jobs["node2"], jobs["node3"]
        plan = f"results/faults/plans/train_embedding/mnist/{stayed}/s0.json"
        script = str(run.project.scripts / "train_embedding.py")
        rival = start(nodes, run, "node1", script, "--plan", plan)
        for name, hours in (("node1", 1), ("node2", -1), ("node3", 1)):
            nodes.set_clock(name, hours)
        for clock in ("node1", "node2"):  # ahead, behind
            status = start(nodes, run, clock, "-m", "cactus.cli.main", "status", "faults")
            text = status.communicate(timeout=60)[0]
            assert "killed" not in text
            assert text.count(" running ") == 3, text
        nodes.move(run.jobs(moved)[-1].id)
        assert run.end(process) == 0, run.text()
    for name in NAMES:
        assert run.jobs(name)[-1].state == "COMPLETED"
        assert bool(run.resumed_from(name)) == (name == moved)
    run.assert_equal_to_uninterrupted(jobs["node1"], jobs["node2"])
    processors = [
        {one["torch"] for one in run.record(name)["activity"]["processors"]}
        for name in (moved, stayed)
    ]
    assert len(processors[0]) == 2
    assert processors[1] < processors[0]
    assert sees(second, path)
    told = rival.communicate(timeout=60)[0]
    assert rival.returncode == 0, told
    assert f"waiting: train_embedding/mnist/{stayed}/s0 is in progress on node2" in told
    assert "taking over" not in told
    assert "finished already, by another process or attempt" in told
    activity = run.record(stayed)["activity"]
    lasted = datetime.fromisoformat(activity["ended"]) - datetime.fromisoformat(activity["started"])
    assert lasted < timedelta(hours=-1)  # its clock was really set back by two hours
    assert 0 < activity["seconds"] < 600
    assert run.project.stale_jobs("embeddings", config=CONFIG) == set()
