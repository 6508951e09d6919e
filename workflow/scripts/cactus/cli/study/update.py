"""``cactus update``: run step by step, so that identical results stop what would follow."""

import argparse
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from cactus.cli.snakemake_call import snakemake_call
from cactus.cli.text import json_alone, print_json
from cactus.cluster.driver import refuse_another
from cactus.errors import ConfigError, counted, did_you_mean_or_known
from cactus.provenance.chain.restore import restore_sources
from cactus.provenance.staleness.obstructions import note_closed, refuse_obstructions
from cactus.provenance.staleness.open_run import open_run
from cactus.provenance.staleness.planner import Assessment, Planner
from cactus.provenance.staleness.run_folders import find_run_folder
from cactus.provenance.staleness.status import listed_states
from cactus.stages.base import Job

_EVERYTHING = "all"


class _Request(NamedTuple):
    """What the user wants of Snakemake: options, targets (none for all), and whether to run."""

    options: list[str]
    targets: list[str]
    dry_run: bool


class _Outcome(NamedTuple):
    """What an update came to: the jobs that it ran, or would run, and those that are left."""

    run: str
    exit_code: int
    dry_run: bool
    jobs: list[Job]
    left: list[Assessment]


def update(arguments: argparse.Namespace) -> int:
    """Bring a run up to date; return Snakemake's exit code, or 1 if something is stale after it.

    Each call of Snakemake runs the stale jobs that wait for no other stale job. What they make
    decides which jobs are stale after that.
    """
    with json_alone(arguments.json):
        done = _update(arguments)
    if arguments.json:
        facts = {"run": done.run, "exit_code": done.exit_code, "dry_run": done.dry_run}
        jobs = [job.name for job in done.jobs]
        left = [{"job": one.job.name, "state": one.state} for one in done.left]
        print_json({**facts, "jobs": jobs, "left": left})
    return done.exit_code


def _update(arguments: argparse.Namespace) -> _Outcome:
    folder = find_run_folder(arguments.run)
    request = _request(arguments.snakemake)
    call = snakemake_call(folder)
    planner = open_run(str(folder))
    wanted = _wanted(planner, request.targets)
    left, ran, called = _stale(folder, wanted), list[Job](), list[Job]()
    refuse_obstructions(planner, [one.job for one in left])
    if not request.dry_run:
        refuse_another(folder)  # before counts of jobs that run already
    closed = note_closed(planner, [planner.assess(job) for job in planner.jobs if job in wanted])
    if not request.dry_run and (restored := restore_sources(planner)):
        print(f"put back {counted(restored, 'stored source')}", flush=True)
    while left:
        ready = left if request.dry_run else _ready(folder, left)
        jobs = [one.job for one in ready]
        if jobs == ran:  # they ran, or were said to, and are as stale as before
            break
        counts = Counter(job.stage for job in jobs)
        listed = ", ".join(f"{count} {stage}" for stage, count in counts.items())
        print(f"{counted(len(ready), 'job')} ({_states(ready)}): {listed}", flush=True)
        targets = [f"{call.results}/{job.files[0]}" for job in jobs]
        code = call.run(*targets, *request.options)
        left, ran = _stale(folder, wanted), jobs
        still = set() if request.dry_run else {one.job for one in left}
        called += [job for job in jobs if job not in still]
        if code:
            return _Outcome(folder.name, code, request.dry_run, called, left)
    return _Outcome(folder.name, *_end(folder, request, left, closed), called, [*left, *closed])


def _end(
    folder: Path, request: _Request, left: list[Assessment], closed: list[Assessment]
) -> tuple[int, bool]:
    """Say what is left; return the exit code, and whether this was a dry run."""
    if left:
        why = "this was a dry run" if request.dry_run else "see `cactus plan`"
        print(f"{folder.name} is not up to date: {_states(left)}; {why}")
        return 0 if request.dry_run else 1, request.dry_run
    asked = f" ({', '.join(request.targets)})" if request.targets else ""
    known = f"may be up to date, but for {_states(closed)}" if closed else "is up to date"
    print(f"{folder.name} {known}{asked}")
    return 1 if closed else 0, request.dry_run


def _states(left: list[Assessment]) -> str:
    return listed_states(one.state for one in left)


def _stale(folder: Path, wanted: set[Job]) -> list[Assessment]:
    planner = open_run(str(folder))
    found = (planner.assess(job) for job in planner.graph.jobs if job in wanted)
    return [one for one in found if one.stale]


def _ready(folder: Path, stale: list[Assessment]) -> list[Assessment]:
    """Return the stale jobs that read from no stale one."""
    graph, waiting = open_run(str(folder)).graph, {one.job for one in stale}
    return [one for one in stale if not any(made.job in waiting for made in graph.inputs(one.job))]


def _request(given: list[str]) -> _Request:
    """Take apart what was given for Snakemake, with Snakemake's own parser."""
    if not given:
        return _Request(["--cores", "all"], [], False)
    from snakemake.cli import get_argument_parser  # type: ignore[import-untyped]

    try:
        parsed, _ = get_argument_parser().parse_known_args(given)
    except Exception:  # the options are wrong, and Snakemake itself will say so
        return _Request(given, [], False)
    if parsed.config or parsed.configfile:
        raise ConfigError(
            "An update takes the configuration of its run.",
            where="cactus update",
            got="--config" if parsed.config else "--configfile",
            fix="leave it out and edit the run's files, or call `snakemake` with other ones",
        )
    targets = [str(target) for target in parsed.targets]
    options = [one for one in given if one not in (*targets, "--")]
    return _Request(options, targets, bool(parsed.dryrun))


def _wanted(planner: Planner, targets: list[str]) -> set[Job]:
    """Return the jobs of some targets and what they need; all jobs if no target is named."""
    graph, found = planner.graph, set[Job]()
    known = graph.targets
    for target in targets:
        if target not in (*known, _EVERYTHING):
            raise ConfigError(
                "There is no such target.",
                where="cactus update",
                got=target,
                fix=did_you_mean_or_known(target, known, "name none, for everything"),
            )
        jobs = graph.jobs if target in known else planner.jobs
        stages = known.get(target, {job.stage for job in jobs})
        for job in (job for job in jobs if job.stage in stages):
            found.update(graph.ancestry(job))
    return found if targets else {*planner.jobs}
