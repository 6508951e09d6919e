"""The tidy table of the partitions' quality: writing and reading it."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from cactus.errors import DataError
from cactus.evaluate.partition_quality import MEASURES, QUALITY_FILE, read_quality
from cactus.evaluate.statistics import summarize_seeds
from cactus.files import atomic_path
from cactus.paper.results import ALL_SEEDS, read_columns
from cactus.paper.schema.field import names, text_names
from cactus.paper.schema.partition_quality import FIELDS
from cactus.paper.vocabulary import dataset_rank, source_rank

QUALITY_TABLE: Final = "partition_quality.csv"
QUALITY_COLUMNS: Final = names(FIELDS)
_TEXT: Final = text_names(FIELDS)

Qualities = dict[str, npt.NDArray[np.float64]]


class _Cell(NamedTuple):
    """What the partitions of all seeds are for."""

    dataset: str
    source: str
    learner: str


def aggregate_quality(run_folder: Path, run: str, cells: Sequence[str], output: Path) -> None:
    """Write one row per cell, seed and measure, and one with seed ``all`` for all its seeds.

    The statistics are those of `cactus.paper.aggregate.aggregate`, over partitions in the place of
    tasks: the row of a seed has the mean over partitions, their population standard deviation, and
    ``ci95 = 1.96 std / sqrt(partitions)``, which is 0 for a single partition; the row of all seeds
    averages over the seeds first, partition by partition.

    Parameters
    ----------
    run_folder
        Folder of the run.
    cells
        Folders in it, ``quality/<dataset>/<source>/<learner>/s<seed>``; may be empty.
    output
        The CSV file to write, with the columns `QUALITY_COLUMNS`.

    Raises
    ------
    DataError
        A cell is missing or damaged, or its seeds have different numbers of partitions.
    """
    seeds: dict[_Cell, dict[str, Qualities]] = defaultdict(dict)
    for cell in cells:
        _, dataset, source, learner, seed = cell.split("/")
        quality = read_quality(run_folder / cell / QUALITY_FILE)
        seeds[_Cell(dataset, source, learner)][seed.removeprefix("s")] = quality
    rows = [row for cell in sorted(seeds, key=_rank) for row in _rows(cell, seeds[cell])]
    with atomic_path(output) as path:
        table = pd.DataFrame(rows, columns=QUALITY_COLUMNS).assign(run=run)
        table.to_csv(path, index=False, lineterminator="\n")


def _rank(cell: _Cell) -> tuple[object, ...]:
    return dataset_rank(cell.dataset), source_rank(cell.source), cell.learner


def _rows(cell: _Cell, seeds: dict[str, Qualities]) -> list[dict[str, Any]]:
    """Return the rows of a cell, those of all seeds last."""
    if len({len(quality[MEASURES[0]]) for quality in seeds.values()}) > 1:
        raise DataError(
            "The seeds of a cell have different numbers of partitions.",
            where="/".join(cell),
            got=", ".join(f"s{seed}: {len(one[MEASURES[0]])}" for seed, one in seeds.items()),
            fix="delete their folders in `quality` and `partitions`, and run the same command "
            "again",
        )
    ordered = sorted(seeds, key=int)
    groups = [*((seed, [seed]) for seed in ordered), (ALL_SEEDS, ordered)]
    return [
        _row(cell, name, measure, np.stack([seeds[seed][measure] for seed in group]))
        for name, group in groups
        for measure in MEASURES
    ]


def _row(cell: _Cell, seed: str, measure: str, values: npt.NDArray[np.float64]) -> dict[str, Any]:
    """Return the row of (S, P) values of S seeds."""
    summary, seed_std = summarize_seeds(values)
    return {
        **cell._asdict(),
        "seed": seed,
        "measure": measure,
        "partitions": summary.tasks,
        "mean": summary.mean,
        "ci95": summary.ci95,
        "std": summary.std,
        "seed_std": seed_std,
    }


def read_quality_table(path: Path) -> pd.DataFrame:
    """Read the table that `aggregate_quality` wrote; ``seed`` is text.

    Raises
    ------
    DataError
        The file is missing or is not such a table.
    """
    try:
        frame = read_columns(path, QUALITY_COLUMNS, _TEXT)
    except (OSError, ValueError) as error:
        raise DataError(
            "The table of the partitions' quality cannot be read.",
            where=str(path),
            got=str(error),
            fix="delete the file and run the same command again to recreate it",
        ) from error
    return frame
