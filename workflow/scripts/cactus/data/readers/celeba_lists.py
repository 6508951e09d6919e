"""The attribute list and the partition list of CelebA, as text or as csv files.

The official lists are text files. Copies exist as csv files with the same names, a header
``image_id,...`` and no count.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import numpy as np
import numpy.typing as npt

from cactus.config.sections.data import CELEBA_ATTRIBUTES
from cactus.data.files.tree import RawEntry, RawTree
from cactus.errors import DataError
from cactus.splits import SPLITS, Split

ATTRIBUTE_LIST = "list_attr_celeba"
PARTITION_LIST = "list_eval_partition"
_VALUES = {"1": 1, "-1": 0, "0": 0}
_PARTITION_OF: dict[str, Split] = {"0": "train", "1": "val", "2": "test"}


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


def find_list(tree: RawTree, name: str) -> RawEntry | None:
    """Return a list file; text is preferred to csv."""
    for suffix in (".txt", ".csv"):
        for entry in tree.entries:
            if entry.basename == f"{name}{suffix}":
                return entry
    return None


def read_attributes(tree: RawTree) -> Attributes:
    """Read the attribute list; a truncated last line is left out with a note.

    Raises
    ------
    DataError
        The file is not in the format of the attribute list.
    """
    entry, lines = _open_list(tree, ATTRIBUTE_LIST)
    announced = None
    if entry.name.endswith(".txt"):
        line, first = next(lines, (1, []))
        if len(first) != 1 or not first[0].isdecimal():
            raise _invalid(tree, entry, line, first, "the number of images")
        announced = int(first[0])
    line, names = next(lines, (1, []))
    names = names[1:] if names[:1] == ["image_id"] else names
    if len(names) != CELEBA_ATTRIBUTES:
        raise _invalid(tree, entry, line, names, f"{CELEBA_ATTRIBUTES} attribute names")
    rows: dict[str, int] = {}
    values = bytearray()
    notes: list[str] = []
    for key, fields in _table(tree, entry, lines, CELEBA_ATTRIBUTES, set(_VALUES), notes):
        if key not in rows:
            rows[key] = len(rows)
            values.extend(_VALUES[item] for item in fields)
    if announced is not None and announced != len(rows):
        notes.append(f"{entry.basename} announces {announced} images and lists {len(rows)}")
    array = np.frombuffer(values, dtype=np.uint8).reshape(-1, CELEBA_ATTRIBUTES)
    return Attributes(names, rows, array, announced, notes)


def read_partitions(tree: RawTree) -> Partitions:
    """Read the partition list; a truncated last line is left out with a note.

    Raises
    ------
    DataError
        The file is not in the format of the partition list.
    """
    entry, lines = _open_list(tree, PARTITION_LIST)
    if entry.name.endswith(".csv"):
        line, names = next(lines, (1, []))
        if names != ["image_id", "partition"]:
            raise _invalid(tree, entry, line, names, "the header image_id,partition")
    partitions = Partitions({split: set() for split in SPLITS})
    for key, fields in _table(tree, entry, lines, 1, set(_PARTITION_OF), partitions.notes):
        partitions.members[_PARTITION_OF[fields[0]]].add(key)
    return partitions


def _open_list(tree: RawTree, name: str) -> tuple[RawEntry, Iterator[tuple[int, list[str]]]]:
    """Return a list file and its line numbers and fields, without blank lines."""
    entry = find_list(tree, name)
    assert entry is not None, f"{name} was not checked for"
    text = io.StringIO(tree.read(entry).decode("utf-8-sig", errors="replace"))
    separator = "," if entry.name.endswith(".csv") else None
    lines = ((number, line.strip().split(separator)) for number, line in enumerate(text, start=1))
    return entry, ((number, fields) for number, fields in lines if any(fields))


def _table(
    tree: RawTree,
    entry: RawEntry,
    lines: Iterator[tuple[int, list[str]]],
    width: int,
    allowed: set[str],
    notes: list[str],
) -> Iterator[tuple[str, list[str]]]:
    """Yield image numbers and their fields; note a truncated last line."""
    for number, (name, *fields) in lines:
        if not name.endswith(".jpg") or len(fields) != width or not allowed.issuperset(fields):
            if next(lines, None) is not None:
                expected = f"an image and {width} of the values {', '.join(sorted(allowed))}"
                raise _invalid(tree, entry, number, [name, *fields], expected)
            notes.append(f"the last line of {entry.basename} is cut and was left out")
            return
        yield PurePosixPath(name).stem, fields


def _invalid(
    tree: RawTree, entry: RawEntry, line: int, fields: list[str], expected: str
) -> DataError:
    return DataError(
        "A list of CelebA is not valid.",
        where=f"{tree.where(entry)}, line {line}",
        got=f"'{' '.join(fields)[:100]}', expected {expected}",
        fix="get the official file again",
    )
