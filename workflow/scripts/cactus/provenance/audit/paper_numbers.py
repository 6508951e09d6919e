"""The paper's own numbers, read from the project's file, each with its source."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

PAPER_NUMBERS_FILE: Final = "config/paper_results.csv"
_KEYS: Final = ("dataset", "source", "method", "learner", "way", "shot")

CellKey = tuple[str, ...]


def cell_key(row: Mapping[str, Any]) -> CellKey:
    """Return the key of a row, of the results or of the published numbers."""
    return tuple(str(row[name]) for name in _KEYS)


def read_paper_numbers(root: Path) -> dict[CellKey, dict[str, str]]:
    """Return the published numbers of a clone of the project: each row by its key.

    Raises
    ------
    OSError, ValueError, KeyError
        The file cannot be read.
    """
    with (root / PAPER_NUMBERS_FILE).open(newline="", encoding="utf-8") as file:
        return {cell_key(row): row for row in csv.DictReader(file)}
