"""What jobs took: read from the records of all runs, and from short measurements."""

import math
import socket
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, NamedTuple

from pydantic import TypeAdapter

from cactus.errors import RecordError
from cactus.files import read_text, write_json
from cactus.provenance.records.record import Record, read_record, record_files
from cactus.provenance.staleness.work import alike, comparable, counted_work, sizes
from cactus.stages.base import Job, stage_named, stage_names
from cactus.stages.make_synthetic_data import STAGE as MAKE_SYNTHETIC_DATA

# Beside the runs, so that it is not part of any.
MEASURED_FILE: Final = ".measured.json"


class Range(NamedTuple):
    """The lowest and the highest of several values."""

    low: float
    high: float

    def __add__(self, other: tuple[float, ...]) -> "Range":  # type: ignore[override]
        """Return the range of the sum."""
        return Range(self.low + other[0], self.high + other[1])


@dataclass(frozen=True)
class Measured:
    """What one job took.

    Attributes
    ----------
    kind
        See `comparable`; the times of other kinds say nothing.
    host, device
        Where it ran, and on "cpu" or "cuda".
    fixed, rate
        Seconds for start and end, and seconds for a unit of work.
    highest_rate
        The highest rate of several; None if there is one.
    memory, disk
        Peak memory and size of the results in bytes; None if not measured.
    name
        Folder of the run and name of the job; empty for a short measurement.
    alike, sizes
        See the functions of these names; empty for a short measurement.
    """

    kind: str
    host: str
    device: str
    fixed: float
    rate: float
    highest_rate: float | None = None
    memory: int | None = None
    disk: int | None = None
    name: str = ""
    alike: str = ""
    sizes: tuple[tuple[str, str], ...] = ()

    @property
    def run(self) -> str:
        """Folder of the run that it ran in; empty for a short measurement."""
        return self.name.partition("/")[0]

    def seconds(self, work: float) -> Range:
        """Return how long a job of this kind with so much work would take."""
        rates = (self.rate, self.highest_rate or self.rate)
        return Range(*(self.fixed + rate * work for rate in rates))


_SAVED: Final = TypeAdapter(list[Measured])


def dataset_of(job: Job) -> str | None:
    """Return the data set of a job; None if it has none."""
    return job.wildcards.get("dataset")


def data_jobs(dataset: str | None) -> Iterator[Job]:
    """Yield the jobs that may prepare a data set."""
    for name in stage_names() if dataset else ():
        if stage_named(name).wildcard_names == ("dataset",) and stage_named(name).target == "data":
            yield Job(name, str(dataset))


def read_measured(run_folder: Path) -> list[Measured]:
    """Return what is known: of a run first, then of the runs beside it, then short measurements.

    A damaged record counts as missing: the audit reports it.
    """
    run_folder = run_folder.absolute()
    beside = sorted(run_folder.parent.iterdir()) if run_folder.parent.is_dir() else []
    found: list[Measured] = []
    for folder in dict.fromkeys([run_folder, *beside]):
        found += _of_run(folder)
    # Runs that share a job's results have one time of it: that of the first run here.
    once = {replace(one, name=one.name.partition("/")[2]): one for one in reversed(found)}
    return [*reversed(once.values()), *_short_ones(run_folder.parent)]


def add_short_ones(results: Path, more: Iterable[Measured]) -> None:
    """Save short measurements in the folder of all runs; later ones replace earlier ones."""
    known = {(one.kind, one.host, one.device): one for one in [*_short_ones(results), *more]}
    write_json(results / MEASURED_FILE, [asdict(one) for one in known.values()])


def _short_ones(results: Path) -> list[Measured]:
    """Return the saved short measurements; a damaged file counts as empty."""
    try:
        found = _SAVED.validate_json(read_text(results / MEASURED_FILE))
    except (OSError, ValueError):
        return []
    return [one for one in found if _is_plausible(one)]


def _is_plausible(one: Measured) -> bool:
    slowest = one.rate if one.highest_rate is None else one.highest_rate
    sizes = (one.memory or 0, one.disk or 0)
    return 0 <= one.fixed < math.inf and 0 < one.rate <= slowest < math.inf and min(sizes) >= 0


def _of_run(folder: Path) -> Iterator[Measured]:
    specs: dict[Job, dict[str, Any]] = {}
    records = list(_records(folder))
    for record in records:
        specs[record.job] = record.plan.spec
    for record in records:
        job = record.job
        prepared = [one for one in data_jobs(dataset_of(job)) if one in specs]
        spec, data = record.plan.spec, [specs[one] for one in prepared]
        times = _times(record, counted_work(job, spec))
        if times is not None:
            yield Measured(
                kind=comparable(job, spec, data),
                host=record.agent.host,
                device=str((record.agent.device or {}).get("device", "cpu")),
                fixed=times[0],
                rate=times[1],
                memory=record.activity.peak_memory_bytes,
                disk=sum(entity.bytes for entity in record.entities.values()),
                name=f"{folder.name}/{job.name}",
                alike=alike(
                    job, drawn=any(one.stage == MAKE_SYNTHETIC_DATA.name for one in prepared)
                ),
                sizes=sizes(job, spec, data),
            )


def _times(record: Record, work: float) -> tuple[float, float] | None:
    """Return a job's fixed seconds and its seconds per work; None if its time was cut."""
    activity = record.activity
    if activity.steps and activity.seconds_per_step:
        since = activity.resumed_from[-1] if activity.resumed_from else 0
        trained = activity.seconds_per_step * (activity.steps - since)
        rate = activity.seconds_per_step * activity.steps / work if work else 0.0
        return max(0.0, activity.seconds - trained), rate
    if activity.resumed_from:
        return None  # the record has the time of the last attempt only
    return (0.0, activity.seconds / work) if work else (activity.seconds, 0.0)


def _records(folder: Path) -> Iterator[Record]:
    for path in record_files(folder):
        name = path.relative_to(folder / "records").with_suffix("").as_posix()
        stage, _, cell = name.partition("/")
        if stage in stage_names():
            try:
                record = read_record(folder, Job(stage, cell))
            except RecordError:
                continue
            if record is not None:
                yield record


def this_host() -> str:
    """Return the name under which records have this computer."""
    return socket.gethostname()
