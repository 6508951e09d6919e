"""``cactus plan``: what the next run would do, how long it would take, and what it needs."""

import argparse
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from cactus.cli.text import columns, print_json, size
from cactus.config.printed.durations import duration
from cactus.config.sections.grid import idle_patterns
from cactus.cores import usable_cores, usable_memory
from cactus.errors import StorageError, counted, few
from cactus.provenance.staleness.estimate import Estimate, JobCost, estimate
from cactus.provenance.staleness.measured import Measured, Range, add_short_ones
from cactus.provenance.staleness.obstructions import note_closed, note_obstructions
from cactus.provenance.staleness.open_run import check_same_run, open_run, open_study
from cactus.provenance.staleness.planner import Assessment, Planner
from cactus.provenance.staleness.reusable import Reusable, reusable
from cactus.provenance.staleness.run_folders import runs_by_time
from cactus.provenance.staleness.status import listed_states
from cactus.provenance.staleness.work import counted_work
from cactus.stages.base import Job, stage_named

_UNKNOWN: Final = "unknown"
_MOST_KEYS: Final = 5  # that a line names


def show_plan(arguments: argparse.Namespace) -> int:
    """Print which jobs the next run would do, why, how long they take and what they need."""
    planner = _planner(arguments)
    stale = [one for one in planner.assess_all() if one.stale]
    note_obstructions(planner, [one.job for one in stale])
    closed = note_closed(planner, planner.assess_all())
    shared = reusable(planner, stale)
    if planner.run_folder.is_dir():
        planner.project.tree.cache.save()
    jobs = [one.job for one in stale if one.job not in shared.donors]
    timed = _measure(planner, jobs) if arguments.measure and stale else []
    at_once = arguments.at_once or usable_cores()
    guess = estimate(planner, jobs, at_once, timed)
    if arguments.json:
        names = [one.job.name for one in closed]
        print_json({**_as_json(planner, stale, guess, shared), "closed": names})
    elif not stale:
        states = listed_states(one.state for one in planner.assess_all()) if closed else ""
        print(f"{planner.run_folder.name}: nothing to do, {states or 'all jobs are fresh'}")
    else:
        _print_reasons(stale, guess, shared, everything=arguments.all)
        print(columns(list(_stage_rows(guess))))
        for line in _summary(planner, stale, shared):
            print(line)
        for line in _totals(guess, at_once):
            print(line)
        advice = "a run measures them" if arguments.measure else "`--measure` times trainings"
        for line in (*_whence(planner, guess, advice), *_needs(planner, guess, at_once)):
            print(line)
    return 0


def _summary(planner: Planner, stale: list[Assessment], shared: Reusable) -> Iterator[str]:
    """Yield how many jobs of each stage there are, and what comes from other runs."""
    counts = Counter(one.job.stage for one in stale)
    listed = ", ".join(f"{count} {stage}" for stage, count in counts.items())
    states = listed_states(one.state for one in stale)
    yield f"\n{planner.run_folder.name}: {counted(len(stale), 'job')} ({states}): {listed}"
    yield from shared.lines


def _as_json(
    planner: Planner, stale: list[Assessment], guess: Estimate, shared: Reusable
) -> dict[str, Any]:
    jobs = []
    for one in stale:
        donor, cost = shared.donors.get(one.job), guess.jobs.get(one.job, JobCost())
        jobs.append(
            {
                "job": one.job.name,
                "state": one.state,
                "reasons": [str(reason) for reason in one.reasons],
                "reused_from": donor.run if donor else None,
                "seconds": cost.seconds,
                "rough_seconds": cost.rough,
                "measured_in": list(cost.runs),
                "memory_bytes": cost.memory,
                "disk_bytes": cost.disk,
            }
        )
    totals = {"gpu_hours": guess.gpu_hours, "cpu_hours": guess.cpu_hours}
    return {
        "run": planner.run_folder.name,
        "jobs": jobs,
        **totals,
        "wall_seconds": guess.wall_seconds,
        "unknown": guess.unknown,
    }


def _planner(arguments: argparse.Namespace) -> Planner:
    """Return the planner of a run, or of a study that was never run."""
    study = arguments.configfile or arguments.config
    if not study and (arguments.run or runs_by_time()):
        return open_run(arguments.run)
    planner = open_study(arguments.configfile, arguments.config)
    check_same_run(arguments.run, planner.run_folder.name)
    for line in idle_patterns(planner.config.grid):
        print(f"note: {line}", file=sys.stderr)
    return planner


def _measure(planner: Planner, jobs: list[Job]) -> list[Measured]:
    """Time the trainings among some jobs, and keep the times for later plans if that is allowed."""
    # Imports PyTorch, which a plan does not need.
    from cactus.cli.study.measure import measure

    found = []
    try:
        for job, one in measure(planner, jobs):
            work = counted_work(job, planner.assess(job).plan.spec)
            print(f"measured {job.name}: {_span(one.seconds(work))} in all", file=sys.stderr)
            found.append(one)
    finally:  # also after Ctrl-C
        _keep(planner, found)
    return found


def _keep(planner: Planner, found: list[Measured]) -> None:
    if not found:
        return
    try:
        add_short_ones(planner.run_folder.absolute().parent, found)
    except (StorageError, OSError) as error:
        told = error.got if isinstance(error, StorageError) else error.strerror
        print(f"note: the times are not kept for later plans: {told}", file=sys.stderr)


def _print_reasons(
    stale: list[Assessment], guess: Estimate, shared: Reusable, *, everything: bool
) -> None:
    """List the jobs that a change made stale, or all jobs that the next run would do."""
    own = [
        one
        for one in stale
        if one.record is not None and any(reason.kind != "upstream" for reason in one.reasons)
    ]
    shown = stale if everything else own
    if not shown:
        return
    rows = [("job", "about", "because")]
    for one in shown:
        donor = shared.donors.get(one.job)
        time = f"reused from {donor.run}" if donor else _job_time(guess.jobs[one.job])
        rows.append((one.job.name, time, str(one.reasons[0])))
    print(columns(rows))
    if more := len(stale) - len(shown):
        print(f"and {more} more, missing or behind these (--all lists them)")
    print()


def _job_time(cost: JobCost) -> str:
    done = f", step {cost.step} of {cost.steps} is done" if cost.step else ""
    rough = f"roughly {_span(cost.rough)}" if cost.rough else _UNKNOWN
    return (_span(cost.seconds) if cost.seconds else rough) + done


def _stage_rows(guess: Estimate) -> Iterator[tuple[str, ...]]:
    """Yield a row per stage: its jobs, their time, memory and disk space."""
    yield "stage", "jobs", "time in all", "memory of each", "disk"
    stages = dict.fromkeys(job.stage for job in guess.jobs)
    for stage in stages:
        costs = [cost for job, cost in guess.jobs.items() if job.stage == stage]
        known = [span for cost in costs if (span := cost.seconds or cost.rough) is not None]
        roughly = "roughly " if any(cost.rough for cost in costs) else ""
        time = f"{roughly}{_span(_sum(known))}" if known else ""
        time = _with_unknown(time, len(costs) - len(known))
        peaks = [cost.memory for cost in costs if cost.memory is not None]
        sizes = [cost.disk for cost in costs if cost.disk is not None]
        asked = stage_named(stage).memory_mb
        memory = f"up to {size(max(peaks))}" if peaks else f"{_UNKNOWN}, asks for {asked} MB"
        if stage_named(stage).local and not peaks:
            memory = _UNKNOWN
        disk = _with_unknown(size(sum(sizes)) if sizes else "", len(costs) - len(sizes))
        yield stage, str(len(costs)), time, memory, disk


def _totals(guess: Estimate, at_once: int) -> Iterator[str]:
    jobs = guess.jobs
    if guess.unknown == len(jobs):
        yield "time unknown: nothing like these jobs was ever measured here"
    else:
        least = "at least " if guess.unknown else "roughly " if guess.rough else "about "
        yield (
            f"{least}{_span(guess.wall_seconds)} with {counted(at_once, 'job')} at once: "
            f"{_hours(guess.gpu_hours)} GPU-hours and {_hours(guess.cpu_hours)} CPU job-hours"
        )
        single = sum(cost.single for cost in jobs.values())
        if single:
            yield f"{counted(single, 'job')}: a single measurement, so its spread is not known"
        far = sum(cost.elsewhere for cost in jobs.values())
        if far:
            yield f"{counted(far, 'job')}: measured on another computer only"


def _whence(planner: Planner, guess: Estimate, advice: str) -> Iterator[str]:
    """Yield which jobs' times come from other runs, how well they fit, and which are unknown."""
    own = planner.run_folder.absolute().name
    fitting = [one for one in guess.jobs.values() if one.seconds and {*one.runs} - {own}]
    if fitting:
        yield f"{counted(len(fitting), 'job')}: as measured in {_runs(fitting)}"
    if guess.rough:
        keys = few(dict.fromkeys(key for one in guess.rough for key in one.keys), _MOST_KEYS)
        like = f"like those of {_runs(guess.rough)}, but for {keys}"
        yield f"{counted(len(guess.rough), 'job')}: only roughly, as they are {like}; {advice}"
    if guess.unknown:
        yield f"{counted(guess.unknown, 'job')} unknown: {advice}"


def _runs(costs: list[JobCost]) -> str:
    return few(dict.fromkeys(run for one in costs for run in one.runs))


def _needs(planner: Planner, guess: Estimate, at_once: int) -> Iterator[str]:
    """Yield what the run needs of this computer's memory and disk, and what there is."""
    peaks = sorted((cost.memory or 0 for cost in guess.jobs.values()), reverse=True)[:at_once]
    missing = [cost for cost in guess.jobs.values() if cost.memory is None]
    if any(peaks):
        least = "at least" if missing else "up to"
        yield (
            f"memory: {least} {size(sum(peaks))} for {counted(len(peaks), 'job')} at once, "
            f"of {size(usable_memory())}"
        )
    sizes = [cost.disk for cost in guess.jobs.values() if cost.disk is not None]
    folder = next(one for one in planner.run_folder.absolute().parents if one.is_dir())
    free = f"{size(shutil.disk_usage(folder).free)} free"
    least = "at least " if len(sizes) < len(guess.jobs) else ""
    yield f"disk: {least}{size(sum(sizes))}, {free}" if sizes else f"disk: {_UNKNOWN}, {free}"


def _sum(ranges: list[Range]) -> Range:
    return Range(sum(one.low for one in ranges), sum(one.high for one in ranges))


def _with_unknown(text: str, unknown: int) -> str:
    if not text:
        return _UNKNOWN
    return f"{text} + {unknown} {_UNKNOWN}" if unknown else text


def _span(seconds: Range) -> str:
    low, high = duration(seconds.low), duration(seconds.high)
    return low if low == high else f"{low} to {high}"


def _hours(hours: Range) -> str:
    low, high = (f"{one:.2f}" if one >= 0.01 or one == 0 else "<0.01" for one in hours)
    return low if low == high else f"{low} to {high}"
