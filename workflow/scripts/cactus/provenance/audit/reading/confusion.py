"""How often evaluations confused classes, read and compared with code of the audit's own."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from cactus.config.models import Config
from cactus.provenance.audit.reading.episodes import SettingKey
from cactus.provenance.audit.reading.rows_of_csv import FilesOfJobs, damaged, read_rows
from cactus.stages.base import Job

_COLUMNS: Final = ("way", "shot", "class", "predicted", "predictions", "queries")

# Predictions and queries, by way, shot, the class and the predicted one.
Counts = dict[tuple[int, ...], tuple[int, int]]


class ConfusedClasses:
    """What the evaluations of a run counted, read directly from the jobs' files."""

    def __init__(self, run_folder: Path) -> None:
        self._files = FilesOfJobs(lambda job: _read(run_folder / confusion_of(job)))

    def of(self, job: Job) -> Counts:
        """Return the counts of an evaluation.

        Raises
        ------
        RecordError
            The file is damaged.
        """
        return self._files.of(job)

    def difference(
        self, job: Job, accuracies: Mapping[SettingKey, Sequence[float]], each: int
    ) -> str:
        """Return how counts contradict the episodes' accuracies; empty if they do not.

        Parameters
        ----------
        accuracies
            Those of the job's episodes.
        each
            Queries of a class in an episode; 0 for tasks of attributes, which count nothing.

        Raises
        ------
        RecordError
            The file is damaged.
        """
        counts = self.of(job)
        total, right = Counter[int](), 0
        for (_, _, true, predicted), (predictions, _) in counts.items():
            total[true] += predictions
            right += predictions if true == predicted else 0
        for (_, _, true, predicted), (_, queries) in counts.items():
            if true == predicted and queries != total[true]:
                return f"class {true}: {total[true]} predictions of {queries} queries"
            if not each or queries % each or queries > total[true]:
                return f"class {true}: {queries} of {total[true]} queries with {predicted}"
        if each and not counts:
            return "no counts"
        for way, shot in {(way, shot) for way, shot, *_ in counts}:
            own = accuracies.get(("", way, shot), [])
            queries = len(own) * way * each
            if total.total() != queries:
                return f"{total.total()} predictions of {queries} queries"
            expected = math.fsum(own) * way * each
            if not abs(right - expected) < 1e-6:
                return f"{right} right predictions, but {expected:g} by the accuracies"
        return ""

    def share(self, jobs: Sequence[Job], row: Mapping[str, Any]) -> dict[str, float]:
        """Compute the ``share`` of the queries of a class that were predicted as another.

        Raises
        ------
        ValueError
            The job counts no such prediction, or there is not exactly one job.
        RecordError
            The file is damaged.
        """
        if len(jobs) != 1:
            raise ValueError("no job of the grid, or several, count it")
        key = tuple(int(row[name]) for name in ("way", "shot", "true", "predicted"))
        predictions, queries = self.of(jobs[0]).get(key, (0, 0))
        if not queries:
            raise ValueError(f"{confusion_of(jobs[0])} has no such row")
        return {"share": predictions / queries}


def _read(path: Path) -> Counts:
    counts: Counts = {}
    for number, row in enumerate(read_rows(path, _COLUMNS), start=1):
        try:
            *key, predictions, queries = (int(row[name]) for name in _COLUMNS)
            if tuple(key) in counts or not 0 < predictions <= queries:
                raise ValueError(f"{predictions} of {queries} for {key}")
        except ValueError as error:
            raise damaged(path, f"row {number}: {error}") from error
        counts[tuple(key)] = predictions, queries
    if len({key[:2] for key in counts}) > 1:
        raise damaged(path, "rows of several settings")
    return counts


def counted_queries(config: Config, job: Job) -> int:
    """Return how many queries of a class an episode counts; 0 for tasks of attributes."""
    dataset, source, *_ = job.wildcards.values()
    labeled = config.pool_attributes(dataset) == 0
    return config.evaluation_of(dataset, source).query if labeled else 0


def confusion_of(job: Job) -> str:
    """Return the name of the file in which an evaluation counts confused classes."""
    return f"{job.folder}/confusion.csv"
