"""Which image file a row of a list of miniImageNet means."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import NamedTuple, Self

from cactus.data.files.containers import is_archive, path_parts
from cactus.data.files.tree import RawEntry, RawTree
from cactus.data.readers.miniimagenet_lists import ClassLists, Listed
from cactus.errors import DataError
from cactus.splits import SPLITS, Split

Images = dict[str, list[RawEntry]]
_MOST_NAMED = 5
_SUFFIX = re.compile(r"\.(jpe?g|png|bmp|gif|webp|tiff?)$", re.IGNORECASE)


@dataclass
class Matched:
    """The images that lists name, by split and class, and how many other files there are."""

    images: dict[Split, Images] = field(default_factory=lambda: {split: {} for split in SPLITS})
    unlisted: int = 0


def match_lists(tree: RawTree, entries: list[RawEntry], lists: ClassLists) -> Matched:
    """Return the listed images that are present, each used once.

    A name stands for the file of that name, whatever its suffix. If several files have it, the
    folders in the listed name decide, or else a folder named like the class.

    Raises
    ------
    DataError
        A name may mean several files, or several rows mean one file.
    """
    by_stem: dict[str, list[_File]] = {}
    for entry in entries:
        by_stem.setdefault(PurePosixPath(entry.path).stem, []).append(_File.of(entry))
    files = {stem: _without_copies(same) for stem, same in by_stem.items()}
    names = _names_by_stem(row for rows in lists.images.values() for row in rows)
    used: dict[str, list[tuple[Split, Listed]]] = {}
    found = Matched()
    for split, rows in lists.images.items():
        for row in rows:
            stem = _stem(row)
            must_agree = len(names[stem]) > 1
            file = _meant(tree, row, files.get(stem, []), must_agree, lists.where[split])
            if file is not None:
                found.images[split].setdefault(row.label, []).append(file.entry)
                used.setdefault(file.entry.path, []).append((split, row))
    _refuse_reused(used.values(), lists)
    found.unlisted = sum(map(len, files.values())) - len(used)
    return found


class _File(NamedTuple):
    """An image file, and the folders above it; an archive counts as a folder of its name."""

    entry: RawEntry
    folders: list[str]

    @classmethod
    def of(cls, entry: RawEntry) -> Self:
        parts = entry.path.split("/")[:-1]
        return cls(entry, [part.split(".")[0] if is_archive(part) else part for part in parts])


def _stem(row: Listed) -> str:
    return _SUFFIX.sub("", path_parts(row.name)[-1] if path_parts(row.name) else row.name)


def _names_by_stem(rows: Iterable[Listed]) -> dict[str, set[str]]:
    """Return the different names of each stem."""
    names: dict[str, set[str]] = {}
    for row in rows:
        names.setdefault(_stem(row), set()).add("/".join(path_parts(row.name)))
    return names


def _without_copies(files: list[_File]) -> list[_File]:
    """Leave out copies: files of one stem in a folder and in an archive of it."""
    distinct: list[_File] = []
    for file in files:
        if not any(_are_copies(file, other) for other in distinct):
            distinct.append(file)
    return distinct


def _are_copies(one: _File, other: _File) -> bool:
    other_container = one.entry.container is not other.entry.container
    return other_container and _agree(one.folders, other.folders)


def _agree(one: list[str], other: list[str]) -> bool:
    """Return whether one path may be the end of the other."""
    shared = min(len(one), len(other))
    return shared == 0 or one[-shared:] == other[-shared:]


def _meant(
    tree: RawTree, row: Listed, files: list[_File], must_agree: bool, where: str
) -> _File | None:
    """Return the file that a row means, of those with its stem."""
    *folders, name = path_parts(row.name) or [row.name]
    files = [file for file in files if file.entry.basename == name] or files
    if len(files) <= 1 and not (must_agree and folders):
        return files[0] if files else None
    wanted = folders or [row.label]
    agreeing = [file for file in files if file.folders and _agree(file.folders, wanted)]
    if len(agreeing) == 1 or (not agreeing and len(files) == 1):
        return agreeing[0] if agreeing else None
    raise DataError(
        "A list of miniImageNet names an image that may be several files.",
        where=f"{where}, line {row.line}",
        got=f"{row.name}, for {len(files)} files, e.g. "
        f"{files[0].entry.path} and {files[-1].entry.path}",
        fix="write the names with their folders into the list, e.g. class/image.jpg; or take away "
        f"copies of the images below {tree.root}",
    )


def _refuse_reused(used: Iterable[list[tuple[Split, Listed]]], lists: ClassLists) -> None:
    """Raise if an image is listed twice: in two splits, in two classes, or in one list."""
    reused = [rows for rows in used if len(rows) > 1]
    if not reused:
        return
    lines = [f"{lists.where[split]}, line {row.line}" for split, row in reused[0][:_MOST_NAMED]]
    names = [
        " and ".join(dict.fromkeys(f"{row.name} ({row.label}, {split})" for split, row in rows[:2]))
        for rows in reused[:_MOST_NAMED]
    ]
    more = f", and {len(reused) - _MOST_NAMED} more" if len(reused) > _MOST_NAMED else ""
    raise DataError(
        "Images of miniImageNet are listed twice or more.",
        where="; ".join(lines),
        got=f"{', '.join(names)}{more}",
        fix="list each image once: in one split, under one class",
    )
