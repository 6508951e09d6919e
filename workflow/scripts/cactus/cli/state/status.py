"""``cactus status``: the state of the grid."""

import argparse
import sys
from collections.abc import Iterable

from cactus.cli.text import columns, print_json
from cactus.cluster.clients import has_slurm
from cactus.config.printed.durations import duration
from cactus.errors import ClusterError, counted
from cactus.provenance.staleness.obstructions import note_closed, note_obstructions
from cactus.provenance.staleness.open_run import open_run
from cactus.provenance.staleness.planner import Planner
from cactus.provenance.staleness.status import (
    JobStatus,
    job_status,
    listed_states,
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
    note_closed(planner, planner.assess_all())
    stale = [job for job in statuses if planner.assess(job).stale]
    fresh = all(one.state == "fresh" for one in statuses.values())
    exit_code = 0 if not note_obstructions(planner, stale) and fresh else 1
    if arguments.json:
        jobs = [{**vars(one), "job": one.job.name} for one in statuses.values()]
        print_json(
            {"run": planner.run_folder.name, "folder": str(planner.run_folder), "jobs": jobs}
        )
        return exit_code
    rows = list(_job_rows(statuses.values()) if arguments.jobs else _cell_rows(planner, statuses))
    print(columns([("cell" if not arguments.jobs else "job", "state", "when", "took", ""), *rows]))
    listed = listed_states(status.state for status in statuses.values())
    print(f"\n{planner.run_folder.name}: {counted(len(statuses), 'job')}: {listed}")
    if text := planner.unlocked_versions(planner.jobs):
        print(text)
    return exit_code


def _queued(planner: Planner) -> dict[Job, str]:
    """Return the Slurm job and its state for each job of a run that is in the queue."""
    if not has_slurm():
        return {}
    from cactus.cluster.driver import job_names
    from cactus.cluster.queued import queued_jobs

    if not job_names(planner.run_folder):
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
