"""CelebA from its archive or folder of aligned images, and its two lists.

torchvision's reader is not suitable: it requires the identity, box and landmark files, exact
checksums and a complete copy.
"""

import re
from pathlib import PurePosixPath

from cactus.config.sections.data.section import CelebaData, DataSettings
from cactus.data.files.registry import DatasetEntry
from cactus.data.files.tree import RawEntry, RawTree
from cactus.data.readers.base import Layout, RawDataset, decoded_splits
from cactus.data.readers.celeba_lists import (
    ATTRIBUTE_LIST,
    PARTITION_LIST,
    find_list,
    is_list,
    read_attributes,
    read_partitions,
)
from cactus.data.readers.image_fitter import ImageFitter
from cactus.errors import DataError
from cactus.splits import SPLITS, Split

_IMAGE = re.compile(r"\d{6}\.(jpe?g|png)", re.IGNORECASE)
_ARCHIVE = "img_align_celeba.zip"
_ALIGNED = "img_align_celeba"


def uses(entry: RawEntry) -> bool:
    """Return whether a file has a name by which it is read."""
    return _IMAGE.fullmatch(entry.basename) is not None or is_list(entry)


def missing(tree: RawTree) -> list[str]:
    """Return the official names of missing files."""
    lists = [
        f"{name}.txt" for name in (ATTRIBUTE_LIST, PARTITION_LIST) if find_list(tree, name) is None
    ]
    images = any(_IMAGE.fullmatch(entry.basename) for entry in tree.entries)
    return lists if images else [_ARCHIVE, *lists]


def read(tree: RawTree, settings: DataSettings, entry: DatasetEntry) -> RawDataset:
    """Read CelebA, complete or in part.

    Raises
    ------
    DataError
        A list is not valid, or a split has too few images for the tasks.
    """
    own = settings.celeba
    images = _find_images(tree)
    attributes = read_attributes(tree)
    usable = sorted(images.keys() & attributes.rows.keys())
    partitions = read_partitions(tree)
    notes = list(attributes.notes) + partitions.notes
    elsewhere = sum(_ALIGNED not in images[key].path for key in usable)
    if elsewhere:
        notes.append(
            f"{elsewhere} images are in no folder or archive of the name {_ALIGNED}; they may not "
            "be aligned"
        )
    if own.partitions == "official":
        members = partitions.members
        split = {name: [key for key in usable if key in members[name]] for name in SPLITS}
        notes += _missing_notes(split, partitions.members, attributes.announced, entry)
    else:
        split = _proportional(usable, entry)
        notes.append(
            f"{len(usable)} images were cut into splits in the official proportions, not by "
            "the official partition"
        )
    for name in SPLITS:
        _check_size(tree, name, len(split[name]), own.min_images)
    columns = _columns(len(attributes.names), own)
    layouts = {
        name: Layout(
            classes=[attributes.names[column] for column in columns[name]],
            labels=attributes.values[[attributes.rows[key] for key in keys]],
            names=[images[key].basename for key in keys],
            entries=[images[key] for key in keys],
            attributes=columns[name],
        )
        for name, keys in split.items()
    }
    side = own.image_size
    fitter = ImageFitter("RGB", side, own.resize, tree.max_image_bytes, own.crop_side)
    return RawDataset((side, side, 3), decoded_splits(tree, layouts, fitter, notes), notes)


def _find_images(tree: RawTree) -> dict[str, RawEntry]:
    """Return the images by number; aligned ones before others of the same number.

    Raises
    ------
    DataError
        Two images of one number are equally good, but differ.
    """
    found: dict[str, RawEntry] = {}
    images = [entry for entry in tree.entries if _IMAGE.fullmatch(entry.basename)]
    for entry in sorted(images, key=_rank):
        first = found.setdefault(PurePosixPath(entry.basename).stem, entry)
        if (_rank(first), first.container, first.basename) == (
            _rank(entry),
            entry.container,
            entry.basename,
        ) and first.size != entry.size:
            raise DataError(
                "Two images of CelebA have the same name and differ.",
                where=tree.where(first),
                got=f"{first.size} bytes, and {entry.size} bytes at {entry.path}",
                fix=f"keep the official images, in a folder {_ALIGNED}, and move the others away",
            )
    return found


def _rank(entry: RawEntry) -> int:
    """Return 0 for an image in the official folder or archive, 1 in one named alike, else 2."""
    folders = [one.removesuffix(".zip") for one in entry.path.split("/")[:-1]]
    return 0 if _ALIGNED in folders else 1 if _ALIGNED in entry.path else 2


def _proportional(usable: list[str], entry: DatasetEntry) -> dict[Split, list[str]]:
    """Split a list of images in the proportions of the complete partitions."""
    total = sum(entry.images.values())
    first = len(usable) * entry.images["train"] // total
    second = len(usable) * (entry.images["train"] + entry.images["val"]) // total
    return {"train": usable[:first], "val": usable[first:second], "test": usable[second:]}


def _missing_notes(
    present: dict[Split, list[str]],
    listed: dict[Split, set[str]],
    announced: int | None,
    entry: DatasetEntry,
) -> list[str]:
    """Say how many images of each partition are missing.

    A truncated list names too few. If the attribute list announces the complete data set, the
    published sizes of the partitions are expected.
    """
    complete = announced == sum(entry.images.values())
    notes = []
    for split in SPLITS:
        expected = entry.images[split] if complete else len(listed[split])
        absent = expected - len(present[split])
        if absent > 0:
            notes.append(f"{split}: {absent} of {expected} images are missing")
    return notes


def _columns(total: int, settings: CelebaData) -> dict[Split, list[int]]:
    """Return the columns of each split's attributes, in the order of the list."""
    first = settings.train_attributes
    second = first + settings.val_attributes
    return {
        "train": list(range(first)),
        "val": list(range(first, second)),
        "test": list(range(second, total)),
    }


def _check_size(tree: RawTree, split: Split, count: int, minimum: int) -> None:
    if count < minimum:
        raise DataError(
            "A partition of CelebA has too few images for the tasks.",
            where=f"{tree.root}, {split} split",
            got=f"{count} images with attributes and partition, at least {minimum} needed",
            fix="complete the raw data; or, for a partial copy, set data.celeba.partitions to "
            "proportional",
        )
