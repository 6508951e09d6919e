"""Turned copies of a data set's images as further classes."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from cactus.config.sections.data.custom import ROTATIONS, CustomDataset
from cactus.data.readers.base import RawDataset, RawSplit

_ANGLES: Final = [360 // ROTATIONS * turn for turn in range(ROTATIONS)]
_LISTED: Final = ", ".join(map(str, _ANGLES))


def with_rotations(own: CustomDataset, raw: RawDataset) -> RawDataset:
    """Return the data set, each of its classes turned into four if its settings say so."""
    if not own.rotations:
        return raw
    raw.notes.append(f"each class is {ROTATIONS}: its images turned by {_LISTED} degrees")
    return RawDataset(raw.image_shape, map(_turned, raw.splits), raw.notes)


def _turned(split: RawSplit) -> RawSplit:
    """Return a split in which each class, named after the angle, follows its turned copies.

    Labels must be in ascending order.
    """
    sizes = np.bincount(split.labels, minlength=len(split.classes))
    starts = np.cumsum(sizes) - sizes
    names = [
        f"{name}/rot{angle:03}"
        for start, size in zip(starts, sizes, strict=True)
        for angle in _ANGLES
        for name in split.names[start : start + size]
    ]
    classes = [f"{name}/rot{angle:03}" for name in split.classes for angle in _ANGLES]
    labels = np.repeat(np.arange(len(classes)), np.repeat(sizes, ROTATIONS))
    return RawSplit(split.name, classes, labels, names, _images(split, starts, sizes))


def _images(
    split: RawSplit, starts: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64]
) -> Iterator[tuple[int, npt.NDArray[np.uint8]]]:
    for row, image in split.images:
        start, size = (int(of[split.labels[row]]) for of in (starts, sizes))
        for turn in range(ROTATIONS):
            turned = np.ascontiguousarray(np.rot90(image, turn))
            yield ROTATIONS * start + turn * size + (row - start), turned
