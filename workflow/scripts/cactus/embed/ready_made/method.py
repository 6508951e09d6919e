"""Vectors that were made elsewhere, looked up by the pixels or the names of their images."""

# ruff: noqa: D102 - the protocol documents the methods

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NoReturn

import numpy as np
import torch
from torch import Tensor

from cactus.config.sections.embeddings.ready_vectors import ReadyVectors
from cactus.embed.images import write_neighbors
from cactus.embed.ready_made.files import Images, Vectors, read_images, read_vectors
from cactus.embed.ready_made.named import NamedRows
from cactus.errors import DataError
from cactus.train.checkpoint import Checkpoints
from cactus.train.metrics import MetricsLog

_DIGEST_BYTES: Final = 16
# Vectors of equal images may differ by this share of their length, for rounding.
_SHARE: Final = 1e-3
_FILES: Final = "the files under `vectors`"
_AMONG: Final = 2000  # images in which the picture looks for neighbors


class Settings(ReadyVectors):
    """The keys under `vectors` of a custom embedding."""


class Method:
    """Ready-made vectors: each image gets the vector of the image with the same pixels or name.

    The place of an image says nothing: files may be in another order or have more images. By their
    pixels, all images count as themselves or all as their negatives, because drawings are kept as
    ink on paper and as paper on ink; the first images that are looked up decide. Names are those of
    the prepared data, whose pixels `read_names` looks up. Nothing is trained and nothing is drawn,
    so the seed has no use.

    Raises
    ------
    DataError
        A file is missing or damaged, has other numbers of vectors and images or names, or different
        vectors for equal images; or the splits' vectors differ in dimension.
    """

    def __init__(
        self,
        settings: Settings,
        image_shape: tuple[int, int, int],
        seed: int,
        device: torch.device,
    ) -> None:
        del seed, device
        self.row_of: dict[bytes, int] = {}  # by the digest of an image
        self.row_of_negative: dict[bytes, int] = {}  # by that of its negative
        self.rows: dict[bytes, int] | None = None  # the one of the two that holds our images
        parts = settings.parts
        found = [read_vectors(Path(part.vectors), settings.vector_array) for part in parts]
        for vectors, (path, *_) in zip(found, parts, strict=True):
            if vectors.shape[1] != found[0].shape[1]:
                got = f"{vectors.shape[1]} dimensions, {found[0].shape[1]} in {settings.train}"
                fix = "take files of the same encoder"
                _refuse("The vectors of two splits differ in dimension.", path, got, fix)
        self.vectors: Vectors = np.concatenate(found)
        counts = list(map(len, found))
        self.named = NamedRows(settings, counts) if settings.by_names else None
        if self.named is None:
            self._add_images(settings, counts, image_shape)

    def read_names(self, data_folder: Path) -> None:
        if self.named is not None:
            for name, row, image in self.named.images(data_folder):
                self._add(image, row, name)

    def total_steps(self, count: int) -> int:
        return min(0, count)

    def fit(self, images: Images, log: MetricsLog, checkpoints: Checkpoints) -> None:
        del log, checkpoints  # there is nothing to learn
        self._choose(images)

    def encode(self, images: Images) -> Vectors:
        known = self._choose(images)
        rows = np.array([known.get(_digest(image), -1) for image in images])
        missing = np.flatnonzero(rows < 0)
        if len(missing):
            got = f"{len(missing)} of {len(images)} images, the first is image {missing[0]}"
            fix = (
                "encode the images that this pipeline prepares: results/<run>/data/<data set>/"
                "<split>_images.npy; other sources scale or cut them in another way"
            )
            _refuse("Images have no ready-made vector.", _FILES, got, fix)
        vectors: Vectors = self.vectors[rows]
        wrong = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
        if len(wrong):
            got = f"those of {len(wrong)} of {len(images)} images, the first is image {wrong[0]}"
            fix = "write finite numbers that fit into 32 bits"
            _refuse("Ready-made vectors contain NaN or infinity.", _FILES, got, fix)
        return vectors

    def diagnose(self, images: Images, path: Path) -> None:
        some = images[:_AMONG]
        write_neighbors(some, self.encode(some), path)

    def state_dict(self) -> dict[str, Tensor]:
        return {}  # the files, which the settings name, are all there is

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        del state

    def _add_images(
        self, settings: Settings, counts: list[int], shape: tuple[int, int, int]
    ) -> None:
        start = 0
        for part, count in zip(settings.parts, counts, strict=True):
            images = read_images(Path(part.images), settings.image_array, shape, count)
            for row, image in enumerate(images, start):
                self._add(image, row, part.images)
            start += count

    def _add(self, image: Images, row: int, where: str) -> None:
        first = self.row_of.setdefault(_digest(image), row)
        self.row_of_negative.setdefault(_digest(255 - image), row)
        ours, others = (self.vectors[one].astype(np.float64) for one in (row, first))
        distance = float(np.linalg.norm(ours - others))
        if row != first and not distance <= _SHARE * float(np.linalg.norm(others)):  # or NaN
            got = f"{distance:.3g} apart"
            fix = "encode without dropout, batch statistics (call `eval()`) and augmentation"
            _refuse("Two equal images have different ready-made vectors.", where, got, fix)

    def _choose(self, images: Images) -> dict[bytes, int]:
        """Return the rows by image or by negative, whichever holds more of the first images."""
        if self.rows is None:
            both = self.row_of, self.row_of_negative
            digests = [_digest(image) for image in images]
            self.rows = max(both, key=lambda rows: sum(one in rows for one in digests))
        return self.rows


def _digest(image: Images) -> bytes:
    return hashlib.blake2b(image.tobytes(), digest_size=_DIGEST_BYTES).digest()


def _refuse(what: str, where: str, got: str, fix: str) -> NoReturn:
    raise DataError(what, where=where, got=got, fix=fix)
