"""The labels from which the episodes of a split are drawn."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cactus.data.arrays import load_labels, load_manifest
from cactus.errors import DataError
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
    record = load_manifest(folder).splits[split]
    labels, images, classes = load_labels(folder, split), record.images.shape[0], record.classes
    if len(labels) != images:
        raise _wrong(folder, split, f"{len(labels)} labels for {images} images")
    if record.attributes is not None:
        return labels[:, record.attributes]
    if len(labels) and (labels.min() < 0 or (classes and labels.max() >= len(classes))):
        got = f"labels {labels.min()} to {labels.max()} for {len(classes)} classes"
        raise _wrong(folder, split, got)
    return labels


def _wrong(folder: Path, split: Split, got: str) -> DataError:
    return DataError(
        "The labels of a prepared data set are not those of its images.",
        where=f"{folder}, split {split}",
        got=got,
        fix=f"delete {folder} and run the target `data` again",
    )
