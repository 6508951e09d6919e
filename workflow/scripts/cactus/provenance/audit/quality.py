"""Checks that the partitions' quality follows from the rows of single partitions."""

import math
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from cactus.errors import RecordError
from cactus.provenance.audit.findings import Finding, differences
from cactus.provenance.audit.printed import ScoringJobs
from cactus.provenance.audit.reading.episodes import mean_and_interval
from cactus.provenance.audit.reading.rows_of_csv import UnreadError, damaged, read_rows
from cactus.stages.aggregate_results import RESULTS
from cactus.stages.base import Job
from cactus.stages.measure_partitions import STAGE as MEASURE_PARTITIONS

_FILE: Final = RESULTS.files[2]
_KEYS: Final = ("dataset", "source", "learner", "seed", "measure")
_NUMBERS: Final = ("partitions", "mean", "ci95")

RowKey = tuple[str, ...]  # in the order of `_KEYS`


def quality_of(job: Job) -> str:
    """Return the name of the file in which a job lists its partitions."""
    return f"{job.folder}/quality.csv"


class QualityCheck:
    """Checks the table of the partitions' quality, and recomputes numbers in it."""

    def __init__(self, run_folder: Path, jobs: Sequence[Job]) -> None:
        self._run_folder = run_folder
        self._jobs = [job for job in jobs if job.stage == MEASURE_PARTITIONS.name]
        self._scoring = ScoringJobs(self._jobs)

    @cached_property
    def _measured(self) -> dict[Job, dict[str, list[float]] | RecordError]:
        """The values of each measure, partition by partition, that each job found."""
        found: dict[Job, dict[str, list[float]] | RecordError] = {}
        for job in self._jobs:
            try:
                found[job] = _read(self._run_folder / quality_of(job))
            except RecordError as error:
                found[job] = error
        return found

    def findings(self) -> Iterator[Finding]:
        """Yield damaged files, and the rows of the table that are wrong, missing or repeated."""
        for job, found in self._measured.items():
            file = quality_of(job)
            unread = isinstance(found, UnreadError)  # reported by the check of the results
            if (
                isinstance(found, RecordError)
                and not unread
                and os.path.lexists(self._run_folder / file)
            ):
                yield Finding("results damaged", file, found.got, job)
        try:
            rows = read_rows(self._run_folder / _FILE, (*_KEYS, *_NUMBERS))
        except RecordError as error:
            yield Finding("results damaged", _FILE, error.got, RESULTS)
            return
        seen = Counter(tuple(row[key] for key in _KEYS) for row in rows)
        for key, times in seen.items():
            if times > 1:
                yield Finding("results damaged", _FILE, f"{' '.join(key)}: {times} times", RESULTS)
        for key in sorted(self._expected() - {*seen}):
            yield Finding("seed missing", _FILE, f"{' '.join(key)}: no row", RESULTS)
        for row in rows:
            if got := self._difference(row):
                name = " ".join(row[key] for key in _KEYS)
                yield Finding("number differs", _FILE, f"{name}: {got}", RESULTS)

    def _expected(self) -> set[RowKey]:
        return {
            (*job.cell.split("/")[:-1], seed, measure)
            for job, found in self._measured.items()
            if not isinstance(found, RecordError)
            for seed in (job.wildcards["seed"], "all")
            for measure in found
        }

    def _difference(self, row: dict[str, str]) -> str:
        try:
            numbers = {name: float(row[name]) for name in _NUMBERS}
            return differences(numbers, self.summary(row), "partitions")
        except UnreadError:
            return ""
        except (RecordError, ValueError) as error:
            return f"{error.where}: {error.got}" if isinstance(error, RecordError) else str(error)

    def summary(self, row: Mapping[str, Any]) -> dict[str, float]:
        """Compute ``partitions``, ``mean`` and ``ci95`` of a row of the table.

        Raises
        ------
        ValueError
            No job of the grid measures it.
        UnreadError
            A file cannot be read.
        RecordError
            A file is damaged, lacks the measure, or has another number of partitions than the next.
        """
        jobs = self._scoring.of(row)
        if not jobs:
            raise ValueError("no job of the grid measures it")
        series = []
        for job in jobs:
            found = self._measured[job]
            if isinstance(found, RecordError):
                raise found
            series.append(found.get(row["measure"], []))
            if not series[0] or len(series[-1]) != len(series[0]):
                got = f"{len(series[-1])} values of {row['measure']}, not {len(series[0]) or 'any'}"
                raise damaged(self._run_folder / quality_of(job), got)
        return {"partitions": float(len(series[0])), **mean_and_interval(series)}


def _read(path: Path) -> dict[str, list[float]]:
    """Return the values of each measure, in the order of the partitions."""
    rows = read_rows(path, ("partition",))
    found: dict[str, list[float]] = {}
    for number, row in enumerate(rows):
        try:
            values = {name: float(text) for name, text in row.items()}
            if values.pop("partition") != number or not all(map(math.isfinite, values.values())):
                raise ValueError(f"partition {row['partition']}, {values}")
        except ValueError as error:
            raise damaged(path, f"row {number + 1}: {error}") from error
        for name, value in values.items():
            found.setdefault(name, []).append(value)
    return found
