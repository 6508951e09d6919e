"""Which classes a model takes the queries of evaluation episodes for.

``confusion.csv`` has the episodes of one way and shot, with one row per class and class that was
predicted for it. Tasks that are made of attributes have no classes: then it has a header alone.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from cactus.errors import DataError
from cactus.files import atomic_path, read_text
from cactus.tasks.episodes import EpisodeBatch

CONFUSION_FILE: Final = "confusion.csv"
COLUMNS: Final = ["way", "shot", "class", "predicted", "predictions", "queries"]

Integers = npt.NDArray[np.integer[Any]]


class ConfusionRow(NamedTuple):
    """How often queries of a class were predicted as a class.

    Attributes
    ----------
    way, shot
        The setting.
    true, predicted
        The two classes, as labels of the split.
    predictions
        Queries of the class `true` that were predicted as `predicted`, at least 1.
    queries
        Queries of the class `true` in the episodes that have `predicted`, too.
    """

    way: int
    shot: int
    true: int
    predicted: int
    predictions: int
    queries: int

    @property
    def share(self) -> float:
        """The fraction of these queries that were predicted so."""
        return self.predictions / self.queries


class Confusion:
    """Counts the predictions on the episodes of one way and shot, chunk by chunk.

    Parameters
    ----------
    labels
        (N,) classes of the split's images; None if tasks are not made of classes: then nothing is
        counted.
    """

    def __init__(self, labels: Integers | None) -> None:
        self._labels = labels
        self._setting = 0, 0
        self._predictions = Counter[tuple[int, int]]()
        self._queries = Counter[tuple[int, int]]()

    def add(self, batch: EpisodeBatch, positions: Integers) -> None:
        """Count the predictions on some episodes.

        Parameters
        ----------
        batch
            T episodes of one way and shot.
        positions
            (T, way, query), the place in its episode of the class predicted for each query.
        """
        if self._labels is None:
            return
        tasks, way, shot = batch.support.shape
        self._setting = way, shot
        classes = self._labels[batch.support[:, :, 0]].astype(np.int64)
        predicted = np.take_along_axis(classes, positions.reshape(tasks, -1), axis=1)
        true = np.repeat(classes, positions.shape[2], axis=1)
        _count(self._predictions, true, predicted, 1)
        _count(self._queries, np.repeat(classes, way, axis=1), np.tile(classes, way),
               positions.shape[2])  # fmt: skip

    def rows(self) -> list[ConfusionRow]:
        """Return what was counted, in the order of the classes."""
        return [
            ConfusionRow(*self._setting, *pair, self._predictions[pair], self._queries[pair])
            for pair in sorted(self._predictions)
        ]

    def write(self, path: Path) -> None:
        """Write ``confusion.csv``, atomically."""
        with (
            atomic_path(path) as temporary,
            temporary.open("w", newline="", encoding="utf-8") as file,
        ):
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows(self.rows())


def _count(counter: Counter[tuple[int, int]], first: Integers, other: Integers, times: int) -> None:
    """Count each pair of classes as often as it occurs, `times` times."""
    pairs, counts = np.unique(np.stack([first.ravel(), other.ravel()]), axis=1, return_counts=True)
    for one, another, count in zip(*pairs.tolist(), counts.tolist(), strict=True):
        counter[one, another] += times * count


def read_confusion(path: Path) -> list[ConfusionRow]:
    """Read the rows that `Confusion.write` wrote, in the same order.

    Raises
    ------
    DataError
        The file or a column is missing, or a row has a value that cannot be.
    """
    try:
        file = io.StringIO(read_text(path), newline="")
        return list(_parse(csv.reader(file, strict=True)))
    except (OSError, ValueError, TypeError, csv.Error) as error:
        raise DataError(
            "The confusion of an evaluation cannot be read.",
            where=str(path),
            got=str(error),
            fix="delete the file and run the same command again",
        ) from error


def _parse(lines: Iterator[list[str]]) -> Iterator[ConfusionRow]:
    header = next(lines, [])
    if header != COLUMNS:
        raise ValueError(f"the columns {header}")
    for values in lines:
        row = ConfusionRow(*map(int, values))
        if not (0 < row.predictions <= row.queries and min(row) >= 0):
            raise ValueError(f"the row {','.join(values)}")
        yield row
