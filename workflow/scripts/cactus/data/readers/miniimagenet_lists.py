"""Class lists of miniImageNet: the csv files beside the images, or the published split."""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from cactus.data.files.registry import CONFIG_FOLDER
from cactus.data.files.tree import RawEntry, RawTree
from cactus.errors import DataError, printable
from cactus.splits import SPLITS, Split

RAVI_LISTS = CONFIG_FOLDER / "splits" / "miniimagenet.csv"
_CSV = re.compile(r"(train|val|test|valid|validation)\.csv", re.IGNORECASE)
_IMAGE = re.compile(r"\.(jpe?g|png)$", re.IGNORECASE)
_DELIMITERS = ",;\t|"
# What kits call the columns; the first word counts if there are several.
_NAMES = ("filename", "file", "filepath", "path", "image", "img", "imagename", "imagepath")
_LABELS = ("label", "class", "classname", "wnid", "category", "synset")
_CTRL_Z = "\x1a"
_SHOWN = 200


class Listed(NamedTuple):
    """A row of a list: the image's file name, its class, and the number of the line."""

    name: str
    label: str
    line: int


class _Columns(NamedTuple):
    """Where a list has the name and the class, how many columns, and what is between them."""

    name: int
    label: int
    width: int
    delimiter: str
    heading: bool


@dataclass(frozen=True)
class ClassLists:
    """Which class is in which split, and from where that is known, for messages.

    `images` has the rows of each split's list, and `where` the list's file; they are empty if
    only the classes are listed.
    """

    origin: str
    split_of: dict[str, Split]
    images: dict[Split, list[Listed]]
    where: dict[Split, str]


def is_list(entry: RawEntry) -> bool:
    """Return whether a file has the name of a split's list."""
    return _CSV.fullmatch(entry.basename) is not None


def find_csv_files(tree: RawTree) -> dict[Split, list[RawEntry]]:
    """Return those of train.csv, val.csv and test.csv that are present, and their copies."""
    found: dict[Split, list[RawEntry]] = {}
    for entry in tree.entries:
        if match := _CSV.fullmatch(entry.basename):
            split = next(split for split in SPLITS if match[1].lower().startswith(split))
            found.setdefault(split, []).append(entry)
    return found


def load_class_lists(tree: RawTree) -> ClassLists:
    """Read the csv files beside the images if all three are present, else the published split.

    Raises
    ------
    DataError
        A csv file is not valid or has a copy that differs, or a class is in two splits.
    """
    files = find_csv_files(tree)
    if len(files) < len(SPLITS):
        return ravi_classes()
    where = {split: tree.where(files[split][0]) for split in SPLITS}
    images = {split: parse_list(_content(tree, files[split]), where[split]) for split in SPLITS}
    first: dict[str, tuple[Split, int]] = {}
    for split, rows in images.items():
        for row in rows:
            before, line = first.setdefault(row.label, (split, row.line))
            if before != split:
                raise DataError(
                    "A class is in two splits of miniImageNet.",
                    where=f"{where[before]}, line {line}, and {where[split]}, line {row.line}",
                    got=row.label[:_SHOWN],
                    fix="list each class in one of the three files",
                )
    split_of = {label: split for label, (split, _) in first.items()}
    return ClassLists("the csv files", split_of, images, where)


def ravi_classes(path: Path = RAVI_LISTS) -> ClassLists:
    """Return the 64/16/20 classes of Ravi and Larochelle (ICLR 2017)."""
    rows = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    split_of = {row["wnid"]: split for row in rows for split in SPLITS if row["split"] == split}
    return ClassLists("the Ravi-Larochelle lists", split_of, {}, {})


def parse_list(content: bytes, where: str) -> list[Listed]:
    """Return the rows of a csv file with the columns filename and label, in any order.

    It may have further columns, quotes, blanks, comments, any line ends, and a mark of its
    encoding, UTF-8 or UTF-16; commas may be semicolons or tabs. The heading may be missing where
    the names end like images.

    Raises
    ------
    DataError
        The file has another form; the message shows the line.
    """
    text = _decoded(content, where).rstrip(_CTRL_Z + "\r\n\0 ")
    lines = io.StringIO(text, newline=None).read().split("\n")
    start = next((number for number, line in enumerate(lines) if _is_content(line)), 0)
    columns = _find_columns(lines[start], lines[start + 1 : start + 2])
    if columns is None:
        raise _invalid(where, lines, start, "it is no heading")
    first = start + 1 if columns.heading else start
    return list(_rows(lines, first, columns, where))


def _content(tree: RawTree, entries: list[RawEntry]) -> bytes:
    """Return the content of a list; a loose one counts, not its copies in archives."""
    content = tree.read(entries[0])
    for other in entries[1:]:
        if other.container is entries[0].container and tree.read(other) != content:
            raise DataError(
                "Two lists of images have the same name and differ.",
                where=tree.where(entries[0]),
                got=f"another {other.basename} at {other.path}",
                fix="keep the one that you want to use, and move the other away",
            )
    return content


def _decoded(content: bytes, where: str) -> str:
    """Return the text of a list, by its mark or by where its zeros are."""
    encoding = "utf-8-sig"
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    elif content[1:2] == b"\0":
        encoding = "utf-16-le"
    elif content[:1] == b"\0":
        encoding = "utf-16-be"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start)
        lines = [part.decode("latin1") for part in content[: error.end + 1].split(b"\n")]
        raise _invalid(where, lines, line, f"it is not {encoding.upper()}") from error


def _is_content(line: str) -> bool:
    """Return whether a line is neither blank nor a comment, nor Excel's name of the delimiter."""
    cells = re.split(f"[{_DELIMITERS}]", line.lower())
    if _heading([_plain(cell) for cell in cells]) is not None:
        return True
    return bool(line.strip(' "' + _DELIMITERS)) and not line.lstrip().startswith(("#", "sep="))


def _plain(cell: str) -> str:
    return re.sub(r"[\s_\"-]", "", cell).lower()


def _heading(cells: list[str]) -> tuple[int, int] | None:
    """Return where a heading has the name and the class; None if it is none, or not clear."""
    found = []
    for words in (_NAMES, _LABELS):
        places = [place for place, cell in enumerate(cells) if cell in words]
        exact = [place for place in places if cells[place] == words[0]]
        if len(exact or places) != 1:
            return None
        found += exact or places
    return found[0], found[1]


def _find_columns(line: str, following: list[str]) -> _Columns | None:
    """Return the columns that the first line names, or shows where it is no heading.

    Names other than filename and label count if an image follows.
    """
    for delimiter in _DELIMITERS:
        cells = line.split(delimiter)
        names = [_plain(cell) for cell in cells]
        places = _heading(names)
        row = "".join(following).split(delimiter)
        if places is not None and (
            (names[places[0]], names[places[1]]) == (_NAMES[0], _LABELS[0])
            or _IMAGE.search(row[min(places[0], len(row) - 1)].strip(' "'))
        ):
            return _Columns(*places, len(cells), delimiter, True)
        images = [_IMAGE.search(cell.strip(' "')) is not None for cell in cells]
        if sorted(images) == [False, True]:
            return _Columns(images.index(True), images.index(False), 2, delimiter, False)
    return None


def _rows(lines: list[str], first: int, columns: _Columns, where: str) -> Iterator[Listed]:
    """Yield the rows from a line on."""
    for number, line in enumerate(lines[first:], first):
        if not _is_content(line):
            continue
        try:
            fields = next(
                csv.reader([line], delimiter=columns.delimiter, skipinitialspace=True, strict=True)
            )
        except csv.Error as error:
            raise _invalid(where, lines, number, str(error)) from error
        cells = [field.strip() for field in fields]
        if columns.heading and number > first and line == lines[first - 1]:
            continue  # lists that were joined
        while len(cells) > columns.width and not cells[-1]:
            del cells[-1]
        if not max(columns.name, columns.label) < len(cells) <= columns.width:
            problem = f"it has {len(cells)} fields, not {columns.width}"
            raise _invalid(where, lines, number, problem)
        name, label = cells[columns.name], cells[columns.label]
        if not name or not label or name + label != printable(name + label):
            raise _invalid(where, lines, number, "its name or class is empty or not printable")
        yield Listed(name, label, number + 1)


def _invalid(where: str, lines: list[str], number: int, problem: str) -> DataError:
    line = lines[number] if number < len(lines) else ""
    return DataError(
        "A list of images is not valid.",
        where=f"{where}, line {number + 1}",
        got=f"'{printable(line[:_SHOWN])}'; {problem}" if line else "an empty file",
        fix="give the file the heading filename,label and one line for each image, as UTF-8 text",
    )
