"""Files of NumPy arrays, complete or absent, apart from others: most commands do without NumPy."""

import math
import os
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from cactus.files import atomic_path, open_regular, unreadable

# `np.save` writes the first; the second has a longer header.
_READ_HEADER: Final = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def write_array(path: Path, array: npt.NDArray[Any]) -> None:
    """Write `array` as `.npy` without pickles, atomically."""
    with atomic_path(path) as temporary:
        np.save(temporary, array, allow_pickle=False)


def read_array(path: Path, *, mmap: bool = False) -> npt.NDArray[Any]:
    """Read a `.npy` file without pickles; with `mmap`, map it into memory, read-only.

    Raises
    ------
    DataError
        The file is missing or damaged, or it contains Python objects.
    """
    try:
        _check_array(path)
        array: npt.NDArray[Any] = np.load(path, mmap_mode="r" if mmap else None, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise unreadable("An array cannot be read.", path, error) from error
    return array


def _check_array(path: Path) -> None:
    """Check that a file is an array of numbers, and that it has the size that its header promises.

    Raises
    ------
    OSError, ValueError
        It is not.
    """
    with open_regular(path) as file:
        try:
            version = np.lib.format.read_magic(file)
            shape, _, dtype = _READ_HEADER[version](file)
        except Exception as error:  # NumPy parses the header as Python, with as many errors
            raise ValueError(f"its header is damaged: {type(error).__name__}: {error}") from error
        if dtype.kind not in "biuf" or any(length < 0 for length in shape):
            raise ValueError(f"an array of {dtype}, of shape {shape}")
        expected = file.tell() + math.prod(shape) * dtype.itemsize
        if expected != (found := os.fstat(file.fileno()).st_size):
            raise ValueError(f"{found:,} bytes, but its header promises {expected:,}")
