"""MNIST from its four idx files, compressed or not, in any folder or archive.

The files are parsed here and not by `torchvision.datasets.mnist`: its reader takes only
decompressed files, reports damage by assertions, and needs PyTorch, which takes seconds to import.
"""

import math
import re
from collections.abc import Iterator
from typing import IO

import numpy as np
import numpy.typing as npt

from cactus.config.sections.data.section import DataSettings
from cactus.data.files.damage import damaged
from cactus.data.files.registry import DatasetEntry
from cactus.data.files.tree import RawEntry, RawTree, too_large
from cactus.data.readers.base import RawDataset, RawSplit, check_class_sizes
from cactus.errors import DataError
from cactus.splits import Split

_ROLES = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
# Some copies write a dot before `idx`, or everything in capitals.
_NAME = re.compile(
    r"(train|t10k)[-_.](images|labels)[-_.](idx[13])[-_.]ubyte(\.gz)?", re.IGNORECASE
)
_SIDE = 28
_DIGITS = 10
# An idx file starts with two zero bytes, the type (8: unsigned byte) and the number of axes.
_UNSIGNED_BYTE = 8
_CHUNK_BYTES = 1 << 20

# Images (N, 28, 28, 1) and labels (N,).
_Pair = tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]
# The same, and the names of the images.
_Part = tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64], list[str]]


def uses(entry: RawEntry) -> bool:
    """Return whether a file has a name by which it is read."""
    return _role(entry) in _ROLES


def missing(tree: RawTree) -> list[str]:
    """Return the official names of missing files."""
    return [f"{role}-ubyte.gz" for role in _ROLES if not _find(tree, role)]


def read(tree: RawTree, settings: DataSettings, entry: DatasetEntry) -> RawDataset:
    """Read MNIST; the last training images are the validation split.

    Raises
    ------
    DataError
        A file is damaged or has the wrong shape, or a digit has too few images.
    """
    train = _read_pair(tree, "train", entry.images["train"])
    test = _read_pair(tree, "t10k", entry.images["test"])
    cut = len(train[0]) - settings.mnist.val_size
    if cut <= 0:
        raise DataError(
            "The validation split of MNIST leaves no training image.",
            where="data.mnist.val_size",
            got=f"{settings.mnist.val_size} of {len(train[0])} images",
            fix="choose a smaller val_size",
        )
    names = [f"train/{place}" for place in range(len(train[0]))]
    parts: dict[Split, _Part] = {
        "train": (train[0][:cut], train[1][:cut], names[:cut]),
        "val": (train[0][cut:], train[1][cut:], names[cut:]),
        "test": (*test, [f"t10k/{place}" for place in range(len(test[0]))]),
    }
    notes = [f"the validation split is the last {settings.mnist.val_size} training images"]
    counts: dict[Split, int] = {"train": len(train[0]), "test": len(test[0])}
    for name, count in counts.items():
        if count != entry.images[name]:
            notes.append(f"{name}: {count} images instead of {entry.images[name]}")
    return RawDataset((_SIDE, _SIDE, 1), _splits(parts, settings), notes)


def _splits(parts: dict[Split, _Part], settings: DataSettings) -> Iterator[RawSplit]:
    classes = [str(digit) for digit in range(_DIGITS)]
    for name, (images, labels, names) in parts.items():
        check_class_sizes("mnist", name, classes, labels, settings.mnist.min_images_per_class)
        yield RawSplit(name, classes, labels, names, enumerate(images))


def _role(entry: RawEntry) -> str | None:
    match = _NAME.fullmatch(entry.basename)
    return "-".join(match.groups()[:3]).lower() if match else None


def _find(tree: RawTree, role: str) -> list[RawEntry]:
    """Find copies of a file, whose names differ from the official one in punctuation and case."""
    found = [entry for entry in tree.entries if _role(entry) == role]
    # The compressed file is preferred: its checksum is published.
    return sorted(found, key=lambda entry: not entry.name.lower().endswith(".gz"))


def _read_pair(tree: RawTree, name: str, most: int) -> _Pair:
    images = _read_copies(tree, f"{name}-images-idx3", (most, _SIDE, _SIDE))
    labels = _read_copies(tree, f"{name}-labels-idx1", (most,))
    if len(images) != len(labels):
        raise _mismatch(f"{tree.root}/{name}-*", f"{len(images)} images and {len(labels)} labels")
    if labels.max(initial=0) >= _DIGITS:
        raise _mismatch(f"{tree.root}/{name}-*", f"a label {labels.max()}, not a digit")
    return images[..., None], labels.astype(np.int64)


def _read_copies(tree: RawTree, role: str, most: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    """Read a file, and check that its copies hold the same: Fashion-MNIST has the same names."""
    entry, *copies = _find(tree, role)
    values = _read_idx(tree, entry, most)
    for copy in copies:
        try:
            same = np.array_equal(_read_idx(tree, copy, most, record=False), values)
        except DataError:
            continue  # half of a download, which is not needed, is no other data set
        if not same:
            raise DataError(
                "Two files of MNIST have the same name and differ.",
                where=tree.where(entry),
                got=f"another content at {copy.path}",
                fix="keep the one that you want to use, and move the other away",
            )
    return values


def _read_idx(
    tree: RawTree, entry: RawEntry, most: tuple[int, ...], *, record: bool = True
) -> npt.NDArray[np.uint8]:
    """Parse an idx file of unsigned bytes; no more is read than a shape up to `most` needs."""
    axes, path = len(most), tree.root / entry.path
    with tree.open(entry, record=record) as file:
        header = _read_up_to(file, 4 * (axes + 1))
        words = np.frombuffer(header[: len(header) // 4 * 4], dtype=">u4").tolist()
        if words and words[0] != _magic(axes) and words[0] in (_magic(1), _magic(3)):
            raise _mismatch(tree.where(entry), "images in the place of labels, or the reverse")
        if len(words) != axes + 1 or words[0] != _magic(axes):
            raise damaged(path, f"not an idx file of bytes with {axes} axes")
        shape = tuple(words[1:])
        if shape[1:] != most[1:]:
            sides = "x".join(map(str, shape[1:]))
            raise _mismatch(tree.where(entry), f"images of {sides}, not {_SIDE}x{_SIDE}")
        if shape[0] > most[0]:
            raise _mismatch(tree.where(entry), f"{shape[0]} images or labels, MNIST has {most[0]}")
        size = math.prod(shape)
        if size > tree.max_bytes:
            raise too_large(tree.where(entry), str(size))
        content = _read_up_to(file, size + 1)
    if len(content) != size:
        more = "more than " if len(content) > size else ""
        raise damaged(path, f"{more}{min(len(content), size)} bytes for a shape of {shape}")
    return np.frombuffer(content, dtype=np.uint8).reshape(shape)


def _magic(axes: int) -> int:
    return _UNSIGNED_BYTE << 8 | axes


def _read_up_to(file: IO[bytes], size: int) -> bytes:
    """Read at most `size` bytes, without taking the memory for all of them before they come."""
    content = bytearray()
    while len(content) < size:
        chunk = file.read(min(_CHUNK_BYTES, size - len(content)))
        if not chunk:
            break
        content += chunk
    return bytes(content)


def _mismatch(where: str, got: str) -> DataError:
    return DataError(
        "The MNIST files do not match each other.",
        where=where,
        got=got,
        fix="get the official files again",
    )
