"""miniImageNet from flat images with csv lists, from folders by class, or from pickles.

Each form may be unpacked or in archives. If a copy has several forms, flat images with csv lists
are preferred, then folders, then pickles.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from cactus.config.sections.data import DataSettings
from cactus.data.files.registry import DatasetEntry
from cactus.data.files.tree import RawEntry, RawTree
from cactus.data.readers.base import RawDataset, decoded_splits, lay_out
from cactus.data.readers.image_fitter import ImageFitter
from cactus.data.readers.miniimagenet_lists import ClassLists, find_csv_files, load_class_lists
from cactus.data.readers.miniimagenet_pickles import PICKLE_NAME, find_pickles, pickle_splits
from cactus.errors import DataError
from cactus.splits import SPLITS, Split

_IMAGE = re.compile(r"\.(jpe?g|png)$", re.IGNORECASE)
_WNID = re.compile(r"n\d{8}")
_SPLIT_FOLDERS: dict[str, Split] = {
    "train": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
}

_Images = dict[str, list[RawEntry]]


@dataclass
class _Found:
    """Image files by form: flat ones by name without suffix, and those in class folders.

    The latter are keyed by class, then by the folder above it and the image's name.
    """

    flat: dict[str, RawEntry] = field(default_factory=dict)
    folders: dict[str, dict[tuple[str, str], RawEntry]] = field(default_factory=dict)


def uses(entry: RawEntry) -> bool:
    """Return whether a file has a name by which it is read."""
    known = (*(f"{split}.csv" for split in SPLITS), *(PICKLE_NAME.format(s) for s in SPLITS))
    return bool(_IMAGE.search(entry.name)) or entry.basename in known


def missing(tree: RawTree) -> list[str]:
    """Return what is missing from the form that the copy has."""
    found = _find(tree)
    csv_files, pickles = find_csv_files(tree), find_pickles(tree)
    if found.folders or len(pickles) == len(SPLITS):
        return []
    if found.flat:
        return [f"{split}.csv" for split in SPLITS if split not in csv_files]
    if pickles:
        return [PICKLE_NAME.format(split) for split in SPLITS if split not in pickles]
    return ["images"]


def read(tree: RawTree, settings: DataSettings, entry: DatasetEntry) -> RawDataset:
    """Read miniImageNet in the form that the copy has.

    Raises
    ------
    DataError
        A list or pickle is not valid, a class is unknown, or a class has too few images.
    """
    side = settings.miniimagenet.image_size
    fitter = ImageFitter("RGB", side, settings.miniimagenet.resize, tree.max_image_bytes)
    found, lists = _find(tree), load_class_lists(tree)
    notes: list[str] = []
    if found.flat and lists.images:
        images = _by_lists(tree, found, lists)
    elif found.folders:
        images = _by_folders(tree, found, lists, notes)
    else:
        splits = pickle_splits(tree, lists, fitter, settings.miniimagenet, notes)
        return RawDataset((side, side, 3), splits, notes)
    notes.extend(_missing_notes(images, lists, entry))
    layouts = lay_out("miniimagenet", images, settings.miniimagenet.min_images_per_class)
    return RawDataset((side, side, 3), decoded_splits(tree, layouts, fitter, notes), notes)


def _find(tree: RawTree) -> _Found:
    """Sort image files by form; an image with several copies, e.g. unpacked, is used once."""
    found = _Found()
    for entry in tree.entries:
        if not _IMAGE.search(entry.name):
            continue
        path = PurePosixPath(entry.path)
        parent, above = path.parent.name, path.parent.parent.name.split(".")[0]
        if _WNID.fullmatch(parent) or above in _SPLIT_FOLDERS:
            found.folders.setdefault(parent, {}).setdefault((above, path.stem), entry)
        else:
            found.flat.setdefault(path.stem, entry)
    return found


def _by_lists(tree: RawTree, found: _Found, lists: ClassLists) -> dict[Split, _Images]:
    """Return the listed images that are present, by split and class."""
    images: dict[Split, _Images] = {split: {} for split in SPLITS}
    for split, rows in lists.images.items():
        for name, label in dict.fromkeys(rows):
            entry = found.flat.get(PurePosixPath(name).stem)
            if entry is not None:
                images[split].setdefault(label, []).append(entry)
        if not images[split]:
            raise DataError(
                "None of the images in a list is present.",
                where=f"{tree.root}/{split}.csv",
                got=f"{len(rows)} names, e.g. {rows[0][0] if rows else 'none'}",
                fix="put the images that belong to this list into images/",
            )
    return {split: _sorted(by_class) for split, by_class in images.items()}


def _by_folders(
    tree: RawTree, found: _Found, lists: ClassLists, notes: list[str]
) -> dict[Split, _Images]:
    """Return the images of class folders; the lists, not the folders, define the split."""
    _refuse_unknown(tree, found.folders, lists)
    images: dict[Split, _Images] = {split: {} for split in SPLITS}
    moved = 0
    for label, members in found.folders.items():
        split = lists.split_of[label]
        images[split][label] = list(members.values())
        moved += sum(_SPLIT_FOLDERS.get(above, split) != split for above, _ in members)
    if moved:
        notes.append(
            f"{moved} images lie in folders of another split; {lists.origin} were followed"
        )
    return {split: _sorted(by_class) for split, by_class in images.items()}


def _sorted(images: _Images) -> _Images:
    """Sort each class by file name, so that every form of a copy gives the same order."""
    return {
        label: sorted(entries, key=lambda entry: (entry.basename, entry.path))
        for label, entries in images.items()
    }


def _refuse_unknown(tree: RawTree, names: Collection[str], lists: ClassLists) -> None:
    """Raise if a class is in none of the three splits."""
    unknown = sorted(set(names) - set(lists.split_of))
    if unknown:
        raise DataError(
            "Classes of miniImageNet are unknown.",
            where=str(tree.root),
            got=f"{len(unknown)} that {lists.origin} do not name: {', '.join(unknown[:5])}",
            fix="remove them; or list your own classes in train.csv, val.csv and test.csv "
            "(filename,label) beside the images",
        )


def _missing_notes(
    images: dict[Split, _Images], lists: ClassLists, entry: DatasetEntry
) -> list[str]:
    """Say how many images and classes of each split are missing."""
    notes = []
    for split in SPLITS:
        count = sum(len(entries) for entries in images[split].values())
        expected = len(lists.images[split]) if lists.images else entry.images[split]
        classes = sum(of == split for of in lists.split_of.values())
        if count != expected or len(images[split]) != classes:
            notes.append(
                f"{split}: {count} of {expected} images and {len(images[split])} of {classes} "
                f"classes are present, {max(expected - count, 0)} images missing"
            )
    return notes
