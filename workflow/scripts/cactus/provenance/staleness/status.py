"""The state of each job of a run, such as fresh, stale, running or failed."""

import os
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal, get_args

from cactus.config.printed.durations import duration
from cactus.errors import counted
from cactus.provenance.execution.attempts import read_state, was_stopped
from cactus.provenance.execution.logs import attempt_log, log_path
from cactus.provenance.execution.process import process_location
from cactus.provenance.records.run_reader import RunReader
from cactus.provenance.staleness.planner import Assessment, Planner
from cactus.stages.base import Job

State = Literal["failed", "stopped", "running", "queued", "missing", "stale", "closed", "fresh"]
# In the order in which a user needs to know.
STATES: Final[tuple[State, ...]] = get_args(State)
NONE_FAILED: Final = "no job failed"
_INTERRUPT: Final = KeyboardInterrupt.__name__
_FAILED: Final = ("failed", "killed")  # states of an attempt


@dataclass(frozen=True)
class JobStatus:
    """The state of a job.

    Attributes
    ----------
    state
        A killed job counts as failed, one that was asked to stop as stopped; a job that never
        finished is missing. One whose files may not be read is closed: it may be fresh.
    ended
        When its last run ended, or when it failed or started, in ISO 8601; empty if never.
    seconds
        Duration of the recorded run.
    note
        Why it is stale or failed, in a few words.
    """

    job: Job
    state: State
    ended: str
    seconds: float | None
    note: str


def job_status(planner: Planner, assessment: Assessment, queued: str = "") -> JobStatus:
    """Return the state of an assessed job; `queued` says where it waits, if it is queued."""
    job, record = assessment.job, assessment.record
    facts = read_state(planner.run_folder, job)
    seconds = record.activity.seconds if record else None
    if facts is not None and not (queued and facts["state"] == "failed"):
        return _attempt_status(job, facts, seconds)
    if queued:
        return JobStatus(job, "queued", "", seconds, queued)
    ended = record.activity.ended if record else ""
    state = assessment.state
    if state == "fresh":
        return JobStatus(job, state, ended, seconds, record.activity.unused_gpu if record else "")
    notes = [str(reason) for reason in assessment.reasons]
    more = f" (and {len(notes) - 1} more)" if len(notes) > 1 else ""
    return JobStatus(job, state, ended, seconds, "" if state == "missing" else notes[0] + more)


def _attempt_status(job: Job, facts: dict[str, Any], seconds: float | None) -> JobStatus:
    """Return the status of a job whose last attempt is running or did not succeed."""
    match facts.get("state"):
        case "running":
            note = process_location(facts) + _progress(facts)
            note += f"; {facts['note']}" if "note" in facts else ""
            return JobStatus(job, "running", str(facts.get("started", "")), None, note)
        case "killed":
            note = f"its process {process_location(facts)} died without reporting an error"
            return JobStatus(job, "failed", str(facts.get("started", "")), seconds, note)
    # What Ctrl-C ends while it imports has no chance to note that it was stopped.
    stopped = was_stopped(facts) or facts.get("error") == _INTERRUPT
    state: State = "stopped" if stopped else "failed"
    return JobStatus(job, state, str(facts.get("ended", "")), seconds, str(facts.get("error", "")))


def _progress(facts: dict[str, Any]) -> str:
    """Return the progress of a training, if it reports any."""
    if not facts.keys() >= {"step", "steps"}:
        return ""
    left = facts.get("seconds_left")
    return f", step {facts['step']} of {facts['steps']}" + (
        f", about {duration(left)} left" if left is not None else ""
    )


def listed_states(states: Iterable[State]) -> str:
    """Return how many are in each state, such as ``2 missing, 40 stale``."""
    counts = Counter(states)
    return ", ".join(f"{counts[one]} {one}" for one in STATES if counts[one])


def worst(states: list[State]) -> State:
    """Return the most urgent of some states."""
    return min(states, key=STATES.index)


def local_time(moment: str) -> str:
    """Return an ISO 8601 time as local time, to the minute."""
    return datetime.fromisoformat(moment).astimezone().strftime("%Y-%m-%d %H:%M") if moment else "-"


def failed_attempts(run: RunReader) -> dict[Job, dict[str, Any]]:
    """Return what is known of the last attempt of each job whose last attempt failed."""
    states = ((job, read_state(run.run_folder, job)) for job in run.graph.jobs)
    return {job: facts for job, facts in states if facts and facts["state"] in _FAILED}


def list_failures(
    run: RunReader,
    failed: Collection[Job] = (),
    earlier: Mapping[Job, dict[str, Any]] = MappingProxyType({}),
) -> str:
    """List the jobs that failed or were stopped, each with its error and its log.

    Parameters
    ----------
    run
        The run.
    failed
        Jobs that are known to have failed, even if their process cannot be seen from this host.
    earlier
        Attempts that had failed before, by `failed_attempts`. They are left out.
    """
    lines, ends = [], Counter[State]()
    for job in run.graph.jobs:
        facts = read_state(run.run_folder, job)
        if facts is None or (job not in failed and facts == earlier.get(job)):
            continue
        if facts["state"] == "running" and job in failed:
            facts["state"] = "killed"
        if facts["state"] in _FAILED:
            status = _attempt_status(job, facts, None)
            ends[status.state] += 1
            log = facts.get("log") or _log(run.run_folder, job, facts)
            lines.append(f"  {job.name}: {status.note}\n    log: {log}")
    if not lines:
        return NONE_FAILED
    head = ", ".join(f"{counted(ends[one], 'job')} {one}" for one in STATES if ends[one])
    return "\n".join([f"{head}:", *lines])


def _log(run_folder: Path, job: Job, facts: dict[str, Any]) -> Path:
    """Return the log of the attempt that failed."""
    kept = attempt_log(run_folder, job, int(facts.get("attempt", 1)))
    return kept if os.path.lexists(kept) else log_path(run_folder, job)
