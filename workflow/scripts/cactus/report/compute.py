"""What a run took: time, memory, devices and hosts, from the records of its jobs."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from cactus.config.printed.durations import duration
from cactus.errors import counted
from cactus.provenance.execution.processor import processor_name
from cactus.provenance.records.record import Record

_LIBRARIES = ("torch", "numpy", "scikit-learn", "snakemake")


class StageLine(NamedTuple):
    """The jobs of one stage."""

    stage: str
    jobs: int
    total: float  # seconds
    share: float  # of the time of all jobs, in percent
    longest: float  # seconds
    longest_job: str
    memory: int  # bytes
    gpu_memory: int  # bytes; 0 if no job used a GPU


def stage_lines(records: Sequence[Record]) -> list[StageLine]:
    """Return one line per stage, in the order of the records."""
    stages: dict[str, list[Record]] = {}
    for record in records:
        stages.setdefault(record.job.stage, []).append(record)
    everything = sum(record.activity.seconds for record in records) or 1.0
    lines = []
    for stage, group in stages.items():
        longest = max(group, key=lambda record: record.activity.seconds)
        total = sum(record.activity.seconds for record in group)
        gpu = [one for record in group if (one := record.activity.peak_gpu_memory_bytes)]
        lines.append(
            StageLine(
                stage,
                len(group),
                total,
                round(100 * total / everything, 1),
                longest.activity.seconds,
                longest.job.cell,
                max(record.activity.peak_memory_bytes for record in group),
                max(gpu, default=0),
            )
        )
    return lines


def facts(records: Sequence[Record]) -> list[tuple[str, str]]:
    """Return what a reader should know of a run, as titles and values."""
    if not records:
        return []
    total = sum(record.activity.seconds for record in records)
    started = min(record.activity.started for record in records)
    ended = max(record.activity.ended for record in records)
    resumed = sum(bool(record.activity.resumed_from) for record in records)
    reused = sum(bool(record.reused) for record in records)
    return [
        ("Jobs", str(len(records))),
        ("Ran between", f"{moment(started)} and {moment(ended)}"),
        ("Time in all", f"{duration(total)}, one job after the other"),
        ("Resumed after an interruption", counted(resumed, "job")),
        ("Taken from other runs", counted(reused, "job")),
        ("Computers", _counted(records, lambda record: record.agent.host)),
        ("Computed on", _counted(records, _device)),
        ("Processors", _counted(records, processor_name)),
        ("Threads of a job", _counted(records, lambda one: str(one.activity.threads or ""))),
        ("Code", _counted(records, _commit)),
        ("Software", _software(records)),
    ]


def _counted(records: Iterable[Record], fact: Callable[[Record], str]) -> str:
    """Return the values of a fact, each with its number of jobs if there are several."""
    counts = Counter(filter(None, map(fact, records)))
    if len(counts) <= 1:
        return next(iter(counts), "not recorded")
    listed = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return ", ".join(f"{value} ({counted(count, 'job')})" for value, count in listed)


def _commit(record: Record) -> str:
    git = record.agent.git
    if git is None:
        return "outside a git repository"
    return f"commit {git['commit'][:12]}" + (" with uncommitted changes" if git["dirty"] else "")


def _software(records: Iterable[Record]) -> str:
    found = {f"Python {record.agent.python.split()[0]}" for record in records}
    for record in records:
        libraries = record.agent.libraries.items()
        found |= {f"{name} {version}" for name, version in libraries if name in _LIBRARIES}
    return ", ".join(sorted(found))


def _device(record: Record) -> str:
    device = record.agent.device or {}
    return str(device.get("gpu") or device.get("device") or "")


def ran_on(record: Record) -> str:
    """Return the device and the computer of a job."""
    device = _device(record)
    return f"{record.agent.host}, {device}" if device not in ("", "cpu") else record.agent.host


def memory(size: int) -> str:
    """Return a number of bytes in suitable units."""
    return f"{size / (1 << 30):.1f} GiB" if size >= 1 << 30 else f"{size / (1 << 20):.0f} MiB"


def moment(time: str) -> str:
    """Return an ISO 8601 time in UTC, to the minute."""
    return datetime.fromisoformat(time).astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
