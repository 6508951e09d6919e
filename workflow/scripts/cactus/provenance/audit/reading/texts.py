"""Reads the numbers of a printed file as its readers see them."""

from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from cactus.provenance.audit.reading.html import numbers_in_page
from cactus.provenance.audit.reading.tex import numbers_in_table, numbers_of_macros

# By the name of the file; those of figures cannot be read.
_READERS: Final[dict[str, Callable[[Path], list[str]]]] = {
    "numbers.tex": numbers_of_macros,
    "*.tex": lambda path: [cell for row in numbers_in_table(path) for cell in row],
    "*.html": numbers_in_page,
}


def reader_of(file: str) -> Callable[[Path], list[str]] | None:
    """Return what reads the numbers of a printed file; None if nothing does."""
    name = Path(file).name
    return next((one for pattern, one in _READERS.items() if fnmatchcase(name, pattern)), None)
