"""The labels from which the episodes of a split are drawn."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cactus.data.arrays import load_labels, load_manifest
from cactus.splits import Split


def task_labels(folder: Path, split: Split) -> npt.NDArray[np.integer[Any]]:
    """Read the classes (N,) of a split, or for celeba its attribute set (N, A).

    Parameters
    ----------
    folder
        A prepared data set.

    Raises
    ------
    DataError
        The data set is not prepared, or an array differs from the manifest.
    """
    columns = load_manifest(folder).splits[split].attributes
    labels = load_labels(folder, split)
    return labels if columns is None else labels[:, columns]
