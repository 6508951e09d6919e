"""``cactus`` alone: the runs that are here, and what can be done next."""

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import Final, NamedTuple

from cactus.cli.state.top import is_driven, running_now
from cactus.cli.study.init import free_name, waiting_studies
from cactus.cli.text import columns, print_json
from cactus.cores import usable_cores
from cactus.errors import CactusError
from cactus.provenance.records.record import record_path
from cactus.provenance.staleness.open_run import open_run
from cactus.provenance.staleness.run_folders import note_what_is_no_run, planned_at, runs_by_time
from cactus.provenance.staleness.status import job_status, listed_states, local_time, worst
from cactus.refusals import explained

_RESULTS: Final = Path("results")
_OF_COPY: Final = "; a copy, in which no job runs"
_DEMO: Final = Path("config/demo.yaml")


class _Run(NamedTuple):
    """A run: its state in a word and in numbers, when it was planned, and a job to look at.

    No job runs in a copy, whose configuration puts results elsewhere.
    """

    name: str
    state: str
    jobs: str
    planned: str
    job: str = ""
    copy: bool = False


class _Step(NamedTuple):
    """A command, and what it is good for."""

    command: str
    why: str


def show_overview(arguments: argparse.Namespace) -> int:
    """Print the runs and the next sensible commands."""
    note_what_is_no_run()
    names = runs_by_time()
    runs = [*(_look(name) for name in names[:1]), *map(_glance, names[1:])]
    steps = [*(_steps(runs[0]) if runs else _first_steps()), *_study_steps()]
    if arguments.json:
        print_json({"runs": [one._asdict() for one in runs], "next": [s._asdict() for s in steps]})
        return 0
    if runs:
        rows = [(one.name, one.state, one.planned, one.jobs) for one in runs]
        print(columns([("run", "state", "planned", "jobs"), *rows]))
    else:
        print("no run here yet")
    there = "" if arguments.here == Path.cwd() else f", in {Path.cwd()}"
    print(f"\nnext{there}:\n{columns([(f'  {one.command}', one.why) for one in steps])}")
    print("\n`cactus --help` lists all commands")
    return 0


def _look(name: str) -> _Run:
    """Return the state of a run; a run that cannot be read is broken."""
    try:
        planner = open_run(name)
        statuses = [job_status(planner, one) for one in planner.assess_all()]
        planner.project.tree.cache.save()
        running = next((one.job for one in running_now(_RESULTS / name)), "")
    except (CactusError, PermissionError) as error:
        return _broken(name, error)
    busy = bool(running) or is_driven(_RESULTS / name)
    state = "running" if busy else worst([one.state for one in statuses])
    first = running or next((one.job.name for one in statuses if one.state == state), "")
    listed, copy = listed_states(one.state for one in statuses), planner.is_copy
    return _Run(name, state, listed + _OF_COPY * copy, _planned(name), first, copy)


def _glance(name: str) -> _Run:
    """Return how far a run is, without a look at whether anything has become stale."""
    try:
        planner = open_run(name)
        done = [record_path(planner.run_folder, job).is_file() for job in planner.jobs]
        running, copy = any(running_now(planner.run_folder)), planner.is_copy
    except (CactusError, PermissionError) as error:
        return _broken(name, error)
    busy = running or is_driven(planner.run_folder)
    state = "running" if busy else "not checked" if all(done) else "unfinished"
    jobs = f"{sum(done)} of {len(done)} have run"
    return _Run(name, state, jobs + _OF_COPY * copy, _planned(name), copy=copy)


def _broken(name: str, error: CactusError | PermissionError) -> _Run:
    told = explained(error)
    text = f"{told.what} {told.where}: {told.got}" if told else str(error)
    return _Run(name, "broken", text, _planned(name))


def _planned(name: str) -> str:
    """Return when a run was planned last, if that can be read."""
    moment = planned_at(_RESULTS / name)
    return local_time(datetime.fromtimestamp(moment, UTC).isoformat() if moment else "")


def _first_steps() -> Iterator[_Step]:
    yield _Step("cactus doctor", "check whether this computer can run a study")
    if _DEMO.is_file():
        yield _Step(f"cactus plan --configfile {_DEMO}", "see what the demo does and takes")
        yield _Step(_snakemake(f"--configfile {_DEMO}"), "run the demo, without any data")
    yield _Step("cactus data", "see which data sets are here")


def _steps(run: _Run) -> Iterator[_Step]:
    """Yield what can be done with the newest run."""
    name = run.name
    match run.state:
        case "broken" | "closed":
            yield _Step(f"cactus status {name}", "read what is wrong, and how to mend it")
        case _ if run.copy:
            yield _Step(f"cactus results --run {name}", "see the accuracies")
            yield _Step(f"cactus audit {name}", "check files, records and printed numbers")
        case "running" | "queued":
            yield _Step(f"cactus top {name}", "watch the running jobs")
            if run.job:
                yield _Step(
                    f"cactus logs {run.job} --run {name} --follow", "read a log as it grows"
                )
        case "failed":
            yield _Step(f"cactus logs {run.job} --run {name}", "read why it failed")
            yield _Step(f"cactus update {name}", "go on, once that is mended")
        case "stopped":
            yield _Step(f"cactus update {name}", "go on from where it was stopped")
        case "stale" | "missing":
            yield _Step(f"cactus plan {name}", "see what the next run does and takes")
            if run.state == "stale":
                yield _Step(f"cactus why {run.job} --run {name}", "see what made it stale")
            yield _Step(f"cactus update {name}", "run what is missing or stale")
        case _:
            yield _Step(f"cactus results --run {name}", "see the accuracies")
            yield _Step(f"cactus report {name}", "see the web page of them")
            yield _Step(f"cactus paper {name}", "see the paper, a PDF, or make it")
            yield _Step(f"cactus audit {name}", "check files, records and printed numbers")
            yield _Step(f"cactus export {name}", "hand the run on as an RO-Crate")
    if run.state not in ("broken", "closed"):
        yield _Step(f"cactus status {name}", "see the state of every cell")


def _study_steps() -> Iterator[_Step]:
    """Yield what to do with a study of the user's own: the newest that waits, or a new one."""
    study = next(waiting_studies(), None)
    if study is not None:
        option = f"--configfile {quote(str(study))}"
        yield _Step(f"cactus plan {option}", "see what your study does and takes")
        yield _Step(_snakemake(option), "run it")
    new = "write another study" if study else "write a study of your own"
    yield _Step(f"cactus init {free_name()}", new)


def _snakemake(options: str) -> str:
    return f"snakemake --cores {usable_cores()} {options}"
