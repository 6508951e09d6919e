"""What the parts of a record, and the times of several, say of each other."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from cactus.provenance.records.record import Activity, Record
from cactus.stages.base import Job

# The clocks of two nodes may differ by this much, and a clock may drift by this share of a time.
_SKEW: Final = 5.0
_DRIFT: Final = 0.01


def contradictions(record: Record) -> Iterator[str]:
    """Yield what a record says twice, and not the same."""
    activity, agent, plan = record.activity, record.agent, record.plan
    seed = record.job.wildcards.get("seed")
    if seed is not None and str(activity.seed) != seed:
        yield f"seed {activity.seed} instead of {seed}"
    threads = _planned_threads(plan.spec)
    if activity.threads != threads:
        yield f"{activity.threads} threads, planned {threads}"
    if not agent.python.startswith(plan.libraries.get("python", "")):
        yield f"Python {agent.python.split()[0]}, planned {plan.libraries['python']}"
    for name, version in plan.libraries.items():
        if agent.libraries.get(name, version) != version:
            yield f"{name} {agent.libraries[name]}, planned {version}"


def _planned_threads(spec: Mapping[str, Any]) -> Any:
    compute = spec.get("compute", {})
    inner = compute.get("threads") if isinstance(compute, dict) else None
    return inner if inner is not None else spec.get("threads")


def clock_note(records: Mapping[Job, Record], reads: Mapping[Job, Sequence[Job]]) -> Iterator[str]:
    """Yield one note on the recorded times that contradict each other, if any do.

    A clock that was set, or a computer that slept, does that; no result depends on times.

    Parameters
    ----------
    records
        The record of each job.
    reads
        The jobs that each reads from.
    """
    steps: list[tuple[float, str]] = []
    now = datetime.now(UTC)
    for job, record in records.items():
        started, ended = _times(record.activity)
        lasted, seconds = (ended - started).total_seconds(), record.activity.seconds
        if abs(lasted - seconds) > max(_SKEW, _DRIFT * seconds):
            what = f"{job.name}: {lasted:.0f} s from start to end, but {seconds:.0f} s of work"
            steps.append((abs(lasted - seconds), what))
        ahead = (ended - now).total_seconds()
        if ahead > _SKEW:
            steps.append((ahead, f"{job.name} ended {ahead:.0f} s after the time that it is here"))
        for one in reads.get(job, ()):
            if one in records:
                made = _times(records[one].activity)[1]
                early = (made - started).total_seconds()
                if early > _SKEW and made < ended:
                    steps.append(
                        (early, f"{job.name} started {early:.0f} s before {one.name} ended")
                    )
    if steps:
        size, what = max(steps)
        more = f" ({len(steps)} such in all)" if len(steps) > 1 else ""
        yield f"clocks stepped or differ, by up to {size:.0f} s: {what}{more}"


def _times(activity: Activity) -> tuple[datetime, datetime]:
    return datetime.fromisoformat(activity.started), datetime.fromisoformat(activity.ended)
