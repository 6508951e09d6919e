"""The paper's own numbers, read from the project's file, each with its source."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from cactus.errors import ConfigError, RecordError
from cactus.paper.vocabulary import published_source
from cactus.provenance.audit.reading.rows_of_csv import read_rows

PAPER_NUMBERS_FILE: Final = "config/paper_results.csv"
KEYS: Final = ("dataset", "source", "method", "learner", "way", "shot")
PUBLISHED_COLUMNS: Final = (
    *KEYS, "accuracy", "accuracy_status", "ci95", "ci95_status", "paper", "table", "citation",
)  # fmt: skip

CellKey = tuple[str, ...]


def cell_key(row: Mapping[str, Any]) -> CellKey:
    """Return the key of a row, of the results or of the published numbers."""
    return tuple(str(row[name]) for name in KEYS)


def published_key(row: Mapping[str, Any]) -> CellKey:
    """Return the key of the published number that a row of the results is compared with."""
    try:
        source = published_source(row["dataset"], row["source"])
    except ConfigError:  # a damaged row: nothing is published under this name
        source = row["source"]
    return cell_key({**row, "source": source})


def read_paper_numbers(root: Path) -> dict[CellKey, dict[str, str]]:
    """Return the published numbers of a clone of the project: each row by its key.

    Raises
    ------
    RecordError
        The file cannot be read.
    """
    try:
        rows = read_rows(root / PAPER_NUMBERS_FILE, PUBLISHED_COLUMNS)
    except RecordError as error:
        raise RecordError(
            "The published numbers cannot be read.",
            where=error.where,
            got=error.got,
            fix="restore the file from the repository",
        ) from error
    return {cell_key(row): row for row in rows}
