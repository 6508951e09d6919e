"""miniImageNet from the pickles mini-imagenet-cache-{train,val,test}.pkl."""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from cactus.config.sections.data import MiniImagenetData
from cactus.data.files.tree import RawEntry, RawTree
from cactus.data.readers.base import RawSplit, check_class_sizes
from cactus.data.readers.image_fitter import ImageFitter
from cactus.data.readers.miniimagenet_lists import ClassLists
from cactus.data.unpickle.load import load_pickle
from cactus.errors import DataError
from cactus.splits import SPLITS, Split

PICKLE_NAME = "mini-imagenet-cache-{}.pkl"
_MAX_INDEX = 1 << 31
_PICKLE = re.compile(r"mini-?imagenet-cache-(train|val|test)(?:idation)?\.(pkl|pickle)")


def find_pickles(tree: RawTree) -> dict[Split, RawEntry]:
    """Return the pickles that are present, loose or in archives."""
    found: dict[Split, RawEntry] = {}
    for entry in tree.entries:
        if match := _PICKLE.fullmatch(entry.basename.lower()):
            split = next(split for split in SPLITS if split == match[1])
            found.setdefault(split, entry)
    return found


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
    for name in SPLITS:
        entry = pickles[name]
        images, classes = _load(tree, entry)
        for label in classes:
            if lists.split_of.get(label) != name:
                raise _unexpected(
                    tree, entry, f"the class {label}, not in the {name} split of {lists.origin}"
                )
        names = sorted(classes)
        labels = np.repeat(np.arange(len(names)), [len(classes[label]) for label in names])
        check_class_sizes("miniimagenet", name, names, labels, settings.min_images_per_class)
        order = np.concatenate([classes[label] for label in names])
        rows = _rows(images, order, fitter)
        # Only the generator of rows may hold the images, so that consuming it frees them.
        del images
        yield RawSplit(name, names, labels, rows)
    notes.extend(fitter.notes())


def _rows(
    images: npt.NDArray[np.uint8], order: npt.NDArray[np.int64], fitter: ImageFitter
) -> Iterator[tuple[int, npt.NDArray[np.uint8]]]:
    for row, index in enumerate(order):
        yield row, fitter.fit(Image.fromarray(images[index]))


def _load(
    tree: RawTree, entry: RawEntry
) -> tuple[npt.NDArray[np.uint8], dict[str, npt.NDArray[np.int64]]]:
    """Return images (N, H, W, 3) and the image indices of each class."""
    with tree.open(entry) as file:
        content = load_pickle(file, tree.root / entry.path, entry.size)
    if not isinstance(content, dict):
        raise _unexpected(tree, entry, f"a {type(content).__name__}")
    fields = {_text(key): value for key, value in content.items()}
    images, classes = fields.get("image_data"), fields.get("class_dict")
    if not isinstance(images, np.ndarray) or not isinstance(classes, dict):
        raise _unexpected(tree, entry, f"the keys {', '.join(sorted(fields))}")
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 3:
        raise _unexpected(tree, entry, f"images of {images.dtype} {images.shape}, channels last?")
    indices = {_text(label): _indices(values) for label, values in classes.items()}
    everything = np.concatenate([*indices.values(), np.empty(0, np.int64)])
    unique = len(np.unique(everything)) == len(everything)
    if not unique or everything.min(initial=0) < 0 or everything.max(initial=-1) >= len(images):
        raise _unexpected(tree, entry, "class indices that repeat or lie outside the images")
    return images, indices


def _text(value: Any) -> str:
    """Return a key as text; Python 2 wrote bytes."""
    return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else str(value)


def _indices(values: Any) -> npt.NDArray[np.int64]:
    """Return the indices of a class; anything but a list of indices is marked out of range."""
    items = values.tolist() if isinstance(values, np.ndarray) else values
    if not isinstance(items, list) or not all(isinstance(item, int) for item in items):
        return np.array([-1])
    return np.array([item if 0 <= item < _MAX_INDEX else -1 for item in items], dtype=np.int64)


def _unexpected(tree: RawTree, entry: RawEntry, got: str) -> DataError:
    return DataError(
        "A pickle of miniImageNet does not hold what is expected.",
        where=tree.where(entry),
        got=got,
        fix="use the original pickle: a dict of image_data, uint8 (N, 84, 84, 3), and class_dict, "
        "which gives each wnid of the split the indices of its images",
    )
