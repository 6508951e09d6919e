"""MNIST from its four idx files, compressed or not, in any folder or archive.

The files are parsed here and not by `torchvision.datasets.mnist`: its reader takes only
decompressed files, reports damage by assertions, and needs PyTorch, which takes seconds to import.
"""

import re
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from cactus.config.sections.data import DataSettings
from cactus.data.files.damage import damaged
from cactus.data.files.registry import DatasetEntry
from cactus.data.files.tree import RawEntry, RawTree
from cactus.data.readers.base import RawDataset, RawSplit, check_class_sizes
from cactus.errors import DataError
from cactus.splits import Split

_ROLES = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
_SIDE = 28
_DIGITS = 10
# An idx file starts with two zero bytes, the type (8: unsigned byte) and the number of axes.
_UNSIGNED_BYTE = 8

# Images (N, 28, 28, 1) and labels (N,).
_Pair = tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]


def missing(tree: RawTree) -> list[str]:
    """Return the official names of missing files."""
    return [f"{role}-ubyte.gz" for role in _ROLES if _find(tree, role) is None]


def read(tree: RawTree, settings: DataSettings, entry: DatasetEntry) -> RawDataset:
    """Read MNIST; the last training images are the validation split.

    Raises
    ------
    DataError
        A file is damaged or has the wrong shape, or a digit has too few images.
    """
    train = _read_pair(tree, "train")
    test = _read_pair(tree, "t10k")
    cut = len(train[0]) - settings.mnist.val_size
    if cut <= 0:
        raise DataError(
            "The validation split of MNIST leaves no training image.",
            where="data.mnist.val_size",
            got=f"{settings.mnist.val_size} of {len(train[0])} images",
            fix="choose a smaller val_size",
        )
    parts: dict[Split, _Pair] = {
        "train": (train[0][:cut], train[1][:cut]),
        "val": (train[0][cut:], train[1][cut:]),
        "test": test,
    }
    notes = [f"the validation split is the last {settings.mnist.val_size} training images"]
    counts: dict[Split, int] = {"train": len(train[0]), "test": len(test[0])}
    for name, count in counts.items():
        if count != entry.images[name]:
            notes.append(f"{name}: {count} images instead of {entry.images[name]}")
    return RawDataset((_SIDE, _SIDE, 1), _splits(parts, settings), notes)


def _splits(parts: dict[Split, _Pair], settings: DataSettings) -> Iterator[RawSplit]:
    classes = [str(digit) for digit in range(_DIGITS)]
    for name, (images, labels) in parts.items():
        check_class_sizes("mnist", name, classes, labels, settings.mnist.min_images_per_class)
        yield RawSplit(name, classes, labels, enumerate(images))


def _find(tree: RawTree, role: str) -> RawEntry | None:
    """Find a file by its official name; some copies write a dot before `idx`."""
    pattern = re.compile(role.replace("-idx", "[-.]idx") + r"-ubyte(\.gz)?")
    found = [entry for entry in tree.entries if pattern.fullmatch(entry.basename)]
    # The compressed file is preferred: its checksum is published.
    return min(found, key=lambda entry: not entry.name.endswith(".gz"), default=None)


def _read_pair(tree: RawTree, name: str) -> _Pair:
    images = _read_idx(tree, f"{name}-images-idx3", 3)
    labels = _read_idx(tree, f"{name}-labels-idx1", 1)
    problem = None
    if images.shape[1:] != (_SIDE, _SIDE):
        problem = f"images of {images.shape[1]}x{images.shape[2]}, not {_SIDE}x{_SIDE}"
    elif len(images) != len(labels):
        problem = f"{len(images)} images and {len(labels)} labels"
    elif labels.max(initial=0) >= _DIGITS:
        problem = f"a label {labels.max()}, not a digit"
    if problem is not None:
        raise DataError(
            "The MNIST files do not match each other.",
            where=f"{tree.root}/{name}-*",
            got=problem,
            fix="get the official files again",
        )
    return images[..., None], labels.astype(np.int64)


def _read_idx(tree: RawTree, role: str, axes: int) -> npt.NDArray[np.uint8]:
    """Parse an idx file of unsigned bytes with the given number of axes."""
    entry = _find(tree, role)
    assert entry is not None, f"{role} was not checked for"
    content = tree.read(entry)
    header = np.frombuffer(content[: 4 * (axes + 1)], dtype=">u4")
    if len(header) != axes + 1 or header[0] != _UNSIGNED_BYTE << 8 | axes:
        raise damaged(tree.root / entry.path, f"not an idx file of bytes with {axes} axes")
    shape = tuple(int(length) for length in header[1:])
    data = np.frombuffer(content, dtype=np.uint8, offset=4 * (axes + 1))
    if len(data) != np.prod(shape, dtype=np.int64):
        raise damaged(tree.root / entry.path, f"{len(data)} bytes for a shape of {shape}")
    return data.reshape(shape)
