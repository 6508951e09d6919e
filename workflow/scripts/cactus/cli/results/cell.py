"""``cactus show``: all that there is about a cell: accuracies, files, and how they were made."""

import argparse
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any, Final

from cactus.cli.results.accuracies import lost_notes, measured
from cactus.cli.text import columns, print_json, seen
from cactus.config.printed.durations import duration
from cactus.provenance.execution.logs import log_path
from cactus.provenance.records.record import Record, record_path
from cactus.provenance.staleness.open_run import open_run
from cactus.provenance.staleness.planner import Planner
from cactus.provenance.staleness.status import JobStatus, job_status, local_time
from cactus.stages.base import Job

# What a file is, by the end of its name.
_KINDS: Final = {
    "model.safetensors": "model",
    "metrics.jsonl": "curve",
    "accuracies.csv": "episodes",
    "confusion.csv": "confusion",
    ".png": "picture",
    ".pdf": "picture",
}


def show_cell(arguments: argparse.Namespace) -> int:
    """Print what a cell has found, its files, and when, how long and where its jobs ran."""
    planner = open_run(arguments.run)
    jobs = planner.graph.find(arguments.cell)
    statuses = [job_status(planner, planner.assess(job)) for job in jobs]
    planner.project.tree.cache.save()
    found, lost = measured(planner, jobs)
    found = [one for one in found if one.cell == arguments.cell] or found  # of a baseline, its own
    files = [(what, job, seen(path, arguments)) for what, job, path in _files(planner, jobs)]
    if arguments.json:
        print_json(
            {
                "run": planner.run_folder.name,
                "cell": arguments.cell,
                "results": [{**one._asdict(), "setting": one.setting} for one in found],
                "jobs": [_facts(planner, one) for one in statuses],
                "files": [{"what": what, "job": job, "path": path} for what, job, path in files],
            }
        )
        return 0
    print(f"{arguments.cell} of {planner.run_folder.name}\n")
    if found:
        rows = [(one.cell, one.setting, one.percent, f"{one.episodes} episodes") for one in found]
        print(columns([("cell", "setting", "accuracy", ""), *rows]) + "\n")
    for line in lost_notes(planner, lost):
        print(f"{line}\n")
    titles = ("job", "state", "ended", "took", "device", "host", "")
    print(columns([titles, *(_row(planner, one) for one in statuses)]) + "\n")
    print(columns([("file", "job", "path"), *files]))
    return 0


def _row(planner: Planner, status: JobStatus) -> tuple[str, ...]:
    record = planner.record(status.job)
    when = local_time(status.ended), duration(status.seconds)
    return (status.job.name, status.state, *when, *_place(record), status.note)


def _place(record: Record | None) -> tuple[str, str]:
    """Return the device and the host on which a job ran."""
    if record is None:
        return "-", "-"
    device = record.agent.device or {}
    slurm = f", Slurm job {record.agent.slurm['job']}" if record.agent.slurm else ""
    return str(device.get("gpu") or device.get("device") or "cpu"), record.agent.host + slurm


def _facts(planner: Planner, status: JobStatus) -> dict[str, Any]:
    device, host = _place(planner.record(status.job))
    return {**vars(status), "job": status.job.name, "device": device, "host": host}


def _files(planner: Planner, jobs: list[Job]) -> Iterator[tuple[str, str, str]]:
    """Yield what each file is, its job and its path: of the jobs, and pictures made from them."""
    run = planner.run_folder
    for job in jobs:
        log, record = log_path(run, job), record_path(run, job)
        yield from (("log", job.name, str(log)) for _ in range(log.is_file()))
        yield from (("record", job.name, str(record)) for _ in range(record.is_file()))
        yield from _made(planner, job)
    for job in planner.graph.jobs:
        if job not in jobs and _reads(planner, job, jobs):
            yield from (one for one in _made(planner, job) if one[0] == "picture")


def _reads(planner: Planner, job: Job, jobs: list[Job]) -> bool:
    """Return whether a job reads what was made for this cell alone."""
    return any(
        one.job in jobs and one.job.cell == jobs[-1].cell for one in planner.graph.inputs(job)
    )


def _made(planner: Planner, job: Job) -> Iterator[tuple[str, str, str]]:
    """Yield the results of a job that someone would look at."""
    record = planner.record(job)
    for name in record.entities if record else ():
        for end, what in _KINDS.items():
            if PurePath(name).name.endswith(end) and (planner.run_folder / name).is_file():
                yield what, job.name, str(planner.run_folder / name)
