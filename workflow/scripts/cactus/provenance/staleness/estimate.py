"""How long the stale jobs of a run will take, estimated from the records of earlier jobs."""

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
    """The expected cost of the next run.

    Attributes
    ----------
    seconds
        Expected wall time of each job; None if no record gives an estimate.
    gpu_hours, cpu_hours
        Total of the estimated jobs, by the device in the records.
    wall_seconds
        Lower bound: the longest chain of jobs, or the total divided by the jobs at once.
    """

    seconds: dict[Job, float | None]
    gpu_hours: float
    cpu_hours: float
    wall_seconds: float

    @property
    def unknown(self) -> int:
        """Number of jobs without an estimate."""
        return sum(seconds is None for seconds in self.seconds.values())


def estimate(planner: Planner, jobs: list[Job], at_once: int) -> Estimate:
    """Estimate the cost of jobs, given in an order in which they can run.

    A job should take as long as its own last run, or else as the median of the most similar jobs:
    those that share its stage and most of its wildcards, in any run of the folder.
    """
    records = _all_records(planner)
    expected = {job: _most_similar(job, records) for job in jobs}
    hours = {"cuda": 0.0, "cpu": 0.0}
    for found in expected.values():
        if found is not None:
            hours[found[1]] += found[0] / 3600
    seconds = {job: found[0] if found else None for job, found in expected.items()}
    ends: dict[Job, float] = {}
    for job in jobs:
        before = [ends.get(upstream.job, 0.0) for upstream in planner.graph.inputs(job)]
        ends[job] = max(before, default=0.0) + (seconds[job] or 0.0)
    total = sum(value or 0.0 for value in seconds.values())
    wall = max([total / at_once, *ends.values()])
    return Estimate(seconds, hours["cuda"], hours["cpu"], wall)


def _all_records(planner: Planner) -> list[Record]:
    """Return all readable records, first of this run, then of the runs beside it."""
    run_folder = planner.run_folder.absolute()
    folders = [run_folder, *sorted(run_folder.parent.iterdir())]
    return [record for folder in dict.fromkeys(folders) for record in _records(folder)]


def _records(folder: Path) -> Iterable[Record]:
    for path in sorted((folder / "records").rglob("*.json")):
        name = path.relative_to(folder / "records").with_suffix("").as_posix()
        stage, _, cell = name.partition("/")
        if stage in stage_names():
            try:
                record = read_record(folder, Job(stage, cell))
            except RecordError:
                continue  # the audit reports it
            if record is not None:
                yield record


def _most_similar(job: Job, records: list[Record]) -> tuple[float, str] | None:
    """Return the expected seconds and device of a job; None if no record is of its stage."""
    candidates = [record for record in records if record.job.stage == job.stage]
    if not candidates:
        return None
    wildcards = job.wildcards.items()
    scores = [len(wildcards & record.job.wildcards.items()) for record in candidates]
    best = [one for one, score in zip(candidates, scores, strict=True) if score == max(scores)]
    own = [record for record in best if record.job == job][:1]
    chosen = own or best
    device = (chosen[0].agent.device or {}).get("device", "cpu")
    return median(record.activity.seconds for record in chosen), str(device)
