"""How long the stale jobs of a run will take, and what they need: only what was measured.

The time of a job is its counted work times the rates of comparable jobs. Nothing is guessed: a job
to which no measured one compares has the time of jobs that do the same with other sizes, which is
called rough, or else is unknown.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from cactus.files import open_regular
from cactus.provenance.execution.attempts import read_state, work_folder
from cactus.provenance.records.plan import PENDING, Plan
from cactus.provenance.staleness.measured import (
    Measured,
    Range,
    data_jobs,
    dataset_of,
    read_measured,
    this_host,
)
from cactus.provenance.staleness.planner import Planner
from cactus.provenance.staleness.work import alike, comparable, counted_work, sizes
from cactus.stages.base import Job

NOTHING: Final = Range(0.0, 0.0)


@dataclass(frozen=True)
class JobCost:
    """What a job is expected to take.

    Attributes
    ----------
    seconds
        What remains, by the slowest and the fastest comparable job; None if there is none.
    rough
        What remains, by jobs that do the same with keys that make other sizes; None if there are
        comparable ones, or none of these.
    runs
        The runs that the jobs were measured in.
    keys
        The keys in which those of a rough time differ.
    device
        "cpu" or "cuda", on which the jobs ran.
    single
        Whether there is a single time, whose spread is unknown.
    elsewhere
        Whether all of them ran on other computers.
    step, steps
        Steps of its training that are done, and all of them; 0 if none are.
    memory, disk
        Peak memory and size of the results of comparable jobs in bytes; None if not measured.
    """

    seconds: Range | None = None
    rough: Range | None = None
    runs: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    device: str = "cpu"
    single: bool = False
    elsewhere: bool = False
    step: int = 0
    steps: int = 0
    memory: int | None = None
    disk: int | None = None


@dataclass(frozen=True)
class Estimate:
    """The expected cost of the next run; sums are of the jobs that are not unknown.

    Attributes
    ----------
    jobs
        The cost of each job.
    gpu_hours, cpu_hours
        Totals by device.
    wall_seconds
        Lower bound: the longest chain of jobs, or the total divided by the jobs at once.
    """

    jobs: dict[Job, JobCost]
    gpu_hours: Range
    cpu_hours: Range
    wall_seconds: Range

    @property
    def unknown(self) -> int:
        """Number of jobs without an estimate."""
        return sum(cost.seconds is None and cost.rough is None for cost in self.jobs.values())

    @property
    def rough(self) -> list[JobCost]:
        """The jobs whose time is known only roughly."""
        return [cost for cost in self.jobs.values() if cost.rough is not None]


def estimate(
    planner: Planner, jobs: list[Job], at_once: int, timed: Iterable[Measured] = ()
) -> Estimate:
    """Estimate the cost of jobs, given in an order in which they can run.

    Parameters
    ----------
    at_once
        Number of jobs that run at once, at least 1.
    timed
        Measurements that may not be saved.
    """
    measured: dict[str, list[Measured]] = {}
    for one in [*read_measured(planner.run_folder), *timed]:
        for name in dict.fromkeys(filter(None, [one.kind, one.alike])):
            measured.setdefault(name, []).append(one)
    costs = {job: _cost(planner, job, measured) for job in jobs}
    hours = {"cuda": NOTHING, "cpu": NOTHING}
    ends: dict[Job, Range] = {}
    total = NOTHING
    for job in jobs:
        seconds = costs[job].seconds or costs[job].rough or NOTHING
        before = [ends.get(upstream.job, NOTHING) for upstream in planner.graph.inputs(job)]
        start = Range(*(max(values) for values in zip(NOTHING, *before, strict=True)))
        ends[job] = start + seconds
        total += seconds
        hours[costs[job].device] += (seconds.low / 3600, seconds.high / 3600)
    chains = [Range(total.low / at_once, total.high / at_once), *ends.values()]
    wall = Range(*(max(values) for values in zip(*chains, strict=True)))
    return Estimate(costs, hours["cuda"], hours["cpu"], wall)


def job_kind(planner: Planner, job: Job) -> str:
    """Return the kind of a planned job, see `comparable`."""
    return comparable(job, planner.assess(job).plan.spec, _data_specs(planner, job))


def _data_specs(planner: Planner, job: Job) -> list[dict[str, Any]]:
    """Return the keys of the jobs that prepare the data set of a job."""
    data = [one for one in data_jobs(dataset_of(job)) if one in planner.graph.by_stage[one.stage]]
    return [planner.assess(one).plan.spec for one in data]


def _cost(planner: Planner, job: Job, measured: dict[str, list[Measured]]) -> JobCost:
    plan = planner.assess(job).plan
    step, steps = _steps_done(planner.run_folder, plan)
    compared = _best(planner, plan, measured.get(job_kind(planner, job), []))
    like = alike(job, drawn=planner.config.synthetic_data)
    chosen = compared or _best(planner, plan, measured.get(like, []))
    if not chosen:
        return JobCost(step=step, steps=steps)
    work = counted_work(job, plan.spec) * (1 - step / steps if steps else 1)
    each = [one.seconds(work) for one in chosen]
    span = Range(min(one.low for one in each), max(one.high for one in each))
    cost = JobCost(
        runs=tuple(dict.fromkeys(one.run for one in chosen if one.run)),
        device=chosen[0].device,
        elsewhere=all(one.host != this_host() for one in chosen),
        step=step,
        steps=steps,
    )
    if not compared:
        return replace(cost, rough=span, keys=_other_keys(planner, job, chosen))
    return replace(
        cost,
        seconds=span,
        single=len(chosen) == 1 and chosen[0].highest_rate is None,
        memory=max((one.memory for one in chosen if one.memory is not None), default=None),
        disk=max((one.disk for one in chosen if one.disk is not None), default=None),
    )


def _best(planner: Planner, plan: Plan, measured: list[Measured]) -> list[Measured]:
    """Return the best measurements: those of the job itself, or else those of this computer."""
    device = plan.spec.get("compute", {}).get("device", "cpu")
    fitting = [one for one in measured if device in ("auto", one.device)]
    name = f"{planner.run_folder.absolute().name}/{plan.job.name}"
    own = [one for one in fitting if one.name == name]
    return own or [one for one in fitting if one.host == this_host()] or fitting


def _other_keys(planner: Planner, job: Job, measured: list[Measured]) -> tuple[str, ...]:
    """Return the last words of the keys in which a job differs from measured ones."""
    own = sizes(job, planner.assess(job).plan.spec, _data_specs(planner, job))
    pairs = [(pair, one.sizes) for one in measured for pair in (*own, *one.sizes)]
    found = [pair[0] for pair, theirs in pairs if (pair in own) != (pair in theirs)]
    return tuple(dict.fromkeys(key.rpartition(".")[2] for key in found))


def _steps_done(run_folder: Path, plan: Plan) -> tuple[int, int]:
    """Return the steps that a training has done and all its steps; 0 and 0 if it has done none."""
    state = read_state(run_folder, plan.job) or {}
    facts = [state] if state.get("state") == "running" else []
    if PENDING not in plan.inputs.values():
        folder = work_folder(run_folder, plan.job) / "checkpoints"
        saved = map(_first_line, sorted(folder.glob("step-*.ckpt")))
        facts += [one for one in saved if one.get("fingerprint") == plan.fingerprint]
    done = [(one.get("step"), one.get("steps")) for one in facts]
    return max(
        (
            (step, steps)
            for step, steps in done
            if isinstance(step, int) and isinstance(steps, int) and 0 < step <= steps
        ),
        default=(0, 0),
    )


def _first_line(checkpoint: Path) -> dict[str, Any]:
    """Return what a checkpoint says about itself; nothing if it is damaged."""
    try:
        with open_regular(checkpoint) as file:
            facts = json.loads(file.readline(1 << 16))
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}
