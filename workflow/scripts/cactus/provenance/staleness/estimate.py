"""How long the stale jobs of a run will take, from records of earlier jobs."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from cactus.errors import RecordError
from cactus.provenance.records.record import Record, read_record
from cactus.provenance.staleness.planner import Planner
from cactus.stages.base import Job, stage_names


@dataclass(frozen=True)
class Estimate:
    """What the next run will cost.

    Attributes
    ----------
    seconds
        Expected wall time of each job; None where no record tells.
    gpu_hours, cpu_hours
        Of the jobs whose time is known, by the device in the records.
    wall_seconds
        At least this long: the longest chain of jobs, or all of them side by side.
    """

    seconds: dict[Job, float | None]
    gpu_hours: float
    cpu_hours: float
    wall_seconds: float

    @property
    def unknown(self) -> int:
        """Number of jobs for whose kind there is no record."""
        return sum(seconds is None for seconds in self.seconds.values())


def estimate(planner: Planner, jobs: list[Job], at_once: int) -> Estimate:
    """Estimate the cost of jobs, which are given in an order in which they can run.

    A job is expected to take as long as its own last run, or else the median of the jobs most
    like it: those that share its stage and most of its wildcards, in any run of the folder.
    """
    records = _all_records(planner)
    likely = {job: _nearest(job, records) for job in jobs}
    hours = {"cuda": 0.0, "cpu": 0.0}
    for found in likely.values():
        if found is not None:
            hours[found[1]] += found[0] / 3600
    seconds = {job: found[0] if found else None for job, found in likely.items()}
    ends: dict[Job, float] = {}
    for job in jobs:
        before = [ends.get(upstream.job, 0.0) for upstream in planner.graph.inputs(job)]
        ends[job] = max(before, default=0.0) + (seconds[job] or 0.0)
    total = sum(value or 0.0 for value in seconds.values())
    wall = max([total / at_once, *ends.values()])
    return Estimate(seconds, hours["cuda"], hours["cpu"], wall)


def _all_records(planner: Planner) -> list[Record]:
    """Return all readable records of this run, then of its neighbours."""
    neighbours = sorted(planner.run_folder.absolute().parent.iterdir())
    folders = [planner.run_folder.absolute(), *neighbours]
    return [record for folder in dict.fromkeys(folders) for record in _records(folder)]


def _records(folder: Path) -> Iterable[Record]:
    for path in sorted((folder / "records").rglob("*.json")):
        stage, _, cell = (
            path.relative_to(folder / "records").with_suffix("").as_posix().partition("/")
        )
        if stage in stage_names():
            try:
                record = read_record(folder, Job(stage, cell))
            except RecordError:
                continue  # the audit speaks of it; it tells nothing of time
            if record is not None:
                yield record


def _nearest(job: Job, records: list[Record]) -> tuple[float, str] | None:
    """Return the expected seconds and device of a job."""
    alike = [record for record in records if record.job.stage == job.stage]
    if not alike:
        return None
    scores = [_shared(job, record.job) for record in alike]
    best = [record for record, score in zip(alike, scores, strict=True) if score == max(scores)]
    own = [record for record in best if record.job == job][:1]
    chosen = own or best
    device = (chosen[0].agent.device or {}).get("device", "cpu")
    return median(record.activity.seconds for record in chosen), str(device)


def _shared(job: Job, other: Job) -> int:
    mine, theirs = job.wildcards, other.wildcards
    return sum(value == theirs.get(name) for name, value in mine.items())
