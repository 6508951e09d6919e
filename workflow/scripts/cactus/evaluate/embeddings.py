"""Stored embeddings, checked against their manifest."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cactus.data.array_files import read_array
from cactus.errors import DataError
from cactus.files import read_manifest

_MANIFEST = "manifest.json"


def load_embeddings(folder: Path, split: str, **expected: Any) -> npt.NDArray[np.float32]:
    """Read the embeddings (N, d) of a split.

    Parameters
    ----------
    folder
        ``embeddings/<dataset>/<embedding>/s<seed>`` of a run.

    split
        The split.
    **expected
        Entries that the manifest must have.

    Raises
    ------
    DataError
        The embeddings are missing, do not match the shape in their manifest, are not finite, or are
        others than expected.
    """
    manifest = read_manifest(folder / _MANIFEST, **expected)
    try:
        record = manifest["arrays"][split]
        path, shape = folder / record["file"], tuple(record["shape"])
    except (KeyError, TypeError) as error:
        raise _error(folder / _MANIFEST, f"no entry {error} for the {split} split") from error
    array: npt.NDArray[Any] = read_array(path)
    if array.shape != shape or array.ndim != 2 or array.dtype != np.float32:
        raise _error(path, f"{array.dtype} {array.shape}, recorded float32 {shape}")
    if not np.isfinite(array).all():
        raise _error(path, "NaN or infinite values")
    return array


def _error(path: Path, got: str) -> DataError:
    return DataError(
        "The embeddings of a data set cannot be used.",
        where=str(path),
        got=got,
        fix="delete the folder of the embedding and run the same command again",
    )
