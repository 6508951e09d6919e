"""Reads the tables of numbers that an audit compares, as text, with code of its own."""

import csv
import io
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Generic, TypeVar

from cactus.errors import RecordError
from cactus.files import read_text
from cactus.stages.base import Job

_Content = TypeVar("_Content")


class UnreadError(RecordError):
    """A file cannot be read, so that nothing is known of the numbers in it."""


class FilesOfJobs(Generic[_Content]):
    """The contents of a file of each job, read once; one that is damaged says so each time."""

    def __init__(self, read: Callable[[Job], _Content]) -> None:
        self._read = read
        self._found: dict[Job, _Content | RecordError] = {}

    def of(self, job: Job) -> _Content:
        """Return what a job's file has.

        Raises
        ------
        RecordError
            The file is damaged.
        """
        if job not in self._found:
            try:
                self._found[job] = self._read(job)
            except RecordError as error:
                self._found[job] = error
        found = self._found[job]
        if isinstance(found, RecordError):
            raise found
        return found


def read_rows(path: Path, columns: Collection[str]) -> list[dict[str, str]]:
    """Return the rows of a CSV file, each with at least the given columns.

    Raises
    ------
    UnreadError
        The file cannot be read.
    RecordError
        It lacks one of the columns, or has a line with fewer or more values.
    """
    line = 0
    try:
        reader = csv.reader(io.StringIO(read_text(path), newline=""), strict=True)
        found = next(reader, [])
        if not {*columns} <= {*found} or len({*found}) < len(found):
            raise ValueError(f"the columns {', '.join(found)[:200]}")
        rows = []
        for values in filter(None, reader):  # without blank lines
            line = reader.line_num
            if len(values) != len(found):
                raise ValueError(f"not {len(found)} values")
            rows.append(dict(zip(found, values, strict=True)))
    except OSError as error:
        raise UnreadError(
            "A file of numbers cannot be read.",
            where=str(path),
            got=error.strerror or str(error),
            fix="run the workflow again to recreate it",
        ) from error
    except (ValueError, csv.Error) as error:
        raise damaged(path, f"line {line}: {error}" if line else str(error)) from error
    return rows


def damaged(path: Path, got: str) -> RecordError:
    """Return the error for a file of numbers that is not what it should be."""
    return RecordError(
        "A file of numbers is damaged.",
        where=str(path),
        got=got,
        fix="delete it and run the workflow again to recreate it",
    )
