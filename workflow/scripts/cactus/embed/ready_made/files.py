"""Vectors and the images that they belong to, from files that were made elsewhere."""

import lzma
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NoReturn

import numpy as np
import numpy.typing as npt

from cactus.errors import DataError, did_you_mean_or_known

Array = npt.NDArray[Any]
Images = npt.NDArray[np.uint8]
Vectors = npt.NDArray[np.float32]

_VECTORS: Final = ("Z", "Z_raw")
# What NumPy and the modules below it raise for damaged, packed and encrypted files.
_UNREADABLE: Final = (
    OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, RuntimeError,
    SyntaxError, TypeError, MemoryError, tokenize.TokenError,
)  # fmt: skip
_CHUNK: Final = 4096
_ROUNDING: Final = 0.01  # of a gray level; half precision rounds more


def read_array(path: Path, *names: str) -> Array:
    """Return the array of an `.npy` file, or the first of `names` in an `.npz` file.

    Raises
    ------
    DataError
        The file is missing or damaged, or has no such array.
    """
    try:
        content = np.load(path, mmap_mode="r", allow_pickle=False)
        if isinstance(content, np.ndarray):
            array = content
        else:
            with content:
                found = [name for name in names if name in content.files]
                if not found:
                    _refuse_names(path, names, content.files)
                array = content[found[0]]
        if not isinstance(array, np.ndarray):
            raise ValueError(f"its member {found[0]} is no array")
    except _UNREADABLE as error:
        fix = "write it again with np.save or np.savez, as an array of numbers, names as text"
        _refuse("A file of ready-made vectors cannot be read.", str(path), str(error), fix)
    return array


def read_vectors(path: Path, name: str) -> Vectors:
    """Return the vectors (N, d) of a file; see `read_array`."""
    array = read_array(path, *((name,) if name else _VECTORS))
    if array.dtype.kind != "f" or array.ndim != 2 or not array.shape[1]:
        _refuse_kind(path, array, "floating-point vectors (N, d)")
    with np.errstate(over="ignore"):  # what does not fit is found with NaN and infinity
        return np.asarray(array, dtype=np.float32)


def read_images(path: Path, name: str, shape: tuple[int, int, int], count: int) -> Iterator[Images]:
    """Yield the images of a file one by one, uint8 (H, W, C).

    The file may hold them channels-last or channels-first, and gray ones without channels or as
    rows of pixels, with levels from 0 to 255, or from 0 to 1 if no value is above 1.

    Parameters
    ----------
    path, name
        The file, and the name of the array in an `.npz` file.
    shape
        Height, width and channels of the images.
    count
        How many there must be.

    Raises
    ------
    DataError
        There are others, or of another shape, or their values are no gray levels.
    """
    array = read_array(path, name)
    if array.dtype.kind not in "biuf":
        _refuse_kind(path, array, "numbers")
    if array.shape[1:] == shape and len(set(shape)) == 1 and shape[0] > 1:
        got = f"an array of shape {array.shape}, channels first or last"
        fix = "match them by their names instead, under `names` or `name_array`"
        _refuse("The images of ready-made vectors can be read in two ways.", str(path), got, fix)
    order = _order(array.shape[1:], shape)
    if order is None:
        fix = f"ours are {shape} (height, width, channels); write images of this size"
        got = f"an array of shape {array.shape}"
        _refuse("The images of ready-made vectors have another shape.", str(path), got, fix)
    if len(array) != count:
        fix = "write one image for each vector, in the same order"
        got = f"{len(array)} images for {count} vectors"
        _refuse("Ready-made vectors and their images differ in number.", str(path), got, fix)
    unit = float(array.max(initial=0)) <= 1
    for start in range(0, count, _CHUNK):
        levels = _levels(array[start : start + _CHUNK], 255 if unit else 1, path)
        if order:
            levels = levels.transpose(order)
        yield from levels.reshape(-1, *shape)


def read_names(path: Path, name: str, count: int) -> list[str]:
    """Return the names of the images that vectors belong to.

    Parameters
    ----------
    path
        A text file with a name per line, or an `.npz` file.
    name
        The name of the array in it; empty for a text file.
    count
        How many there must be.

    Raises
    ------
    DataError
        There are others, an empty one, or the file cannot be read.
    """
    names = _names_of_array(path, name) if name else _lines(path)
    if len(names) != count:
        got, fix = f"{len(names)} names for {count} vectors", "write one name for each vector"
        _refuse("Ready-made vectors and their names differ in number.", str(path), got, fix)
    if "" in names:
        got, fix = f"an empty name at place {names.index('')}", "write one name for each vector"
        _refuse("A name of a ready-made vector is empty.", str(path), got, fix)
    return names


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8-sig")  # with universal newlines
    except (OSError, UnicodeDecodeError) as error:
        fix = "save it as UTF-8 text, a name per line"
        _refuse("A file of names cannot be read.", str(path), str(error), fix)
    return text.removesuffix("\n").split("\n")


def _names_of_array(path: Path, name: str) -> list[str]:
    array = read_array(path, name)
    if array.dtype.kind == "S":
        array = np.char.decode(array, "utf-8", "backslashreplace")
    if array.dtype.kind != "U" or array.ndim != 1:
        _refuse_kind(path, array, "names, as text (N,)")
    names: list[str] = array.tolist()
    return names


def _order(found: tuple[int, ...], shape: tuple[int, int, int]) -> tuple[int, ...] | None:
    """Return the order of axes that makes images channels-last; None if their shape is another."""
    height, width, channels = shape
    flat = channels == 1 and found in ((height, width), (height * width,))
    if found == shape or flat:
        return ()
    return (0, 2, 3, 1) if found == (channels, height, width) else None


def _levels(chunk: Array, scale: int, path: Path) -> Images:
    """Return values as uint8.

    Raises
    ------
    DataError
        They are no gray levels.
    """
    if chunk.dtype == np.uint8 and scale == 1:
        return np.ascontiguousarray(chunk)
    values = chunk.astype(np.float64) * scale
    levels = values.round()
    rounding = 0.0
    if scale > 1 and chunk.dtype.kind == "f":
        rounding = max(_ROUNDING, 255 * float(np.finfo(chunk.dtype).eps))
    if not ((np.abs(values - levels) <= rounding) & (levels >= 0) & (levels <= 255)).all():
        got = f"{chunk.dtype} values from {chunk.min():.4g} to {chunk.max():.4g}"
        fix = "write images as uint8, or as their levels divided by 255"
        _refuse("The images of ready-made vectors are no gray levels.", str(path), got, fix)
    return levels.astype(np.uint8)


def _refuse_names(path: Path, names: tuple[str, ...], known: list[str]) -> NoReturn:
    fix = did_you_mean_or_known(names[0], known, "the file is empty")
    what = "A file of ready-made vectors lacks an array."
    _refuse(what, str(path), f"no array {' or '.join(names)}", fix)


def _refuse_kind(path: Path, array: Array, wanted: str) -> NoReturn:
    got = f"{array.dtype} of shape {array.shape}"
    what = "An array of ready-made vectors has another kind."
    _refuse(what, str(path), got, f"write an array of {wanted}")


def _refuse(what: str, where: str, got: str, fix: str) -> NoReturn:
    raise DataError(what, where=where, got=got, fix=fix)
