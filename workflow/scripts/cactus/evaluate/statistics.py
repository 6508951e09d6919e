"""Accuracies of episodes: their summary, and the files that hold them.

``accuracies.csv`` has one row per episode, ``summary.json`` one entry per setting. The summary is
written last: if it exists, the accuracies are complete.
"""

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from cactus.errors import DataError
from cactus.files import atomic_path, read_text, write_json

if TYPE_CHECKING:
    from cactus.config.sections.evaluation import EvaluationSettings

Accuracies = npt.NDArray[np.float64]

ACCURACIES_FILE: Final = "accuracies.csv"
SUMMARY_FILE: Final = "summary.json"
_COLUMNS: Final = ["way", "shot", "episode", "accuracy"]
_Z95: Final = 1.96


@dataclass(frozen=True)
class TaskAccuracies:
    """Accuracies of one method on the episodes of one way and shot.

    Attributes
    ----------
    way, shot
        The setting.
    accuracies
        (T,) fractions of correctly labeled queries, in the order of the episodes.
    method
        A baseline's name; empty for a trained model.

    Raises
    ------
    DataError
        An accuracy is not a number from 0 to 1, or there are none.
    """

    way: int
    shot: int
    accuracies: Accuracies
    method: str = ""

    def __post_init__(self) -> None:
        values = self.accuracies
        wrong = values[~((values >= 0) & (values <= 1))] if values.ndim == 1 else values
        if values.ndim != 1 or not len(values) or len(wrong):
            raise DataError(
                "Accuracies must be a non-empty list of fractions from 0 to 1.",
                where=f"{self.method} {self.way}-way {self.shot}-shot".strip(),
                got=f"shape {values.shape}, wrong values {wrong.ravel()[:3].tolist()}",
                fix="delete the results of this cell and run the same command again",
            )


@dataclass(frozen=True)
class SettingResult:
    """Accuracies of one setting, with their further entries in the summary.

    Attributes
    ----------
    query
        Query images per class.
    episodes_sha256
        Hash of the episodes; see `cactus.evaluate.episodes.episodes_sha256`.
    details
        More JSON values for the entry in ``summary.json``.
    """

    accuracies: TaskAccuracies
    query: int
    episodes_sha256: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class AccuracySummary:
    """Mean, population standard deviation and half-width of the 95 % interval over episodes."""

    tasks: int
    mean: float
    std: float
    ci95: float


def summarize(accuracies: Accuracies) -> AccuracySummary:
    """Summarize the (T,) accuracies of one model: ``ci95 = 1.96 std / sqrt(T)``.

    The original (Hsu, Levine and Finn, 2019) reports the same interval. It covers the choice of
    episodes, not the choice of the training seed.
    """
    tasks = len(accuracies)
    std = float(np.std(accuracies))
    return AccuracySummary(tasks, float(np.mean(accuracies)), std, _Z95 * std / math.sqrt(tasks))


def summarize_seeds(accuracies: Accuracies) -> tuple[AccuracySummary, float | None]:
    """Summarize the (S, T) accuracies of S seeds on T shared episodes.

    Returns
    -------
    over_tasks
        Summary of each episode's accuracy averaged over the seeds. The interval covers the choice
        of episodes for these seeds.
    seed_std
        Sample standard deviation of the seeds' means; None for a single seed.
    """
    means = accuracies.mean(axis=1)
    seed_std = float(np.std(means, ddof=1)) if len(means) > 1 else None
    return summarize(accuracies.mean(axis=0)), seed_std


def write_results(
    folder: Path, results: Sequence[SettingResult], header: Mapping[str, Any]
) -> None:
    """Write ``accuracies.csv``, then ``summary.json`` with `header` and one entry per setting.

    Raises
    ------
    StorageError
        The files cannot be written; then there is no summary.
    """
    (folder / SUMMARY_FILE).unlink(missing_ok=True)
    write_accuracies(folder / ACCURACIES_FILE, [result.accuracies for result in results])
    entries = [_entry(result) for result in results]
    write_json(folder / SUMMARY_FILE, {**header, "settings": entries})


def check_results(
    results: Sequence[SettingResult],
    evaluation: "EvaluationSettings",
    methods: Sequence[str] = ("",),
) -> None:
    """Check that results are those of each method on all episodes of each way and shot.

    Raises
    ------
    DataError
        A setting is missing or not asked for, an episode is missing, or an accuracy is not that of
        whole queries.
    """
    promised = sorted(
        (method, one.way, one.shot, evaluation.tasks, evaluation.query)
        for method in methods
        for one in evaluation.settings
    )
    found = sorted(
        (one.method, one.way, one.shot, len(one.accuracies), result.query)
        for result in results
        for one in [result.accuracies]
    )
    odd = [
        f"{result.accuracies.accuracies[wrong][0]} of {way * result.query} queries"
        for result in results
        for way in [result.accuracies.way]
        for wrong in [~_whole(result.accuracies.accuracies * way * result.query)]
        if wrong.any()
    ]
    if found != promised or odd:
        different = sorted({*found} ^ {*promised})[:3]
        raise DataError(
            "The accuracies are not those that were asked for.",
            where="method, way, shot, episodes and queries of an evaluation",
            got="; ".join([*odd[:1], *map(str, different or found)]),
            fix="run the same command again; if it fails again, the scoring code is wrong",
        )


def _whole(numbers: Accuracies) -> npt.NDArray[np.bool_]:
    return np.abs(numbers - numbers.round()) < 1e-6 * np.maximum(numbers, 1.0)


def _entry(result: SettingResult) -> dict[str, Any]:
    accuracies = result.accuracies
    method = {"method": accuracies.method} if accuracies.method else {}
    return {
        **method,
        "way": accuracies.way,
        "shot": accuracies.shot,
        "query": result.query,
        **vars(summarize(accuracies.accuracies)),
        "episodes_sha256": result.episodes_sha256,
        **result.details,
    }


def write_accuracies(path: Path, results: Sequence[TaskAccuracies]) -> None:
    """Write one row per episode, atomically; each accuracy reads back exactly.

    The columns are way, shot, episode (from 0) and accuracy, after the method if the results have
    one.
    """
    named = any(result.method for result in results)
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["method", *_COLUMNS] if named else _COLUMNS)
        for result in results:
            lead = [result.method] if named else []
            for episode, accuracy in enumerate(result.accuracies.tolist()):
                writer.writerow([*lead, result.way, result.shot, episode, repr(accuracy)])


def read_accuracies(path: Path) -> list[TaskAccuracies]:
    """Read the results that `write_accuracies` wrote, in the same order.

    Raises
    ------
    DataError
        The file or a column is missing, an episode is missing or occurs twice, or a value is not
        an accuracy.
    """
    try:
        file = io.StringIO(read_text(path), newline="")
        return list(_parse(csv.DictReader(file, strict=True)))
    except (OSError, ValueError, csv.Error, DataError) as error:
        got = f"{error.where}: {error.got}" if isinstance(error, DataError) else str(error)
        raise DataError(
            "The accuracies of the episodes cannot be read.",
            where=str(path),
            got=got,
            fix="delete the file and run the same command again",
        ) from error


def _parse(reader: "csv.DictReader[str]") -> Iterator[TaskAccuracies]:
    columns = list(reader.fieldnames or [])
    if columns not in (_COLUMNS, ["method", *_COLUMNS]):
        raise ValueError(f"the columns {columns}")
    seen = set()
    for key, rows in groupby(reader, lambda row: (row.get("method", ""), row["way"], row["shot"])):
        if key in seen:
            raise ValueError(f"two blocks of rows for {key}")
        seen.add(key)
        values: list[float] = []
        for row in rows:
            if None in row or None in row.values() or int(row["episode"]) != len(values):
                raise ValueError(f"line {reader.line_num}: not episode {len(values)} of {key}")
            values.append(float(row["accuracy"]))
        yield TaskAccuracies(int(key[1]), int(key[2]), np.array(values), key[0])
