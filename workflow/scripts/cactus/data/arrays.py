"""Prepared data: memory-mappable uint8 images, labels and the manifest beside them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from pydantic import Field, ValidationError

from cactus.config.sections.base import DatasetName, Settings
from cactus.data.array_files import read_array, write_array
from cactus.data.files.record import RawRecord
from cactus.errors import DataError
from cactus.files import atomic_path, file_hash, read_json, write_json
from cactus.splits import Split

MANIFEST = "manifest.json"
SOURCES = "sources.json"
_PLAIN_NAME = r"^\w[\w.-]*$"
_Content = TypeVar("_Content", bound=Settings)
_WriteRow = Callable[[int, npt.NDArray[np.uint8]], None]


class ArrayRecord(Settings):
    """An array file: name, shape, dtype and sha256 of the whole file."""

    file: str = Field(pattern=_PLAIN_NAME)
    shape: tuple[int, ...]
    dtype: str
    sha256: str


class SplitRecord(Settings):
    """A split: its arrays and the names of its classes in the order of their labels.

    For CelebA, `classes` names the attributes that define the split's tasks, and `attributes`
    holds their columns in the labels.
    """

    images: ArrayRecord
    labels: ArrayRecord
    classes: list[str]
    attributes: list[int] | None = None


class Manifest(Settings):
    """What a prepared data set holds."""

    dataset: DatasetName
    synthetic: bool
    image_shape: tuple[int, int, int]
    splits: dict[Split, SplitRecord] = Field(min_length=3)


class Sources(Settings):
    """What a data set was prepared from, and what its reader noted.

    It is apart from the manifest, which trainings read: a raw file with a new name changes this,
    and trainings stay up to date.
    """

    raw: list[RawRecord]
    notes: list[str]


@contextmanager
def image_writer(path: Path, shape: tuple[int, int, int, int]) -> Iterator[_WriteRow]:
    """Create a uint8 `.npy` file (N, H, W, C) row by row; it appears at `path` once complete.

    The block gets a function that writes a row, given its number and its image (H, W, C), in any
    order. It uses ordinary writes, not a memory map, so that the pages of a large file do not
    count as memory of this process.

    Raises
    ------
    ValueError
        An image has another shape or dtype, a row is out of range or written twice, or the block
        ended before every row was written.
    """
    written = np.zeros(shape[0], dtype=np.bool_)
    with atomic_path(path) as temporary:
        array = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.uint8, shape=shape)
        offset = array.offset
        del array
        with temporary.open("r+b") as file:

            def write(row: int, image: npt.NDArray[np.uint8]) -> None:
                if image.shape != shape[1:] or image.dtype != np.uint8:
                    raise ValueError(f"image {row} is {image.dtype} {image.shape}, not {shape[1:]}")
                if not 0 <= row < len(written) or written[row]:
                    raise ValueError(f"row {row} is out of range or written twice")
                file.seek(offset + row * image.nbytes)
                file.write(image.tobytes())
                written[row] = True

            yield write
        if not written.all():
            missing = (~written).sum()
            raise ValueError(f"{missing} of {shape[0]} rows of {path} were not written")


def write_labels(path: Path, labels: npt.NDArray[Any]) -> ArrayRecord:
    """Write labels, atomically, and return their record."""
    write_array(path, labels)
    return array_record(path, labels.shape, labels.dtype)


def array_record(path: Path, shape: tuple[int, ...], dtype: npt.DTypeLike) -> ArrayRecord:
    """Return the record of an array file on disk."""
    return ArrayRecord(
        file=path.name, shape=shape, dtype=np.dtype(dtype).name, sha256=file_hash(path)
    )


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest. It must come last: its presence means that the arrays are complete."""
    content = manifest.model_dump(mode="json")
    for split in content["splits"].values():
        if split["attributes"] is None:
            del split["attributes"]
    write_json(folder / MANIFEST, content)


def write_sources(folder: Path, sources: Sources) -> None:
    """Write what a data set was prepared from."""
    write_json(folder / SOURCES, sources.model_dump(mode="json"))


def load_manifest(folder: Path) -> Manifest:
    """Read the manifest of a prepared data set.

    Raises
    ------
    DataError
        The data set is not prepared, or its manifest is damaged.
    """
    return _read(folder, MANIFEST, Manifest)


def load_sources(folder: Path) -> Sources:
    """Read what a data set was prepared from.

    Raises
    ------
    DataError
        The data set is not prepared, or the file is damaged.
    """
    return _read(folder, SOURCES, Sources)


def load_images(folder: Path, split: Split) -> npt.NDArray[np.uint8]:
    """Map the images of a split, uint8 (N, H, W, C), read-only.

    Raises
    ------
    DataError
        The data set is not prepared, or the array differs from its manifest.
    """
    return _load(folder, load_manifest(folder).splits[split].images, mmap=True)


def load_labels(folder: Path, split: Split) -> npt.NDArray[Any]:
    """Read the labels of a split: classes, int64 (N,); for CelebA attributes, uint8 (N, 40).

    Raises
    ------
    DataError
        The data set is not prepared, or the array differs from its manifest.
    """
    return _load(folder, load_manifest(folder).splits[split].labels, mmap=False)


def _read(folder: Path, name: str, kind: type[_Content]) -> _Content:
    path = folder / name
    if not path.is_file():
        raise DataError(
            "The data set is not prepared.",
            where=str(path),
            got="no such file",
            fix="run the target `data` (a half-prepared folder has no manifest)",
        )
    try:
        return kind.model_validate(read_json(path))
    except ValidationError as error:
        raise DataError(
            "A file of a prepared data set is not valid.",
            where=str(path),
            got=str(error),
            fix=f"delete {folder} and run the target `data` again",
        ) from error


def _load(folder: Path, record: ArrayRecord, mmap: bool) -> npt.NDArray[Any]:
    path = folder / record.file
    array = read_array(path, mmap=mmap)
    if array.shape != record.shape or array.dtype.name != record.dtype:
        raise DataError(
            "A prepared array differs from its manifest.",
            where=str(path),
            got=f"{array.dtype.name} {array.shape}, recorded {record.dtype} {record.shape}",
            fix=f"delete {folder} and run the target `data` again",
        )
    return array
