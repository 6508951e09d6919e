"""What the tests of crates share: names in the run that is exported, and short ways to read one."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cactus.provenance.staleness.open_run import open_run
from cactus.provenance.staleness.planner import Planner
from cactus.stages.base import Job
from tests.workflow.snake import ROOT

# Of a crate's JSON-LD.
Entity = dict[str, Any]
RUN = "results/small"
CELL = "omniglot/acai/maml/s0"
TRAINED = Job("meta_train", CELL)


def planner(folder: Path) -> Planner:
    return open_run("small", folder / "results")


def jobs(folder: Path) -> list[Job]:
    return [one.job for one in planner(folder).assess_all()]


def cactus(folder: Path, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "cactus.cli.main", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT / "workflow/scripts")},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def ids(value: Any) -> list[str]:
    """Return the identifiers of what a property refers to."""
    listed = value if isinstance(value, list) else [value]
    return [one["@id"] for one in listed]


def types(entity: Entity) -> set[str]:
    found = entity["@type"]
    return set(found if isinstance(found, list) else [found])


def of_type(graph: Mapping[str, Entity], kind: str) -> list[Entity]:
    return [one for one in graph.values() if kind in types(one)]


def files_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
