"""Jobs that are forks of a process with their libraries write what they write by themselves."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from preloaded.protocol import DRIVER
from tests.workflow.project import Project

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

JOBS = (
    "evaluate_model/omniglot/acai/maml/s0",
    "make_figure/training_curves-omniglot",
    "train_embedding/omniglot/acai/s0",
)
TARGETS = ("embeddings", "evaluations", "figures")


def test_preloaded_jobs_write_the_same_bytes(finished: Project, tmp_path: Path):
    # With variables of its own, a project's jobs are not forked by the tests.
    alone = Project(finished.copy(tmp_path / "alone").folder, {DRIVER: "off"})
    forked = Project(finished.copy(tmp_path / "forked").folder, {"OWN": "1"})
    assert not run_again(alone)
    assert run_again(forked)
    assert results(alone) == results(forked)


def run_again(project: Project) -> bool:
    """Run jobs of a finished run again; return whether a server was seen meanwhile.

    It ends soon after Snakemake does.
    """
    for job in JOBS:
        (project.run / f"records/{job}.json").unlink()

    def served() -> bool:
        return str(project.scripts / "preloaded/server.py") in words_of_processes()

    with ThreadPoolExecutor() as pool:
        run = pool.submit(project.snakemake, "--cores", "2", *TARGETS)
        seen = {served() for _ in until(run.done)}
        run.result()
    end = time.monotonic() + 30
    for _ in until(lambda: not served()):
        assert time.monotonic() < end
    return True in seen


def until(done: Callable[[], bool]) -> Iterator[None]:
    """Yield every half second until something is so."""
    while not done():
        yield
        time.sleep(0.5)


def words_of_processes() -> set[str]:
    """Return the words of the command lines of all processes."""
    return {word for one in psutil.process_iter(["cmdline"]) for word in one.info["cmdline"] or []}


def results(project: Project) -> dict[str, list[object]]:
    """Return the results of the jobs by their sha256, and what their bits depend on."""
    found: dict[str, list[object]] = {}
    for job in JOBS:
        record = json.loads((project.run / f"records/{job}.json").read_text())
        files = {name: one["sha256"] for name, one in record["entities"].items()}
        activity, device = record["activity"], record["agent"]["device"]
        found[job] = [files, activity["determinism"], activity["processors"], device]
    return found
