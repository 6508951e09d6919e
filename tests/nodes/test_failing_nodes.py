"""A node dies, another one hangs and wakes up: one writer, and the bits of a calm run."""

from collections import defaultdict
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from tests.cluster.faults import CONFIG, FaultRun, MakeRun
from tests.nodes.cluster import Node, NodesCluster

pytestmark = pytest.mark.cluster

NAMES = ("first", "second", "third", "fourth")
SCRIPT = "train_embedding.py"
# Slurm's step daemons, its batch scripts, and the two Snakemakes of each job.
JOB = ("slurmstepd", "slurm_script", "srun", "snakemake")


@dataclass
class Struck:
    """A finished run, and its trainings by what happened to their nodes."""

    run: FaultRun
    killed: list[str]
    hung: list[str]
    calm: list[str]
    changes: list[set[str]] = field(default_factory=list)


def content(run: FaultRun) -> dict[str, bytes]:
    """Return the content of all files of a run, except for logs."""
    paths = [path for path in run.folder.rglob("*") if path.is_file() and path.suffix != ".log"]
    return {path.relative_to(run.folder).as_posix(): path.read_bytes() for path in paths}


def _took_over(run: FaultRun, name: str) -> bool:
    return "taking over" in run.log(name)


def _ended(node: Node, parts: list[str]) -> bool:
    return not node.processes(*parts)


@pytest.fixture(scope="module")
def struck(nodes: NodesCluster, node_run: MakeRun) -> Struck:
    """Four trainings on three nodes; one node dies and comes back, the fullest one hangs.

    Of the two trainings on that node, one wakes up while its successor trains, and the other one
    when all is done.
    """
    run = node_run({name: {"pause": 0.75} for name in NAMES})
    process = run.start_supervised()
    run.wait_for_checkpoint(*NAMES)
    places = defaultdict(list)
    for name in NAMES:
        places[nodes.host_of(run.jobs(name)[0].id).host].append(name)
    hosts = sorted(places, key=lambda host: -len(places[host]))
    assert [len(places[host]) for host in hosts] == [2, 1, 1]
    hung, dead = (nodes.nodes[host] for host in hosts[:2])
    hung.freeze()
    dead.die()
    struck = Struck(run, *(places[host] for host in (dead.host, hung.host, hosts[2])))
    nodes.wait_for_node(dead.host, "down")
    nodes.wait_for_node(hung.host, "down")
    for name in (*struck.killed, *struck.hung):
        job = run.jobs(name)[0].id
        nodes.wait_for_state(job, "PENDING", "RUNNING")
        nodes.start_requeued(job)
    for name in (*struck.killed, *struck.hung):
        nodes.wait_for(partial(_took_over, run, name), f"a successor\n{run.log(name)}")
    dead.start()
    early = struck.hung[0]
    hung.thaw(f"{SCRIPT}\0--plan\0results/faults/plans/train_embedding/mnist/{early}/")
    nodes.wait_for(lambda: "LeaseError" in run.log(early, attempt=1), f"the loss of {early}")
    assert run.end(process) == 0, run.text()
    for woken in ([SCRIPT], [*JOB, SCRIPT], []):  # the rest of its jobs, and slurmd itself
        before = content(run)
        hung.thaw(*woken)
        if woken:
            nodes.wait_for(partial(_ended, hung, woken), f"the end of {woken}")
        else:
            nodes.wait_for_node(hung.host, "idle")
        after = content(run)
        names = {name for name in {*before, *after} if before.get(name) != after.get(name)}
        struck.changes.append(names)
    return struck


def test_trainings_of_lost_nodes_resume_elsewhere_in_the_same_slurm_job(struck: Struck):
    for name in (*struck.killed, *struck.hung):
        assert [job.state for job in struck.run.jobs(name)] == ["COMPLETED"]
        assert len(struck.run.resumed_from(name)) == 1
        assert "taking over" in struck.run.log(name)
    for name in struck.calm:
        assert struck.run.resumed_from(name) == []


def test_all_trainings_end_with_the_bits_of_an_uninterrupted_one(struck: Struck):
    struck.run.assert_equal_to_uninterrupted(*NAMES)


@pytest.mark.parametrize("which", [0, 1])
def test_a_process_that_wakes_up_too_late_notices(struck: Struck, which: int):
    log = struck.run.log(struck.hung[which], attempt=1)
    assert "LeaseError: Another process has taken over this job." in log


def test_a_process_that_wakes_up_too_late_changes_no_file(struck: Struck):
    assert struck.changes == [set(), set(), set()]


@pytest.mark.usefixtures("struck")
def test_nodes_that_come_back_take_jobs(nodes: NodesCluster, tmp_path: Path):
    for name in nodes.nodes:
        job = nodes.submit("hostname", "-w", name, "--mem=50", f"--output={tmp_path}/{name}")
        nodes.wait_for_state(job, "COMPLETED")
        assert (tmp_path / name).read_text() == f"{name}\n"


def test_nothing_is_left_to_do(struck: Struck):
    assert struck.run.project.stale_jobs("embeddings", config=CONFIG) == set()
