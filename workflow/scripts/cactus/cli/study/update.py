"""``cactus update``: run step by step, so that identical results stop what would follow."""

import argparse
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from cactus.cli.snakemake_call import snakemake_call
from cactus.errors import ConfigError, did_you_mean_or_known
from cactus.provenance.staleness.obstructions import refuse_obstructions
from cactus.provenance.staleness.open_run import open_run
from cactus.provenance.staleness.planner import Planner
from cactus.provenance.staleness.run_folders import find_run_folder
from cactus.provenance.staleness.status import counted
from cactus.stages.base import Job

_EVERYTHING = "all"


class _Request(NamedTuple):
    """What the user wants of Snakemake: options, targets (none for all), and whether to run."""

    options: list[str]
    targets: list[str]
    dry_run: bool


def update(arguments: argparse.Namespace) -> int:
    """Bring a run up to date; return Snakemake's exit code, or 1 if something is stale after it.

    Each call of Snakemake runs the stale jobs that wait for no other stale job. What they make
    decides which jobs are stale after that.
    """
    folder = find_run_folder(arguments.run)
    request = _request(arguments.snakemake)
    call = snakemake_call(folder)
    planner = open_run(str(folder))
    refuse_obstructions(planner)
    wanted = _wanted(planner, request.targets)
    left, ran = _stale(folder, wanted), list[Job]()
    while left:
        ready = left if request.dry_run else _ready(folder, left)
        if ready == ran:  # they ran, or were said to, and are as stale as before
            break
        counts = Counter(job.stage for job in ready)
        listed = ", ".join(f"{count} {stage}" for stage, count in counts.items())
        print(f"{counted(len(ready), 'stale job')}: {listed}", flush=True)
        targets = [f"{call.results}/{job.files[0]}" for job in ready]
        code = call.run(*targets, *request.options)
        if code:
            return code
        left, ran = _stale(folder, wanted), ready
    if not left:
        asked = f" ({', '.join(request.targets)})" if request.targets else ""
        print(f"{folder.name} is up to date{asked}")
        return 0
    why = "this was a dry run" if request.dry_run else "see `cactus plan`"
    print(f"{folder.name} is not up to date: {counted(len(left), 'stale job')}; {why}")
    return 0 if request.dry_run else 1


def _stale(folder: Path, wanted: set[Job]) -> list[Job]:
    planner = open_run(str(folder))
    return [job for job in planner.graph.jobs if job in wanted and planner.assess(job).stale]


def _ready(folder: Path, stale: list[Job]) -> list[Job]:
    """Return the stale jobs that read from no stale one."""
    graph, waiting = open_run(str(folder)).graph, {*stale}
    return [job for job in stale if not any(one.job in waiting for one in graph.inputs(job))]


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
