"""The paper's numbers, separate from ours and marked by how certain they are."""

from pathlib import Path
from typing import Final

import pandas as pd

from cactus.errors import DataError
from cactus.files import open_regular
from cactus.paper.schema.values import STATUSES as STATUSES  # others take it from here

CELL_KEYS: Final = ["dataset", "source", "method", "learner", "way", "shot"]
_COLUMNS: Final = [
    *CELL_KEYS, "accuracy", "accuracy_status", "ci95", "ci95_status",
    "paper", "table", "citation",
]  # fmt: skip


def read_published(path: Path) -> pd.DataFrame:
    """Read the published accuracies.

    The file has percentages, as printed. A status says where a number comes from: ``verified``
    (read in a source, see the column ``citation``), ``recalled`` (from memory, not checked), or
    ``unavailable`` (the paper ran the cell, but we do not have its number).

    Returns
    -------
    DataFrame
        One row per cell: its keys, ``paper_mean`` and ``paper_ci95`` (fractions, NaN if
        unavailable), ``paper_status`` and ``paper_ci95_status``.

    Raises
    ------
    DataError
        The file is missing or damaged, has a duplicate cell, an unknown status, or a number that
        contradicts its status.
    """
    frame = _read(path)
    _check(frame, path)
    # Ten decimals undo the binary rounding of the division: 0.6884, not 0.6884000000000001.
    fractions = (frame[["accuracy", "ci95"]] / 100).round(10)
    return frame[CELL_KEYS].assign(
        paper_mean=fractions["accuracy"],
        paper_ci95=fractions["ci95"],
        paper_status=frame["accuracy_status"],
        paper_ci95_status=frame["ci95_status"],
    )


def _read(path: Path) -> pd.DataFrame:
    try:
        with open_regular(path) as file:
            frame = pd.read_csv(file, dtype=str, keep_default_na=False)[_COLUMNS]
        numbers = frame[["accuracy", "ci95"]].apply(pd.to_numeric)
        return frame.astype({"way": int, "shot": int}).assign(**numbers)
    except (OSError, ValueError, KeyError) as error:
        raise _damaged(path, str(error)) from error


def _check(frame: pd.DataFrame, path: Path) -> None:
    duplicates = frame[frame.duplicated(CELL_KEYS)]
    if len(duplicates):
        raise _damaged(path, f"the cell {tuple(duplicates.iloc[0][CELL_KEYS])} appears twice")
    unknown = set(frame["accuracy_status"]) - set(STATUSES)
    if unknown:
        raise _damaged(path, f"the status {sorted(unknown)[0]!r}")
    wrong = frame["accuracy"].isna() != (frame["accuracy_status"] == "unavailable")
    if wrong.any():
        row = frame[wrong].iloc[0]
        raise _damaged(path, f"{row['accuracy']} with status {row['accuracy_status']!r}")


def _damaged(path: Path, got: str) -> DataError:
    return DataError(
        "The file of published results is not valid.",
        where=str(path),
        got=got,
        fix=f"restore the file from the repository; its columns are {', '.join(_COLUMNS)}, and "
        f"its statuses are {', '.join(STATUSES)}",
    )
