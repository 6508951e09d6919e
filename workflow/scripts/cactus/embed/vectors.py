"""Checks of what an embedding returns: a vector for each image, from that image alone."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from math import sqrt
from typing import Any, Final, NamedTuple, NoReturn

import numpy as np
import numpy.typing as npt
import torch

from cactus.embed.base import Embedding
from cactus.errors import TrainingError
from cactus.seeding import numpy_generator

Images = npt.NDArray[np.uint8]
Vectors = npt.NDArray[np.float32]

_CONTRACT: Final = "docs/adding-an-embedding.md says what `encode` returns"
_ALONE: Final = (
    "make `encode` compute each vector from its own image, in the order of the images: no batch "
    "statistics or dropout (call `eval()`), no state between calls, nothing looked up by position"
)
# Images of a split that are encoded again by themselves, and in a small batch with other splits'.
_SINGLE, _MIXED = 3, 12
# Images encoded at once when all are encoded again, in random order.
_CHUNK: Final = 2048
# Another batch may round differently: by this share of the vectors' spread and of their length.
_SPREAD_SHARE, _LENGTH_SHARE = 0.02, 1e-3


class _Split(NamedTuple):
    images: Images
    vectors: Vectors
    spread: float  # root mean square distance of the vectors from their mean


@dataclass
class CheckedEncoder:
    """Encodes the splits of a data set, and refuses all but one good vector for each image.

    Parameters
    ----------
    embedding
        A trained embedding.
    label
        The embedding and its module, for errors.
    """

    embedding: Embedding
    label: str
    _splits: dict[str, _Split] = field(default_factory=dict)

    def encode(self, images: Images, split: str) -> Vectors:
        """Return the vectors (N, d) of a split's images (N, H, W, C).

        Raises
        ------
        TrainingError
            There is not exactly one vector for each image, its dimension is not that of the other
            splits, a value is not finite or too large, or all vectors are equal.
        """
        where = f"{self.label}, split {split}"
        vectors = self._encoded(images, where)
        check_vectors(vectors, where)
        for other, (_, others, _) in self._splits.items():
            if others.shape[1] != vectors.shape[1]:
                got = f"{vectors.shape[1]} dimensions, but {others.shape[1]} in split {other}"
                _refuse("The vectors of two splits differ in dimension.", where, got)
        self._splits[split] = _Split(images, vectors, _spread(vectors))
        return vectors

    def check_alone(self) -> None:
        """Encode all images again, and check that each vector depends on its own image alone.

        All are encoded in random order, and some in a small batch from all splits and by
        themselves.

        Raises
        ------
        TrainingError
            A vector differs by more than another batch may change the rounding.
        """
        for split, (images, *_) in self._splits.items():
            order = numpy_generator("encode again", split).permutation(len(images))
            for start in range(0, len(order), _CHUNK):
                rows = order[start : start + _CHUNK].tolist()
                self._compare([(split, row) for row in rows], "in another order")
        mixed = [(split, row) for split in self._splits for row in self._some(split, _MIXED)]
        self._compare(mixed[::-1], f"in a batch of {len(mixed)} images of all splits")
        for split in self._splits:
            for row in self._some(split, _SINGLE):
                self._compare([(split, row)], "by itself")

    def _encoded(self, images: Images, where: str) -> Vectors:
        try:
            found = self.embedding.encode(images)
        except Exception as error:
            error.add_note(f"in encode() on {len(images)} images; {where}")
            raise
        return as_vectors(found, len(images), where)

    def _some(self, split: str, count: int) -> Iterable[int]:
        """Return up to `count` rows of a split, among them the first and the last."""
        last = len(self._splits[split].images) - 1
        return sorted(set(np.linspace(0, last, count).round().astype(int).tolist()))

    def _compare(self, chosen: list[tuple[str, int]], how: str) -> None:
        """Encode some images again, given by split and row, and compare their vectors."""
        images = np.stack([self._splits[split].images[row] for split, row in chosen])
        images.setflags(write=False)  # as those that come from a file
        where = f"{self.label}, images encoded again {how}"
        again = self._encoded(images, where)
        before = np.stack([self._splits[split].vectors[row] for split, row in chosen])
        if again.shape != before.shape:
            got = f"{again.shape[1]} dimensions, {before.shape[1]} at first"
            _refuse("An embedding's dimension depends on the batch.", where, got)
        differences = _lengths(again.astype(np.float64) - before)
        spreads = np.array([self._splits[split].spread for split, _ in chosen])
        limits = _LENGTH_SHARE * _lengths(before) + _SPREAD_SHARE * spreads
        for index in np.flatnonzero(~(differences <= limits))[:1]:
            split, row = chosen[index]
            raise TrainingError(
                "A vector does not depend on its own image alone.",
                where=f"{self.label}, split {split}, image {row}",
                got=f"encoded again {how}, its vector is {differences[index]:.3g} away from the "
                f"first one; two images' vectors are {sqrt(2) * spreads[index]:.3g} apart",
                fix=_ALONE,
            )


def as_vectors(found: Any, count: int, where: str) -> Vectors:
    """Return what `encode` returned for `count` images as float32 (N, d).

    Floating-point arrays and tensors of any precision, on any device, and lists of them are read.

    Raises
    ------
    TrainingError
        It is something else, or there is not exactly one vector for each image.
    """
    array = _plain(list(map(_plain, found)) if isinstance(found, list | tuple) else found)
    if not isinstance(array, np.ndarray) or array.dtype.kind != "f":
        kind = array.dtype.name if isinstance(array, np.ndarray) else type(array).__name__
        _refuse("`encode` did not return floating-point vectors.", where, kind)
    if array.ndim != 2 or len(array) != count or not array.shape[1]:
        got = f"shape {array.shape} for {count} images"
        _refuse("`encode` did not return one vector for each image.", where, got)
    with np.errstate(over="ignore"):  # `check_vectors` finds what does not fit
        return np.ascontiguousarray(array, dtype=np.float32)


def _plain(value: Any) -> Any:
    """Return a tensor or a list of rows as an array, if that is possible without guessing."""
    if isinstance(value, torch.Tensor) and value.layout == torch.strided and not value.is_meta:
        detached = value.detach().cpu()
        return (detached.float() if detached.dtype == torch.bfloat16 else detached).numpy()
    if isinstance(value, list | tuple):
        try:
            return np.array(value)
        except (ValueError, TypeError):
            return value
    return value.filled(np.nan) if isinstance(value, np.ma.MaskedArray) else value


def check_vectors(vectors: Vectors, where: str) -> None:
    """Reject vectors (N, d) that cannot be partitioned.

    Raises
    ------
    TrainingError
        A value is NaN, infinite or so large that squared distances overflow, or all rows are equal.
    """
    largest = sqrt(float(np.finfo(np.float32).max) / (4 * vectors.shape[1]))
    for what, wrong in _wrong_rows(vectors, largest):
        if wrong.any():
            raise TrainingError(
                f"An embedding contains {what}.",
                where=where,
                got=f"{wrong.sum()} of {len(vectors)} images have such values, the first is image "
                f"{wrong.argmax()}",
                fix="lower the learning rate or change the seed in the config, then run again",
            )
    if len(vectors) > 1 and (vectors == vectors[0]).all():
        raise TrainingError(
            "An embedding has collapsed.",
            where=where,
            got=f"the same vector for all {len(vectors)} images",
            fix="train longer, lower the learning rate or change the seed, then run again",
        )


def _wrong_rows(vectors: Vectors, largest: float) -> Iterator[tuple[str, Any]]:
    yield "NaN or infinity, as float32", (~np.isfinite(vectors)).any(axis=1)
    too_large = (np.abs(vectors) > largest).any(axis=1)
    yield f"values beyond {largest:.1e}, whose distances overflow", too_large


def _lengths(rows: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    lengths: npt.NDArray[np.float64] = np.linalg.norm(rows.astype(np.float64), axis=1)
    return lengths


def _spread(vectors: Vectors) -> float:
    """Return the root mean square distance of vectors (N, d) from their mean."""
    return sqrt(float(vectors.var(axis=0, dtype=np.float64).sum()))


def _refuse(what: str, where: str, got: str) -> NoReturn:
    fix = f"return float32 vectors (N, d) of N images, d the same for all; {_CONTRACT}"
    raise TrainingError(what, where=where, got=got, fix=fix)
