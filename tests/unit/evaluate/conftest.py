from pathlib import Path

import numpy as np
import pytest

from tests.unit.evaluate.baseline_jobs import (
    CLASSES,
    DIMS,
    IMAGES,
    SPLITS,
    write_data,
    write_embeddings,
)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path, Path]:
    """A data set of eight classes per split, and noisy embeddings of it."""
    generator = np.random.default_rng(0)
    labels = {split: np.repeat(np.arange(CLASSES), IMAGES) for split in SPLITS}
    points = {
        split: generator.normal(size=(CLASSES, DIMS))[values]
        + 0.6 * generator.normal(size=(len(values), DIMS))
        for split, values in labels.items()
    }
    write_data(tmp_path / "data", labels, {})
    write_embeddings(tmp_path / "embeddings", points)
    return tmp_path / "data", tmp_path / "embeddings", tmp_path / "out"
