"""The file of the paired tests: its columns, reading it, and what is printed of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pandas as pd

from cactus.errors import DataError
from cactus.paper.results import read_columns
from cactus.paper.schema.field import names, text_names
from cactus.paper.schema.paired import FIELDS
from cactus.paper.vocabulary import is_embedding, method_rank

PAIRED_FILE: Final = "paired_tests.csv"
LEVEL: Final = 0.05  # of a family of tests
BASE: Final = "Base"  # the printed name of what a variant departs from
BASE_MEANS: Final = (
    "the same meta-learner on the source without variant and way; for hyperplanes, on the "
    "embedding's clusters"
)
ABLATIONS: Final = "variants, ablations and controls"
COLUMNS: Final = names(FIELDS)
_TEXT: Final = text_names(FIELDS)


def in_parts(paired: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Return the rows of cells on embeddings, then `ABLATIONS`, with the name of each part.

    The two have other competitors, so that they are tables of their own. The first has no name;
    a part without rows is left out.
    """
    plain = paired["source"].map(is_embedding).astype(bool)
    parts = ("", paired[plain]), (ABLATIONS, paired[~plain])
    return [(name, rows) for name, rows in parts if len(rows)]


def competitor(row: Mapping[Any, Any]) -> str:
    """Return what a CACTUs cell is compared with in a row of the file.

    It is the name of a method, or `BASE` for the cell's own on another source.
    """
    other = str(row["other_method"])
    return BASE if other == row["method"] else other


def competitors(paired: pd.DataFrame) -> list[str]:
    """Return what CACTUs cells are compared with, in print order; `BASE` follows scratch."""
    return sorted(set(map(competitor, paired.to_dict("records"))), key=_competitor_rank)


def _competitor_rank(name: str) -> tuple[bool, bool, tuple[float, str]]:
    return name != "scratch", name != BASE, method_rank(name)


def read_paired(path: Path) -> pd.DataFrame:
    """Read the file of `cactus.paper.paired_tests.paired_tests`.

    Raises
    ------
    DataError
        The file is missing or is not such a table.
    """
    try:
        frame = read_columns(path, COLUMNS, _TEXT)
    except (OSError, ValueError) as error:
        raise DataError(
            "The paired tests cannot be read.",
            where=str(path),
            got=str(error),
            fix="delete the file and run the same command again to recreate it",
        ) from error
    return frame.fillna(dict.fromkeys(_TEXT, ""))
