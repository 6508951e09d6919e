"""What an audit finds, and which printed numbers it puts in question."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from cactus.config.models import Config
from cactus.provenance.audit.published import cell_key
from cactus.provenance.graph import all_jobs, reads
from cactus.provenance.jobs import AUDIT, Job
from cactus.provenance.staleness.planner import Assessment, Planner

FindingKind = Literal[
    "record missing", "record damaged", "output missing", "output changed", "stray file",
    "input differs", "clock", "source lost", "source differs", "stale", "seed missing",
    "mixed row", "number differs", "text differs", "map damaged", "results damaged",
]  # fmt: skip


class Printed(NamedTuple):
    """A printed number.

    Attributes
    ----------
    job
        The job that made the table or figure.
    file
        The table or figure, below the run's folder.
    entry
        Its record in the file's map, see `cactus.paper.cells.map_entry`.
    """

    job: Job
    file: str
    entry: dict[str, Any]

    @property
    def title(self) -> str:
        """Where a reader finds the number."""
        return f"{self.file}: {self.entry['row']}: {self.entry['column']}"


@dataclass(frozen=True)
class Finding:
    """Something that does not agree.

    Attributes
    ----------
    kind
        What kind of disagreement.
    file
        The file below the run's folder, or the job.
    got
        What was found, and what should be.
    job
        The job whose results are in question.
    number
        The printed number in question, if it is this one alone; else all that follow from the job
        are.
    """

    kind: FindingKind
    file: str
    got: str
    job: Job
    number: Printed | None = None


def audited(planner: Planner) -> list[Assessment]:
    """Return the assessments of all jobs but the audit itself."""
    return [one for one in planner.assess_all() if one.job != AUDIT]


def scoring_jobs(entry: dict[str, Any], jobs: Iterable[Job]) -> list[Job]:
    """Return the jobs that scored the episodes behind one of our printed numbers."""
    row = entry["results_row"]
    if row["learner"]:
        stage, start = "evaluate_model", f"{row['dataset']}/{row['source']}/{row['learner']}/"
    else:
        stage, start = "run_baselines", f"{row['dataset']}/{row['source']}/"
    wanted = [job for job in jobs if job.stage == stage and job.cell.startswith(start)]
    return [job for job in wanted if row["seed"] in ("all", job.wildcards["seed"])]


def map_entries(path: Path) -> list[dict[str, Any]]:
    """Return the records of a table's or figure's numbers, see `cactus.paper.cells.map_entry`.

    Raises
    ------
    OSError, ValueError, KeyError, TypeError
        The file cannot be read, or is no such map.
    """
    entries: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["cells"]
    for entry in entries:
        cell_key(entry["results_row"])
        texts = [entry["row"], entry["column"], entry["printed"], entry["results_row"]["seed"]]
        if not entry["columns"] or not all(isinstance(text, str) for text in texts):
            raise ValueError(f"not the record of a number: {entry}")
    return entries


def printed_numbers(run_folder: Path, jobs: Iterable[Job]) -> Iterator[Printed]:
    """Yield the printed numbers of a run, as far as their maps can be read."""
    for job in jobs:
        if job.stage not in ("make_table", "make_figure"):
            continue
        try:
            entries = map_entries(run_folder / job.files[-1])
        except (OSError, ValueError, KeyError, TypeError):
            continue  # reported by the check of the maps
        yield from (Printed(job, job.files[0], entry) for entry in entries if entry["printed"])


class Taint:
    """Which printed numbers a finding puts in question: those that follow from its job."""

    def __init__(self, config: Config, printed: list[Printed]) -> None:
        self._printed = printed
        jobs = list(all_jobs(config))
        above: dict[Job, set[Job]] = {}
        for job in jobs:
            above[job] = {job}.union(*(above[read.job] for read in reads(config, job)))
        self._behind = [self._jobs_behind(one, jobs, above) for one in printed]

    @staticmethod
    def _jobs_behind(one: Printed, jobs: list[Job], above: dict[Job, set[Job]]) -> set[Job]:
        """Return the jobs on which a number depends: those of its own cells only."""
        own = {one.job, Job("aggregate_results", "")}
        if one.entry["column"].endswith(", paper"):
            return own
        return own.union(*(above[job] for job in scoring_jobs(one.entry, jobs)))

    def of(self, finding: Finding) -> tuple[Printed, ...]:
        """Return the printed numbers that a finding puts in question."""
        if finding.number is not None:
            return (finding.number,)
        pairs = zip(self._printed, self._behind, strict=True)
        return tuple(one for one, behind in pairs if finding.job in behind)
