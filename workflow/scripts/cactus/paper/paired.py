"""The file of the paired tests: its columns, and reading it."""

from pathlib import Path
from typing import Final

import pandas as pd

from cactus.errors import DataError
from cactus.paper.results import read_columns
from cactus.paper.schema.field import names, text_names
from cactus.paper.schema.paired import FIELDS
from cactus.paper.vocabulary import method_rank

PAIRED_FILE: Final = "paired_tests.csv"
LEVEL: Final = 0.05  # of a family of tests
COLUMNS: Final = names(FIELDS)
_TEXT: Final = text_names(FIELDS)


def other_methods(paired: pd.DataFrame) -> list[str]:
    """Return the methods that CACTUs cells are compared with, in print order."""
    return sorted(set(paired["other_method"]), key=method_rank)


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
