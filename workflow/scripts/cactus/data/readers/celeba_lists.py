"""The attribute list and the partition list of CelebA, as text or as a table.

The official lists are text files: a count, names, and rows between spaces. Copies are tables with
commas, semicolons or tabs, as pandas and spreadsheets write them: with or without a column of row
numbers, headings, quotes, and with other words for the values. What a file holds decides, not its
name. A row is an image, after at most a row number, and its values.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import numpy.typing as npt

from cactus.config.sections.data.section import CELEBA_ATTRIBUTES, CELEBA_NAMES
from cactus.data.files.tree import RawEntry, RawTree, too_large
from cactus.errors import DataError, printable
from cactus.splits import SPLITS, Split

ATTRIBUTE_LIST = "list_attr_celeba"
PARTITION_LIST = "list_eval_partition"
_SUFFIXES = (".txt", ".csv", ".tsv")
_IMAGE = re.compile(r"(?:.*[\\/])?(\d{6})(?:\.(?:jpe?g|png))?", re.IGNORECASE | re.ASCII)
_IMAGE_NAME = re.compile(r"\.(jpe?g|png)$|^\d{6}$", re.IGNORECASE | re.ASCII)
_ROW_NUMBER = re.compile(r"\d{1,9}", re.ASCII)
_VALUES = {"1": 1, "1.0": 1, "true": 1, "-1": 0, "-1.0": 0, "0": 0, "0.0": 0, "false": 0}
_CODINGS = ({"1", "-1"}, {"1", "0"}, {"1.0", "-1.0"}, {"1.0", "0.0"}, {"true", "false"})
_PARTITION_OF: dict[str, Split] = {
    **{"0": "train", "1": "val", "2": "test"},
    **{"0.0": "train", "1.0": "val", "2.0": "test"},
}
_BYTE_ORDER = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
# Well above the longest list, in characters and lines, and its longest line.
_MAX_LIST = 96 << 20
_MAX_LINES = 1_000_000
_MAX_LINE = 1 << 16


@dataclass(frozen=True)
class Attributes:
    """The 40 attributes in the order of the file, and notes about the file.

    `values`, uint8 (N, 40), are 1 where an image has the attribute; `rows` gives the row of each
    image by its number. The file claims to list `announced` images; None if it has no count.
    """

    names: list[str]
    rows: dict[str, int]
    values: npt.NDArray[np.uint8]
    announced: int | None
    notes: list[str]


@dataclass(frozen=True)
class Partitions:
    """Numbers of the images of each split."""

    members: dict[Split, set[str]]
    notes: list[str] = field(default_factory=list)


def is_list(entry: RawEntry) -> bool:
    """Return whether a file has the name of a list."""
    name = entry.basename.lower()
    return name in {f"{one}{end}" for one in (ATTRIBUTE_LIST, PARTITION_LIST) for end in _SUFFIXES}


def find_list(tree: RawTree, name: str) -> RawEntry | None:
    """Return a list file; text is preferred to csv."""
    for suffix in _SUFFIXES:
        for entry in tree.entries:
            if entry.basename.lower() == f"{name}{suffix}":
                return entry
    return None


def read_attributes(tree: RawTree) -> Attributes:
    """Read the attribute list; a truncated last line is left out with a note.

    Raises
    ------
    DataError
        The file is not in a format of the attribute list, or gives an image twice, differently.
    """
    with _opened(tree, ATTRIBUTE_LIST) as (entry, lines):
        reader = _Rows(tree, entry, lines, CELEBA_ATTRIBUTES, set(_VALUES))
        heading = reader.heading()
        if lines.separator is None and reader.announced is None:
            raise reader.invalid(1, heading, "the number of images")
        names = [printable(name) for name in heading[-CELEBA_ATTRIBUTES:]]
        numbers = [name for name in names if _ROW_NUMBER.fullmatch(name) or not name]
        if (
            not 0 <= len(heading) - CELEBA_ATTRIBUTES <= 2
            or numbers
            or len(set(names)) != len(names)
        ):
            line = 1 if reader.announced is None else 2
            raise reader.invalid(line, heading, f"{CELEBA_ATTRIBUTES} attribute names")
        rows: dict[str, int] = {}
        values = bytearray()
        used: set[str] = set()
        for line, key, fields in reader:
            row = bytes(_VALUES[item] for item in fields)
            used.update(fields)
            if not any(used <= coding for coding in _CODINGS):
                raise reader.invalid(line, fields, "one pair of values in all of the list")
            if key not in rows:
                rows[key] = len(rows)
                values += row
            elif values[rows[key] * len(row) :][: len(row)] != row:
                raise reader.invalid(line, [key, *fields], "no second row with other values")
            else:
                reader.repeat(line, len(rows))
        notes = reader.notes()
    if reader.announced not in (None, len(rows)):
        notes.append(f"{entry.basename} announces {reader.announced} images and lists {len(rows)}")
    array = np.frombuffer(values, dtype=np.uint8).reshape(-1, CELEBA_ATTRIBUTES)
    if names != list(CELEBA_NAMES) and set(names) == set(CELEBA_NAMES):
        array, names = array[:, [names.index(one) for one in CELEBA_NAMES]], list(CELEBA_NAMES)
        notes.append(f"the columns of {entry.basename} were put into the official order")
    return Attributes(names, rows, array, reader.announced, notes)


def read_partitions(tree: RawTree) -> Partitions:
    """Read the partition list; a truncated last line is left out with a note.

    Raises
    ------
    DataError
        The file is not in a format of the partition list, or has an image in two partitions.
    """
    split_of: dict[str, Split] = {}
    with _opened(tree, PARTITION_LIST) as (entry, lines):
        reader = _Rows(tree, entry, lines, 1, set(_PARTITION_OF))
        reader.heading()
        for line, key, fields in reader:
            split = _PARTITION_OF[fields[0]]
            if key not in split_of:
                split_of[key] = split
            elif split_of[key] != split:
                expected = f"no second row: it is in the {split_of[key]} split"
                raise reader.invalid(line, [key, *fields], expected)
            else:
                reader.repeat(line, len(split_of))
        notes = reader.notes()
    members = {name: {key for key, split in split_of.items() if split == name} for name in SPLITS}
    return Partitions(members, notes)


class _Rows:
    """The rows of a list: line, image number and values.

    Parameters
    ----------
    tree, entry, lines
        The list and its lines.
    width
        Number of values.
    allowed
        The values, in lower case.
    """

    def __init__(
        self, tree: RawTree, entry: RawEntry, lines: "_Lines", width: int, allowed: set[str]
    ) -> None:
        self._tree, self._entry, self._width, self._allowed = tree, entry, width, allowed
        self._lines, self._first = lines, next(lines, None)
        self._cut = False
        self.announced: int | None = None
        self._repeated = 0

    def heading(self) -> list[str]:
        """Take the count and the heading, where there are any, and return the heading."""
        if self._first is not None and len(self._first[1]) == 1:
            count = self._first[1][0]
            if _ROW_NUMBER.fullmatch(count):
                self.announced = int(count)
                self._first = next(self._lines, None)
        # A heading is left out; a damaged row in its place must not be.
        if self._first is None or any(_IMAGE_NAME.search(item) for item in self._first[1]):
            return []
        heading, self._first = self._first[1], None
        return heading

    def __iter__(self) -> Iterator[tuple[int, str, list[str]]]:
        first = [] if self._first is None else [self._first]
        for rows in (first, self._lines):
            for number, fields in rows:
                at = self._image_at(fields)
                values = [] if at is None else [value.lower() for value in fields[at + 1 :]]
                if at is None or len(values) != self._width or not self._allowed.issuperset(values):
                    if next(self._lines, None) is not None:
                        expected = f"an image and {self._width} of the values "
                        raise self.invalid(number, fields, expected + self._known())
                    self._cut = True
                    return
                yield number, cast(re.Match[str], _IMAGE.fullmatch(fields[at]))[1], values

    def _image_at(self, fields: list[str]) -> int | None:
        """Return where the image is: first, or second after a row number."""
        if len(fields) == self._width + 2 and _ROW_NUMBER.fullmatch(fields[0]):
            return 1 if _IMAGE.fullmatch(fields[1]) else None
        return 0 if fields and _IMAGE.fullmatch(fields[0]) else None

    def _known(self) -> str:
        return ", ".join(sorted(self._allowed))

    def repeat(self, line: int, listed: int) -> None:
        """Count a row that is there already, of as many images as are listed by now."""
        self._repeated += 1
        if self._repeated > listed:
            raise self.invalid(line, [], "no more than one other row for each image")

    def notes(self) -> list[str]:
        """Say what was left out, once the rows are read."""
        name, notes = self._entry.basename, []
        if self._cut:
            notes.append(f"the last line of {name} is cut and was left out")
        if self._repeated:
            notes.append(f"{self._repeated} rows of {name} are there twice, with the same values")
        return notes

    def invalid(self, line: int, fields: Iterable[str], expected: str) -> DataError:
        """Return the error for a line."""
        return DataError(
            "A list of CelebA is not valid.",
            where=f"{self._tree.where(self._entry)}, line {line}",
            got=f"'{' '.join(fields)[:100]}', expected {expected}",
            fix="get the official file again",
        )


@contextmanager
def _opened(tree: RawTree, name: str) -> Iterator[tuple[RawEntry, "_Lines"]]:
    """Open a list; yield its entry, its line numbers and their fields, without blank lines."""
    entry = find_list(tree, name)
    assert entry is not None, f"{name} was not checked for"
    with tree.open(entry) as file:
        head = cast(io.BufferedReader, file).peek(2)[:2]
        encoding = _BYTE_ORDER.get(head, "utf-8-sig")
        text = io.TextIOWrapper(file, encoding=encoding, errors="replace")
        yield entry, _Lines(text, tree.where(entry))


class _Lines:
    """The numbers and the fields of a list's lines, without blank lines.

    `separator` is the first of comma, semicolon and tab that a line has; None if fields are
    between spaces.
    """

    def __init__(self, text: io.TextIOWrapper, where: str) -> None:
        self.separator: str | None = None
        self._text, self._where = text, where
        self._number = self._size = 0

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        return self

    def __next__(self) -> tuple[int, list[str]]:
        while line := self._text.readline(_MAX_LINE):
            self._number += 1
            self._size += len(line)
            long = self._size > _MAX_LIST or self._number > _MAX_LINES
            if long or len(line) == _MAX_LINE:
                size = f"{self._size} or more in {self._number} lines, the last of {len(line)}"
                raise too_large(self._where, size)
            if any(fields := self._fields(line.replace("\0", "\ufffd").strip("\r\n \x1a"))):
                return self._number, fields
        raise StopIteration

    def _fields(self, line: str) -> list[str]:
        if self.separator is None:
            self.separator = next((mark for mark in ",;\t" if mark in line), None)
        if self.separator is None:
            return line.split()
        fields = [item.strip() for item in next(csv.reader([line], delimiter=self.separator), [])]
        while fields and not fields[-1]:  # as spreadsheets fill up rows
            del fields[-1]
        return fields
