"""``cactus status``: the state of the grid; ``cactus plan``: what the next run would do."""

import argparse
import sys
from collections import Counter
from collections.abc import Iterable

from cactus.cli.text import columns
from cactus.cluster.clients import has_slurm
from cactus.cluster.queued import queued_jobs
from cactus.errors import ClusterError
from cactus.provenance.staleness.estimate import estimate
from cactus.provenance.staleness.open_run import open_run
from cactus.provenance.staleness.planner import Planner
from cactus.provenance.staleness.status import (
    STATES,
    JobStatus,
    duration,
    job_status,
    local_time,
    worst,
)
from cactus.stages.base import Job


def show_status(arguments: argparse.Namespace) -> int:
    """Print the state of every cell or job; return 0 if everything is fresh, else 1."""
    planner = open_run(arguments.run)
    queued = _queued(planner)
    statuses = {
        one.job: job_status(planner, one, queued.get(one.job, "")) for one in planner.assess_all()
    }
    planner.project.tree.cache.save()
    rows = list(_job_rows(statuses.values()) if arguments.jobs else _cell_rows(planner, statuses))
    print(columns([("cell" if not arguments.jobs else "job", "state", "when", "took", ""), *rows]))
    counts = Counter(status.state for status in statuses.values())
    listed = ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state])
    print(f"\n{planner.config.run}: {len(statuses)} jobs: {listed}")
    return 0 if set(counts) <= {"fresh"} else 1


def _queued(planner: Planner) -> dict[Job, str]:
    """Return the Slurm job and its state for each job of a run that is in the queue."""
    if not has_slurm():
        return {}
    try:
        found = queued_jobs(planner.config, planner.run_folder)
    except ClusterError as error:
        print(f"note: cannot tell which jobs are queued: {error.got}", file=sys.stderr)
        return {}
    return {
        one.job: f"Slurm job {one.slurm.id}, {one.slurm.state.lower()} ({one.slurm.reason})"
        for one in found
        if one.job is not None
    }


def _cell_rows(planner: Planner, statuses: dict[Job, JobStatus]) -> Iterable[tuple[str, ...]]:
    """Yield a row per cell of the grid, then one per job outside the cells' chains."""
    shown: set[Job] = set()
    for cell in planner.config.expanded_grid.cells:
        chain = planner.graph.find(cell.name)
        shown.update(chain)
        yield _row(cell.name, [statuses[job] for job in chain])
    yield from _job_rows(status for job, status in statuses.items() if job not in shown)


def _row(name: str, chain: list[JobStatus]) -> tuple[str, ...]:
    """Summarize the jobs of a cell: their worst state, latest end and total time."""
    state = worst([status.state for status in chain])
    seconds = [status.seconds for status in chain if status.seconds is not None]
    worst_ones = [status for status in chain if status.state == state]
    first = next((status for status in worst_ones if status.note), worst_ones[0])
    note = f"{first.job.stage}: {first.note}" if first.note else ""
    ended = max(status.ended for status in chain)
    took = duration(sum(seconds)) if len(seconds) == len(chain) else "-"
    return name, state, local_time(ended), took, note


def _job_rows(statuses: Iterable[JobStatus]) -> Iterable[tuple[str, ...]]:
    for one in statuses:
        yield one.job.name, one.state, local_time(one.ended), duration(one.seconds), one.note


def show_plan(arguments: argparse.Namespace) -> int:
    """Print which jobs the next run would do, why, and how long they would take."""
    planner = open_run(arguments.run)
    stale = [one for one in planner.assess_all() if one.stale]
    planner.project.tree.cache.save()
    if not stale:
        print(f"{planner.config.run}: nothing to do, all jobs are fresh")
        return 0
    guess = estimate(planner, [one.job for one in stale], arguments.at_once)
    own = [one for one in stale if any(reason.kind != "upstream" for reason in one.reasons)]
    rows = [("job", "about", "because")]
    for one in stale if arguments.all else own:
        rows.append((one.job.name, duration(guess.seconds[one.job]), str(one.reasons[0])))
    print(columns(rows))
    if len(own) < len(stale) and not arguments.all:
        print(f"and {len(stale) - len(own)} jobs that depend on these (--all lists them)")
    counts = Counter(one.job.stage for one in stale)
    listed = ", ".join(f"{count} {stage}" for stage, count in counts.items())
    print(f"\n{len(stale)} jobs: {listed}")
    unknown = f"; {guess.unknown} jobs are not counted: no record tells how long they take"
    print(
        f"about {guess.gpu_hours:.2f} GPU-hours and {guess.cpu_hours:.2f} CPU job-hours, "
        f"{duration(guess.wall_seconds)} with {arguments.at_once} jobs at once"
        f"{unknown if guess.unknown else ''}"
    )
    return 0
