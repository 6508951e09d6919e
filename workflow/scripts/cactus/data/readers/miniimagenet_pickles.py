"""miniImageNet from one pickle of images and classes per split, as several kits distribute it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from PIL import Image

from cactus.config.sections.data.section import MiniImagenetData
from cactus.data.files.tree import RawEntry, RawTree
from cactus.data.files.unused import without_copy_mark
from cactus.data.readers.base import RawSplit, check_class_sizes
from cactus.data.readers.image_fitter import ImageFitter
from cactus.data.readers.miniimagenet_content import ContentError, Pixels, images_and_classes
from cactus.data.readers.miniimagenet_lists import ClassLists
from cactus.data.unpickle.load import load_pickle
from cactus.errors import DataError
from cactus.splits import SPLITS, Split

_OFFICIAL = "mini-imagenet-cache-{}.pkl"
_OFFICIAL_FAMILY = ("mini", "imagenet", "cache")
_PICKLE = re.compile(r"\.(pkl|pickle|pk|p)(\.gz)?$")
_WORDS: dict[str, Split] = {
    "train": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
}
_SHOWN = 5
# A pickle is read into memory. Photographs shrink to no less than a third when they are packed.
_MOST_BYTES = 4 << 30
_MOST_PACKED = 20
_FREE_BYTES = 64 << 20
HOW_TO_SAVE = (
    "save one pickle for each split, {train,val,test}.pkl: a dict of image_data, uint8 "
    "(N, height, width, 3) in RGB order, and class_dict, which gives each class of the split, by "
    "its wnid, the indices of its images (docs/data.md)"
)


@dataclass
class Pickles:
    """The pickles of one kit by split, and the others, which are not used."""

    entries: dict[Split, RawEntry] = field(default_factory=dict)
    others: list[RawEntry] = field(default_factory=list)

    @property
    def missing(self) -> list[str]:
        """The names of the pickles that are missing."""
        known = next(iter(self.entries.values()), None)
        hint = f" (as {known.basename} was found)" if known else ""
        official = hint if known and not _is_official(known) else ""
        return [_OFFICIAL.format(split) + official for split in SPLITS if split not in self.entries]


def is_split_pickle(entry: RawEntry) -> bool:
    """Return whether a file has the name of a split's pickle."""
    return _PICKLE.search(entry.basename.lower()) is not None and len(_words(entry)[1]) == 1


def find_pickles(tree: RawTree) -> Pickles:
    """Return the most complete set of pickles whose names differ in the split's name alone.

    `..._train_phase_val` and `..._train_phase_test` are further images of the training classes.
    """
    families: dict[tuple[str, ...], dict[Split, RawEntry]] = {}
    candidates = [entry for entry in tree.entries if _PICKLE.search(entry.basename.lower())]
    for entry in candidates:
        words, splits = _words(entry)
        if len(splits) == 1:
            families.setdefault(words, {}).setdefault(splits.pop(), entry)
    best = max(
        families, key=lambda words: (len(families[words]), words == _OFFICIAL_FAMILY), default=()
    )
    entries = families.get(best, {})
    used = {entry.basename for entry in entries.values()}
    return Pickles(entries, [entry for entry in candidates if entry.basename not in used])


def pickle_splits(
    tree: RawTree,
    lists: ClassLists,
    fitter: ImageFitter,
    settings: MiniImagenetData,
    notes: list[str],
) -> Iterator[RawSplit]:
    """Yield the splits; one pickle is in memory at a time.

    Raises
    ------
    DataError
        A pickle is unsafe or damaged, or holds anything but images and classes.
    """
    pickles = find_pickles(tree)
    if pickles.others:
        others = ", ".join(entry.path for entry in pickles.others[:_SHOWN])
        notes.append(f"{len(pickles.others)} other pickles were not used, e.g. {others}")
    for name in SPLITS:
        entry = pickles.entries[name]
        images, classes = _load(tree, entry)
        names = sorted(_listed(tree, entry, name, classes, lists, notes))
        labels = np.repeat(np.arange(len(names)), [len(classes[label]) for label in names])
        check_class_sizes("miniimagenet", name, names, labels, settings.min_images_per_class)
        order = np.concatenate([classes[label] for label in names])
        rows = _rows(images, order, fitter)
        # Only the generator of rows may hold the images, so that consuming it frees them.
        del images
        named = [f"{names[at]}/{place}" for at, place in zip(labels, order, strict=True)]
        yield RawSplit(name, names, labels, named, rows)
    notes.extend(fitter.notes())


def _rows(
    images: Pixels, order: npt.NDArray[np.int64], fitter: ImageFitter
) -> Iterator[tuple[int, npt.NDArray[np.uint8]]]:
    for row, index in enumerate(order):
        yield row, fitter.fit(Image.fromarray(images[index]))


def _words(entry: RawEntry) -> tuple[tuple[str, ...], set[Split]]:
    """Return the words of a pickle's name without those of splits, and the splits.

    A second copy that a browser named, `... (1).pkl`, has no split: it may be an older one.
    """
    if without_copy_mark(entry.basename) != entry.basename:
        return (), set()
    stem = _PICKLE.sub("", entry.basename.lower()).replace("miniimagenet", "mini_imagenet")
    words = [word for word in re.split(r"[^a-z0-9]+", stem) if word not in ("", "phase")]
    splits = {_WORDS[word] for word in words if word in _WORDS}
    return tuple(word for word in words if word not in _WORDS), splits


def _is_official(entry: RawEntry) -> bool:
    return _words(entry)[0] == _OFFICIAL_FAMILY


def _listed(
    tree: RawTree,
    entry: RawEntry,
    split: Split,
    classes: dict[str, npt.NDArray[np.int64]],
    lists: ClassLists,
    notes: list[str],
) -> list[str]:
    """Return the classes that are in the lists; raise if one belongs to another split."""
    for label in classes:
        if lists.split_of.get(label, split) != split:
            other = lists.split_of[label]
            problem = f"the class {label}, which {lists.origin} have in the {other} split"
            raise _unexpected(tree, entry, problem, "put each class into the pickle of its split")
    unknown = sorted(set(classes) - set(lists.split_of))
    shown = ", ".join(unknown[:_SHOWN])
    if unknown and len(unknown) == len(classes):
        problem = f"classes that {lists.origin} do not name: {shown}"
        fix = "name the classes by their wnids; or list your own in train.csv, val.csv and test.csv"
        raise _unexpected(tree, entry, problem, fix)
    if unknown:
        notes.append(
            f"{split}: {len(unknown)} classes that {lists.origin} do not name were not used: "
            f"{shown}"
        )
    return [label for label in classes if label in lists.split_of]


def _load(tree: RawTree, entry: RawEntry) -> tuple[Pixels, dict[str, npt.NDArray[np.int64]]]:
    """Return the images and the indices of each class's images."""
    on_disk = entry.size if entry.loose else entry.container.path.stat().st_size
    limit = min(_MOST_BYTES, _FREE_BYTES + _MOST_PACKED * on_disk)
    with tree.open(entry) as file:
        content = load_pickle(file, tree.root / entry.path, limit)
    try:
        return images_and_classes(content)
    except ContentError as error:
        raise _unexpected(tree, entry, str(error), HOW_TO_SAVE) from error


def _unexpected(tree: RawTree, entry: RawEntry, got: str, fix: str) -> DataError:
    return DataError(
        "A pickle of miniImageNet does not hold what is expected.",
        where=tree.where(entry),
        got=got,
        fix=fix,
    )
