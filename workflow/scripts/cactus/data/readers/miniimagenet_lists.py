"""Class lists of miniImageNet: the csv files beside the images, or the published split."""

import csv
from dataclasses import dataclass
from pathlib import Path

from cactus.data.files.registry import CONFIG_FOLDER
from cactus.data.files.tree import RawEntry, RawTree
from cactus.errors import DataError
from cactus.splits import SPLITS, Split

RAVI_LISTS = CONFIG_FOLDER / "splits" / "miniimagenet.csv"
_HEADER = ["filename", "label"]


@dataclass(frozen=True)
class ClassLists:
    """Which class is in which split, and from where that is known, for messages.

    `images` has the pairs of file name and class, per split; it is empty if only the classes are
    listed.
    """

    origin: str
    split_of: dict[str, Split]
    images: dict[Split, list[tuple[str, str]]]


def find_csv_files(tree: RawTree) -> dict[Split, RawEntry]:
    """Return those of train.csv, val.csv and test.csv that are present."""
    found: dict[Split, RawEntry] = {}
    for entry in tree.entries:
        for split in SPLITS:
            if entry.basename == f"{split}.csv":
                found.setdefault(split, entry)
    return found


def load_class_lists(tree: RawTree) -> ClassLists:
    """Read the csv files beside the images if all three are present, else the published split.

    Raises
    ------
    DataError
        A csv file is not valid, or a class is in two splits.
    """
    files = find_csv_files(tree)
    if len(files) < len(SPLITS):
        return ravi_classes()
    images = {split: _read_csv(tree, files[split]) for split in SPLITS}
    split_of: dict[str, Split] = {}
    for split, rows in images.items():
        for name in {label for _, label in rows}:
            if split_of.setdefault(name, split) != split:
                raise DataError(
                    "A class is in two splits of miniImageNet.",
                    where=tree.where(files[split]),
                    got=f"{name}, which is also in {split_of[name]}.csv",
                    fix="get the csv files again",
                )
    return ClassLists("the csv files", split_of, images)


def ravi_classes(path: Path = RAVI_LISTS) -> ClassLists:
    """Return the 64/16/20 classes of Ravi and Larochelle (ICLR 2017)."""
    rows = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    split_of = {row["wnid"]: split for row in rows for split in SPLITS if row["split"] == split}
    return ClassLists("the Ravi-Larochelle lists", split_of, {})


def _read_csv(tree: RawTree, entry: RawEntry) -> list[tuple[str, str]]:
    """Return the (file name, class) rows of a csv file with the header filename,label."""
    lines = tree.read(entry).decode("utf-8-sig", errors="replace").splitlines()
    rows = [line.split(",") for line in lines]
    valid = [len(row) == len(_HEADER) for row in rows]
    if not rows or rows[0] != _HEADER or not all(valid):
        wrong = 0 if not rows or rows[0] != _HEADER else valid.index(False)
        raise DataError(
            "A list of images is not valid.",
            where=f"{tree.where(entry)}, line {wrong + 1}",
            got=lines[wrong][:200] if lines else "an empty file",
            fix="give the file the header filename,label and two fields per row",
        )
    return [(name, label) for name, label in rows[1:]]
