"""``cactus update``: run wave by wave, so that identical results stop what would follow."""

import argparse
from pathlib import Path
from typing import NamedTuple

from cactus.cli.snakemake_call import snakemake_call
from cactus.errors import ConfigError, did_you_mean_or_known
from cactus.graph import Graph
from cactus.provenance.staleness.open_run import open_run
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
    """Bring a run up to date; return Snakemake's exit code, or 1 if something is stale after it."""
    folder = find_run_folder(arguments.run)
    request = _request(arguments.snakemake)
    call = snakemake_call(folder)
    graph = open_run(str(folder)).graph
    wanted = _wanted(graph, request.targets)
    for wave in graph.waves:
        stale = [job for job in _stale(folder) if job in wanted and job.stage in wave.stages]
        if stale:
            print(f"{wave.target}: {counted(len(stale), 'stale job')}", flush=True)
            code = call.run(wave.target, *request.options)
            if code:
                return code
    left = [job for job in _stale(folder) if job in wanted]
    if not left:
        asked = f" ({', '.join(request.targets)})" if request.targets else ""
        print(f"{folder.name} is up to date{asked}")
        return 0
    why = "this was a dry run" if request.dry_run else "see `cactus plan`"
    print(f"{folder.name} is not up to date: {counted(len(left), 'stale job')}; {why}")
    return 0 if request.dry_run else 1


def _stale(folder: Path) -> list[Job]:
    return [one.job for one in open_run(str(folder)).assess_all() if one.stale]


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


def _wanted(graph: Graph, targets: list[str]) -> set[Job]:
    """Return the jobs of some targets and what they need; all jobs if no target is named."""
    known = {wave.target: wave.stages for wave in graph.waves}
    found: set[Job] = set()
    for target in targets:
        if target not in (*known, _EVERYTHING):
            raise ConfigError(
                "There is no such target.",
                where="cactus update",
                got=target,
                fix=did_you_mean_or_known(target, known, "name none, for everything"),
            )
        stages = known.get(target, {job.stage for job in graph.jobs})
        for job in (job for job in graph.jobs if job.stage in stages):
            found.update(graph.ancestry(job))
    return found if targets else {*graph.jobs}
