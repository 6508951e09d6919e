"""Jobs that are forks of a process with their libraries write what they write by themselves."""

import json
import time
from pathlib import Path

import psutil
import pytest

from preloaded.protocol import DRIVER
from tests.workflow.project import CONFIG, Project

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

JOBS = (
    "evaluate_model/omniglot/acai/maml/s0",
    "make_figure/training_curves-omniglot",
    "measure_partitions/omniglot/acai/maml/s0",
    "train_embedding/omniglot/acai/s0",
)


def test_preloaded_jobs_write_the_same_bytes(finished: Project, tmp_path: Path):
    found = {}
    for how in "off", "":
        folder = tmp_path / (how or "preloaded")
        finished.copy(folder)
        # With variables of its own, a project's jobs are not forked by the tests.
        project = Project(folder, {DRIVER: how} if how else {"OWN": "1"})
        for job in JOBS:
            (project.run / f"records/{job}.json").unlink()
        project.snakemake("--cores", "2", config=CONFIG)
        found[how] = {job: entities(project, job) for job in JOBS}
    assert found["off"] == found[""]
    server = str(tmp_path / "preloaded/workflow/scripts/preloaded/server.py")
    end = time.monotonic() + 30
    while server in words_of_processes():
        assert time.monotonic() < end
        time.sleep(0.1)


def words_of_processes() -> set[str]:
    """Return the words of the command lines of all processes."""
    return {word for one in psutil.process_iter(["cmdline"]) for word in one.info["cmdline"] or []}


def entities(project: Project, job: str) -> dict[str, str]:
    """Return the sha256 of a job's results, and what its bits depend on."""
    record = json.loads((project.run / f"records/{job}.json").read_text())
    files = {name: one["sha256"] for name, one in record["entities"].items()}
    facts = [record["activity"][key] for key in ("determinism", "processors")]
    return {**files, "facts": json.dumps([facts, record["agent"]["device"]])}
