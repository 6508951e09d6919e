"""The driver of a run: the Snakemake process that submits its jobs. There is one at a time."""

import atexit
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from cactus.errors import ClusterError
from cactus.exits import message_alone
from cactus.provenance.execution.lease import EXPIRY_SECONDS, Lease, lives, read_lease
from cactus.provenance.execution.process import identity, is_alive, process_location
from cactus.provenance.records.facts import parse_facts
from cactus.provenance.staleness.planned_config import PlannedConfig

DRIVERS_FILE: Final = "drivers.jsonl"
_DEFAULT_LIMIT: Final = (100, 1)  # jobs, seconds


def let_plans_decide(workflow: Any, run_folder: Path, source: PlannedConfig) -> None:
    """Let the plans alone say what runs, and the run's lease alone who may run it.

    Once that is clear, the run's configuration is saved; a dry run leaves it as it is.

    Else Snakemake would also look at rules, inputs and software, which the plans know better, and
    stop after a kill: at its lock, which does not say whose it is, and at its marks of files that
    a job had not finished. Results appear as a whole, and only with their record do they count.

    Call it while Snakemake builds its graph of jobs: before, there is no graph, and the profile and
    the command line still come.

    Parameters
    ----------
    workflow
        Snakemake's workflow.
    run_folder
        Folder of the run.
    source
        Its configuration.
    """
    from snakemake.settings.types import RerunTrigger  # type: ignore[import-untyped]

    workflow.dag_settings.rerun_triggers = frozenset([RerunTrigger.MTIME])
    workflow.dag.ignore_incomplete = True
    alone = partial(refuse_another, run_folder), partial(source.write, run_folder)
    lost = (partial(source.write_if_lost, run_folder),)
    workflow.persistence.lock = partial(_first, lost if workflow.dryrun else alone)
    # Snakemake must not cache its listings of folders: plans are added meanwhile. Nor does a dry
    # run keep them for the next one, so that it works where nothing can be written, too.
    workflow.iocache.remaining_wait_time = 0
    workflow.persistence.save_iocache = lambda: None


def spare_scheduler(workflow: Any) -> None:
    """Turn off Snakemake's default limit of 100 new jobs a second, which no run of ours reaches.

    For it, Snakemake 9 looks at all waiting jobs again a second after each look, and each job that
    ends starts one more such chain: after 1,000 jobs, it does so 1,000 times a second. A limit that
    a profile or the command line sets stays. Call it like `let_plans_decide`.
    """
    settings = workflow.scheduling_settings
    limit = settings and settings.max_jobs_per_timespan
    if limit and (limit.max_jobs, limit.timespan) == _DEFAULT_LIMIT:
        settings.max_jobs_per_timespan = None


@contextmanager
def _first(steps: Iterable[Callable[[], None]]) -> Iterator[None]:
    """Stand for Snakemake's lock, which it takes before it starts any job: do this instead."""
    with message_alone():
        for step in steps:
            step()
    yield


def become_driver(run_folder: Path) -> None:
    """Make this Snakemake process the driver of a run until it exits.

    A process of this host that is gone has lost the run. Of one before a restart of this host, or
    in another container of its name, that shows only if it stays silent.

    Raises
    ------
    ClusterError
        The run already has a driver, on this host or another.
    """
    refuse_another(run_folder)
    lease = Lease(_folder(run_folder), f"the run in {run_folder}")
    lease.__enter__()
    atexit.register(lease.__exit__)


def refuse_another(run_folder: Path) -> None:
    """Refuse to work on a run beside a living driver.

    Raises
    ------
    ClusterError
        The run has a driver, on this host or another.
    """
    folder, end = _folder(run_folder), time.monotonic() + EXPIRY_SECONDS
    holder = first = read_lease(folder)
    if holder and is_alive(holder) is None and holder.get("host") == socket.gethostname():
        if lives(folder, holder):
            where = f"a process {process_location(holder)}"
            wait = f"waiting for at most {EXPIRY_SECONDS:.0f} s to see whether it is gone"
            print(f"note: {where} worked on this run before a restart; {wait}", file=sys.stderr)
        while holder == first and lives(folder, holder) and time.monotonic() < end:
            time.sleep(1)
            holder = read_lease(folder) or {}
    if driver := living_driver(run_folder):
        raise ClusterError(
            "Snakemake is already working on this run.",
            where=str(run_folder),
            got=driver,
            fix="let it finish, or stop it with Ctrl-C in its terminal and start again",
        )


def living_driver(run_folder: Path) -> str | None:
    """Return where the driver of a run is; None if it has none, as far as this host can tell."""
    folder = _folder(run_folder)
    holder = read_lease(folder)
    return f"a process {process_location(holder)}" if holder and lives(folder, holder) else None


def is_of_terminal(number: int) -> bool:
    """Return whether a signal to this process is Ctrl-C, which a terminal sends its children, too.

    Snakemake must not get it twice: the second one would end it before it says what it has done.
    """
    streams = (one for one in range(3) if os.isatty(one))
    return number == signal.SIGINT and any(os.tcgetpgrp(one) == os.getpgrp() for one in streams)


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
