"""``cactus top``: the running jobs of a run, by the files that they share with this computer."""

import argparse
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cactus.cli.text import columns, is_terminal, print_json
from cactus.provenance.execution.lease import held_folders, lives, read_lease
from cactus.provenance.execution.process import process_location
from cactus.provenance.staleness.run_folders import find_run_folder, runs_by_time
from snakemake_logger_plugin_cactus.jobs import Progress, clock, read_progress, said_last

if TYPE_CHECKING:
    from rich.table import Table

_SECONDS: Final = 2.0
_TITLES: Final = ("job", "for", "step", "rate", "left", "metrics or last line", "where")
_DRIVER: Final = "snakemake"  # the lease of Snakemake itself


class RunningNow(NamedTuple):
    """A job that runs now; without progress in steps, `said` is what its log says last."""

    job: str
    seconds: float
    where: str
    progress: Progress | None
    said: str

    def row(self) -> tuple[str, ...]:
        """Return it as a row of the table."""
        found = self.progress
        if found is None:
            return self.job, clock(self.seconds), "", "", "", self.said, self.where
        rate = "" if found.rate is None else f"{found.rate:.3g}/s"
        left = "" if found.seconds_left is None else clock(found.seconds_left)
        metrics = " ".join(found.named_metrics)
        step = f"{found.step}/{found.steps}"
        return self.job, clock(self.seconds), step, rate, left, metrics, self.where


def show_top(arguments: argparse.Namespace) -> int:
    """Print the running jobs once; on a terminal, until Ctrl-C."""
    folder = find_run_folder(arguments.run)
    found = list(running_now(folder))
    if arguments.json:
        print_json({"run": folder.name, "jobs": list(map(_facts, found))})
    elif not found:
        print(f"{folder.name}: no job is running")
        for line in _others(folder):
            print(line)
    elif is_terminal():
        _watch(folder)
    else:
        print(columns([_TITLES, *(one.row() for one in found)]))
    return 0


def running_now(folder: Path) -> Iterator[RunningNow]:
    """Yield the jobs of a run that run now, on this computer or another.

    Raises
    ------
    PermissionError
        A folder of the run is closed.
    """
    work = folder / "work"
    for place in held_folders(work):
        name, holder = place.relative_to(work).as_posix(), read_lease(place)
        if name != _DRIVER and holder is not None:
            progress = read_progress(place)
            said = "" if progress else said_last(folder / "logs" / f"{name}.log")
            yield RunningNow(name, _since(holder), process_location(holder), progress, said)


def is_driven(folder: Path) -> bool:
    """Return whether Snakemake works on a run now, also between two jobs."""
    place = folder / "work" / _DRIVER
    try:
        holder = read_lease(place)
    except OSError:  # something else is in the place of a folder, or it is closed
        return False
    return holder is not None and lives(place, holder)


def _since(holder: dict[str, Any]) -> float:
    """Return the seconds since a job started; 0 if its lease does not say."""
    try:
        started = datetime.fromisoformat(str(holder.get("started")))
        return max(0.0, (datetime.now(UTC) - started).total_seconds())
    except (ValueError, TypeError):
        return 0.0


def _others(folder: Path) -> Iterator[str]:
    """Yield the other runs that have running jobs."""
    for name in runs_by_time(folder.parent):
        number = sum(1 for _ in running_now(folder.parent / name))
        if number and name != folder.name:
            yield f"{name}: {number} running, see `cactus top {name}`"


def _facts(one: RunningNow) -> dict[str, Any]:
    progress = asdict(one.progress) if one.progress else None
    return {**one._asdict(), "progress": progress}


def _watch(folder: Path) -> None:
    """Show the running jobs until the user stops it."""
    from rich.live import Live

    with Live(_table(folder), auto_refresh=False) as live:
        while True:
            time.sleep(_SECONDS)
            live.update(_table(folder), refresh=True)


def _table(folder: Path) -> "Table":
    from rich.table import Table
    from rich.text import Text

    found = list(running_now(folder))
    caption = f"{folder.name}: {len(found)} running; Ctrl-C ends this view"
    table = Table(*_TITLES, box=None, caption=caption, caption_justify="left", padding=(0, 1, 0, 0))
    for one in found:
        table.add_row(*map(Text, one.row()))
    return table
