"""miniImageNet from flat images with csv lists, from folders by class, or from pickles.

Each form may be unpacked or in archives. If a copy has several forms, flat images with csv lists
are preferred, then folders, then pickles.
"""

import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from cactus.config.sections.data.section import DataSettings
from cactus.data.files.containers import is_archive
from cactus.data.files.registry import DatasetEntry
from cactus.data.files.tree import RawEntry, RawTree
from cactus.data.files.unused import without_copy_mark
from cactus.data.readers.base import RawDataset, decoded_splits, lay_out
from cactus.data.readers.image_fitter import ImageFitter
from cactus.data.readers.miniimagenet_lists import (
    ClassLists,
    find_csv_files,
    is_list,
    load_class_lists,
)
from cactus.data.readers.miniimagenet_match import Images, match_lists
from cactus.data.readers.miniimagenet_pickles import find_pickles, is_split_pickle, pickle_splits
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


@dataclass
class _Found:
    """Image files: all of them, and those in class folders.

    The latter are keyed by class, then by the folder above it and the image's name.
    """

    images: list[RawEntry] = field(default_factory=list)
    folders: dict[str, dict[tuple[str, str], RawEntry]] = field(default_factory=dict)


def uses(entry: RawEntry) -> bool:
    """Return whether a file has a name by which it is read."""
    return bool(_IMAGE.search(entry.name)) or is_list(entry) or is_split_pickle(entry)


def missing(tree: RawTree) -> list[str]:
    """Return what is missing from the form that the copy has."""
    found = _find(tree)
    csv_files, pickles = find_csv_files(tree), find_pickles(tree)
    if found.folders or not pickles.missing:
        return []
    if found.images:
        return [f"{split}.csv" for split in SPLITS if split not in csv_files]
    if pickles.entries:
        return pickles.missing
    return ["images"]


def read(tree: RawTree, settings: DataSettings, entry: DatasetEntry) -> RawDataset:
    """Read miniImageNet in the form that the copy has.

    Raises
    ------
    DataError
        A list or pickle is not valid, an image is listed twice, no class is known, or a class has
        too few images.
    """
    side = settings.miniimagenet.image_size
    fitter = ImageFitter("RGB", side, settings.miniimagenet.resize, tree.max_image_bytes)
    found, lists = _find(tree), load_class_lists(tree)
    notes: list[str] = []
    images = _by_lists(tree, found, lists, notes) if lists.images else None
    if images is None and found.folders:
        images = _by_folders(tree, found, lists, notes)
    if images is None:
        splits = pickle_splits(tree, lists, fitter, settings.miniimagenet, notes)
        return RawDataset((side, side, 3), splits, notes)
    notes.extend(_missing_notes(images, lists, entry))
    least = settings.miniimagenet.min_images_per_class
    layouts = lay_out("miniimagenet", images, least, lambda of, one: f"{of}/{one.basename}")
    return RawDataset((side, side, 3), decoded_splits(tree, layouts, fitter, notes), notes)


def _find(tree: RawTree) -> _Found:
    """Find images; one in a class folder that has several copies, e.g. unpacked, is used once."""
    found = _Found()
    for entry in tree.entries:
        if not _IMAGE.search(entry.name):
            continue
        found.images.append(entry)
        path = PurePosixPath(entry.path)
        parent, above = _folder_name(path.parent), _folder_name(path.parent.parent)
        if _WNID.fullmatch(parent) or above in _SPLIT_FOLDERS:
            found.folders.setdefault(parent, {}).setdefault((above, path.name), entry)
    return found


def _folder_name(path: PurePosixPath) -> str:
    """Return the name of a folder, or of an archive without its suffix."""
    return path.name.split(".")[0] if is_archive(path.name) else path.name


def _by_lists(
    tree: RawTree, found: _Found, lists: ClassLists, notes: list[str]
) -> dict[Split, Images] | None:
    """Return the listed images that are present, by split and class.

    None if no listed image is present and there are others: in class folders, whose names may
    differ from those in the lists, or in pickles.
    """
    matched = match_lists(tree, found.images, lists)
    if not any(matched.images.values()) and (found.folders or not found.images):
        return None
    for split, images in matched.images.items():
        if not images:
            rows = lists.images[split]
            raise DataError(
                "None of the images in a list is present.",
                where=lists.where[split],
                got=f"{len(rows)} names, e.g. {rows[0].name if rows else 'none'}",
                fix="put the images that belong to this list into images/",
            )
    if matched.unlisted:
        notes.append(f"{matched.unlisted} images that are in no list were not used")
    return {split: _sorted(by_class) for split, by_class in matched.images.items()}


def _by_folders(
    tree: RawTree, found: _Found, lists: ClassLists, notes: list[str]
) -> dict[Split, Images]:
    """Return the images of class folders; the lists, not the folders, define the split."""
    known = [label for label in found.folders if label in lists.split_of]
    notes.extend(_drop_copies([found.folders[label] for label in known]))
    notes.extend(_unknown_notes(tree, found, lists))
    images: dict[Split, Images] = {split: {} for split in SPLITS}
    moved = 0
    for label in known:
        members, split = found.folders[label], lists.split_of[label]
        images[split][label] = list(members.values())
        moved += sum(_SPLIT_FOLDERS.get(above, split) != split for above, _ in members)
    if moved:
        notes.append(
            f"{moved} images lie in folders of another split; {lists.origin} were followed"
        )
    if lists.images:
        notes.append(
            "the names of the images are not those in the csv files; all images of the listed "
            "classes were used"
        )
    return {split: _sorted(by_class) for split, by_class in images.items()}


def _drop_copies(folders: list[dict[tuple[str, str], RawEntry]]) -> list[str]:
    """Leave out second copies that a file manager made, such as ``x (1).jpg``, and say so."""
    dropped = 0
    for members in folders:
        for (above, name), entry in list(members.items()):
            original = members.get((above, without_copy_mark(name)))
            if original is not None and original is not entry and original.size == entry.size:
                del members[above, name]
                dropped += 1
    return [f"{dropped} images are copies by name and size, and were not used"] if dropped else []


def _sorted(images: Images) -> Images:
    """Sort each class by file name, so that every form of a copy gives the same order."""
    return {
        label: sorted(entries, key=lambda entry: (entry.basename, entry.path))
        for label, entries in images.items()
    }


def _unknown_notes(tree: RawTree, found: _Found, lists: ClassLists) -> list[str]:
    """Say which classes are in none of the three splits; raise if all are."""
    unknown = sorted(set(found.folders) - set(lists.split_of))
    if not unknown:
        return []
    shown = ", ".join(unknown[:5]) + (", ..." if len(unknown) > 5 else "")
    if len(unknown) == len(found.folders):
        raise DataError(
            "Classes of miniImageNet are unknown.",
            where=str(tree.root),
            got=f"{len(unknown)}, of which {lists.origin} name none: {shown}",
            fix="list your own classes in train.csv, val.csv and test.csv (filename,label) beside "
            "the images",
        )
    images = sum(len(found.folders[label]) for label in unknown)
    return [
        f"{len(unknown)} classes ({images} images) that {lists.origin} do not name were not "
        f"used: {shown}"
    ]


def _missing_notes(
    images: dict[Split, Images], lists: ClassLists, entry: DatasetEntry
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
