"""The paper's own numbers, as the project's file holds them: each with where it was read."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

PAPER_NUMBERS_FILE: Final = "config/paper_results.csv"
_KEYS: Final = ("dataset", "source", "method", "learner", "way", "shot")

CellKey = tuple[str, ...]


def cell_key(row: Mapping[str, Any]) -> CellKey:
    """Return the key of a row of results, or of the published numbers."""
    return tuple(str(row[name]) for name in _KEYS)


def read_paper_numbers(root: Path) -> dict[CellKey, dict[str, str]]:
    """Return the rows of the file of published numbers, in the project's clone, by their keys.

    Raises
    ------
    OSError, ValueError, KeyError
        The file cannot be read.
    """
    with (root / PAPER_NUMBERS_FILE).open(newline="", encoding="utf-8") as file:
        return {cell_key(row): row for row in csv.DictReader(file)}
