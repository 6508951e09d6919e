"""Prepared data sets and embeddings, loaded for a notebook."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cactus.data.arrays import load_images, load_manifest
from cactus.evaluate.embeddings import load_embeddings
from cactus.splits import SPLITS, Split
from cactus.tasks.labels import task_labels

Images = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True)
class LabeledImages:
    """A split of a data set.

    Attributes
    ----------
    images
        uint8 (N, H, W, C).
    labels
        (N,) classes; for CelebA (N, A) attributes.
    dataset, split
        Their names. They decide, with a seed, which episodes are drawn.
    """

    images: Images
    labels: Labels
    dataset: str = "mine"
    split: Split = "test"


@dataclass(frozen=True)
class Dataset:
    """The splits of a data set, which share no class, except for MNIST's."""

    train: LabeledImages
    val: LabeledImages
    test: LabeledImages


def load_dataset(folder: str | Path) -> Dataset:
    """Load a data set that a run has prepared, ``results/<run>/data/<data set>``.

    Images stay in their files, mapped into memory.

    Raises
    ------
    DataError
        The data set is not prepared, or is damaged.
    """
    path = Path(folder)
    name = load_manifest(path).dataset
    parts = {
        split: LabeledImages(load_images(path, split), task_labels(path, split), name, split)
        for split in SPLITS
    }
    return Dataset(**parts)


def load_vectors(folder: str | Path, split: Split = "train") -> npt.NDArray[np.float32]:
    """Load the vectors (N, d) of a trained embedding.

    Parameters
    ----------
    folder
        ``results/<run>/embeddings/<data set>/<embedding>/s<seed>``.
    split
        The split.

    Raises
    ------
    DataError
        They are missing or damaged.
    """
    return load_embeddings(Path(folder), split)
