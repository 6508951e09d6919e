"""The driver of a run: the Snakemake process that submits its jobs. There is one at a time."""

import atexit
import json
from pathlib import Path
from typing import Final

from cactus.errors import ClusterError
from cactus.provenance.execution.lease import Lease, lives, read_lease
from cactus.provenance.execution.process import identity, process_location
from cactus.provenance.records.facts import parse_facts

DRIVERS_FILE: Final = "drivers.jsonl"


def become_driver(run_folder: Path) -> None:
    """Make this Snakemake process the driver of a run until it exits.

    Raises
    ------
    ClusterError
        The run already has a driver, on this host or another.
    """
    if driver := living_driver(run_folder):
        raise ClusterError(
            "Snakemake is already working on this run.",
            where=str(run_folder),
            got=driver,
            fix="let it finish, or stop it with Ctrl-C in its terminal and start again",
        )
    lease = Lease(_folder(run_folder), f"the run in {run_folder}")
    lease.__enter__()
    atexit.register(lease.__exit__)


def living_driver(run_folder: Path) -> str | None:
    """Return where the driver of a run is; None if it has none, as far as this host can tell."""
    folder = _folder(run_folder)
    holder = read_lease(folder)
    return f"a process {process_location(holder)}" if holder and lives(folder, holder) else None


def _folder(run_folder: Path) -> Path:
    return run_folder / "work" / "snakemake"


def record_job_name(run_folder: Path, job_name: str) -> None:
    """Record the name that all Slurm jobs of this driver get, before it submits the first.

    If the driver dies, the next one finds the jobs by this name.
    """
    line = json.dumps({"job_name": job_name, **identity()})
    with (run_folder / DRIVERS_FILE).open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def job_names(run_folder: Path) -> list[str]:
    """Return the names of all Slurm jobs ever submitted for a run, oldest first.

    A line that a crash cut short, or that is damaged otherwise, is skipped: nothing had been
    submitted under its name.
    """
    path = run_folder / DRIVERS_FILE
    names = []
    for line in path.read_text(errors="replace").splitlines() if path.is_file() else []:
        try:
            names.append(str(parse_facts(line)["job_name"]))
        except (ValueError, KeyError):
            continue
    return names
