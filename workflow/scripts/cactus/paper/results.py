"""The tidy table of all numbers: its columns, its order, and reading it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pandas as pd

from cactus.errors import DataError
from cactus.files import open_regular
from cactus.paper.schema.field import names, text_names
from cactus.paper.schema.results import FIELDS
from cactus.paper.vocabulary import (
    SPLIT_NOTE,
    SYNTHETIC_NOTE,
    dataset_rank,
    method_rank,
    row_source,
    source_rank,
)

COLUMNS: Final = names(FIELDS)
ALL_SEEDS: Final = "all"
_TEXT: Final = text_names(FIELDS)


def sorted_results(results: pd.DataFrame) -> pd.DataFrame:
    """Return the rows in print order: data set, source, method, setting, seed (``all`` last)."""
    rows: list[Any] = list(results.itertuples(index=False))

    def rank(index: int) -> tuple[object, ...]:
        row = rows[index]
        averaged = row.seed == ALL_SEEDS
        return (
            dataset_rank(row.dataset),
            source_rank(row.source),
            method_rank(row.method),
            (row.way, row.shot),
            (averaged, 0 if averaged else int(row.seed)),
        )

    return results.iloc[sorted(range(len(rows)), key=rank)].reset_index(drop=True)


def read_columns(path: Path, columns: Sequence[str], text: Sequence[str]) -> pd.DataFrame:
    """Read a CSV file with the given columns; only an empty value is missing.

    Parameters
    ----------
    columns
        All columns, in order.
    text
        Those that are text, whatever it looks like: a run may be named ``nan``.

    Raises
    ------
    ValueError
        The columns are others, or the file is no such table.
    """
    with open_regular(path) as file:
        types = dict.fromkeys(text, str)
        frame = pd.read_csv(file, dtype=types, keep_default_na=False, na_values=[""])
    if list(frame.columns) != list(columns):
        raise ValueError(f"columns {', '.join(frame.columns)}")
    return frame


def read_results(path: Path) -> pd.DataFrame:
    """Read the table written by `cactus.paper.aggregate.aggregate`.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`; accuracies and intervals are fractions; ``seed`` is text.

    Raises
    ------
    DataError
        The file is missing or is not such a table.
    """
    try:
        frame = read_columns(path, COLUMNS, _TEXT)
    except (OSError, ValueError) as error:
        raise DataError(
            "The table of results cannot be read.",
            where=str(path),
            got=str(error),
            fix="delete the file and run the same command again to recreate it",
        ) from error
    frame[_TEXT] = frame[_TEXT].fillna("")
    return frame


def averaged_over_seeds(results: pd.DataFrame) -> pd.DataFrame:
    """Return the rows averaged over seeds, one per cell and setting."""
    return results[results["seed"] == ALL_SEEDS].reset_index(drop=True)


def rows_of_tables(results: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that the tables of a data set show: averaged over seeds, one per number.

    In the row of random assignment, models of a setting's own way replace others.
    """
    averaged = averaged_over_seeds(results)
    keys = averaged[["dataset", "method", "way", "shot"]]
    keys = keys.assign(row=averaged["source"].map(row_source))
    # In print order, a source comes before its models of one way.
    return averaged[~keys.duplicated(keep="last")].reset_index(drop=True)


def caveat(results: pd.DataFrame) -> str:
    """Return what a title has to say of accuracies that are not like the paper's, if any is."""
    notes = [SYNTHETIC_NOTE] if results["synthetic"].any() else []
    notes += [SPLIT_NOTE] if (results["split"] != "test").any() else []
    return "; ".join(notes)
