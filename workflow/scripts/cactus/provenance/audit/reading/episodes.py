"""The accuracies of single episodes, read and averaged with code of the audit's own."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from cactus.provenance.audit.reading.rows_of_csv import FilesOfJobs, damaged, read_rows
from cactus.stages.base import Job

_ACCURACY_COLUMNS: Final = ("way", "shot", "episode", "accuracy")

SettingKey = tuple[str, int, int]  # method, way, shot


class EpisodeAccuracies:
    """The accuracies of a run's episodes, read directly from the jobs' files."""

    def __init__(self, run_folder: Path) -> None:
        self._run_folder = run_folder
        self._files = FilesOfJobs(self._read)

    def of(self, job: Job) -> dict[SettingKey, list[float]]:
        """Return the accuracies of a scoring job; the method of a meta-learner is an empty string.

        Raises
        ------
        RecordError
            The file is damaged.
        """
        return self._files.of(job)

    def _read(self, job: Job) -> dict[SettingKey, list[float]]:
        path = self._run_folder / accuracies_of(job)
        found: dict[SettingKey, list[float]] = defaultdict(list)
        for number, row in enumerate(read_rows(path, _ACCURACY_COLUMNS), start=1):
            try:
                values = found[row.get("method", ""), int(row["way"]), int(row["shot"])]
                accuracy = float(row["accuracy"])
                if not 0 <= accuracy <= 1 or int(row["episode"]) != len(values):
                    raise ValueError(f"episode {row['episode']}, accuracy {row['accuracy']}")
            except ValueError as error:
                raise damaged(path, f"row {number}: {error}") from error
            values.append(accuracy)
        return dict(found)

    def by_seed(self, jobs: list[Job], key: SettingKey) -> dict[str, list[float]]:
        """Return the accuracy of each episode by the seed of its job.

        Raises
        ------
        ValueError
            There is no job.
        RecordError
            A file is damaged, has no such episodes, or has other ones than the next.
        """
        series = self._series(jobs, key)
        return {job.wildcards["seed"]: one for job, one in zip(jobs, series, strict=True)}

    def summary(self, jobs: list[Job], key: SettingKey) -> dict[str, float | None]:
        """Return the mean over seeds and episodes, half its interval, and the jobs' deviation.

        Raises
        ------
        ValueError, RecordError
            As `by_seed`.
        """
        series = self._series(jobs, key)
        spread = math.sqrt(_squares([_mean(one) for one in series]) / max(len(series) - 1, 1))
        return {**mean_and_interval(series), "seed_std": spread if len(series) > 1 else None}

    def _series(self, jobs: list[Job], key: SettingKey) -> list[list[float]]:
        if not jobs:
            raise ValueError("no job of the grid scores it")
        series = [self.of(job).get(key, []) for job in jobs]
        count = len(series[0])
        for job, values in zip(jobs, series, strict=True):
            if not count or len(values) != count:
                got = f"{len(values)} episodes of {key[1]}-way {key[2]}-shot, not {count or 'any'}"
                raise damaged(self._run_folder / accuracies_of(job), f"{key[0]} {got}".strip())
        return series


def mean_and_interval(series: Sequence[Sequence[float]]) -> dict[str, float]:
    """Average series of the same length, then their values; ``ci95`` is half the interval."""
    averaged = over_seeds(series)
    count = len(averaged)
    half = 1.96 * math.sqrt(_squares(averaged) / count / count)
    return {"mean": _mean(averaged), "ci95": half}


def over_seeds(series: Sequence[Sequence[float]]) -> list[float]:
    """Return the mean of each episode over series of the same length."""
    return [_mean(values) for values in zip(*series, strict=True)]


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _squares(values: Sequence[float]) -> float:
    """Return the sum of squared deviations from the mean."""
    center = _mean(values)
    return math.fsum((value - center) ** 2 for value in values)


def setting_of(row: Mapping[str, Any]) -> SettingKey:
    """Return the setting of a row of results; the method of a meta-learner is an empty string."""
    return "" if row["learner"] else str(row["method"]), int(row["way"]), int(row["shot"])


def accuracies_of(job: Job) -> str:
    """Return the name of the file in which a scoring job lists its episodes."""
    return f"{job.folder}/accuracies.csv"
