"""The Snakemake processes of a run: one at a time, and the names of the jobs they submitted."""

import atexit
import json
from pathlib import Path
from typing import Any, Final

from cactus.errors import ClusterError
from cactus.provenance.lease import Lease, lives, read_lease
from cactus.provenance.process import identity, place

HEADS_FILE: Final = "heads.jsonl"


def become_head(run_folder: Path) -> None:
    """Take the run for this Snakemake process until it ends.

    Raises
    ------
    ClusterError
        Another process works on the run, on whatever host.
    """
    if head := living_head(run_folder):
        raise ClusterError(
            "Snakemake already works on this run.",
            where=str(run_folder),
            got=head,
            fix="let it go on, or stop it by Ctrl-C in its terminal and start again",
        )
    lease = Lease(_folder(run_folder), f"the run in {run_folder}")
    lease.__enter__()
    atexit.register(lease.__exit__, None, None, None)


def living_head(run_folder: Path) -> str | None:
    """Return where a Snakemake process works on a run; None if none is known to."""
    folder = _folder(run_folder)
    holder = read_lease(folder)
    return f"a process {place(holder)}" if holder and lives(folder, holder) else None


def _folder(run_folder: Path) -> Path:
    return run_folder / "work" / "snakemake"


def note_job_name(run_folder: Path, job_name: str) -> None:
    """Note the name that all Slurm jobs of this process will have, before the first is submitted.

    By it they are found again when this process has died and left them behind.
    """
    line = json.dumps({"job_name": job_name, **identity()})
    with (run_folder / HEADS_FILE).open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def job_names(run_folder: Path) -> list[str]:
    """Return the names of all Slurm jobs that were ever submitted for a run, the last one last.

    A line that was cut by a crash names no jobs, as it was written before any was submitted.
    """
    path = run_folder / HEADS_FILE
    names = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else []:
        try:
            facts: dict[str, Any] = json.loads(line)
        except ValueError:
            continue
        names.append(str(facts["job_name"]))
    return names
