"""Shared by the tests of embeddings: tiny networks and images that they can learn."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from cactus.config.sections.embeddings.section import AnyEmbedding
from cactus.embed.base import Embedding
from cactus.embed.registry import build
from cactus.train.metrics import MetricsLog
from tests.unit.checkpoints import none
from tests.unit.embed import tiny

Images = npt.NDArray[np.uint8]
Settings = Callable[..., AnyEmbedding]
Fit = Callable[..., Embedding]


@pytest.fixture
def tiny_settings() -> Settings:
    """Return a function (name, dataset, **changed keys) -> settings of a tiny network."""
    return tiny.settings


@pytest.fixture
def fit(tmp_path: Path) -> Fit:
    """Return a function (name, settings, images, seed) -> trained embedding; curve in tmp_path."""

    def fitted(name: str, settings: AnyEmbedding, images: Images, seed: int = 0) -> Embedding:
        embedding = build(name, settings, images.shape[1:], seed, torch.device("cpu"))
        total = embedding.total_steps(len(images))
        with MetricsLog(tmp_path / "metrics.jsonl", f"test/{name}", total) as log:
            embedding.fit(images, log, none(tmp_path))
        return embedding

    return fitted


@pytest.fixture
def noise_images() -> Callable[[tuple[int, int, int], int], Images]:
    """Return a function (shape, count) -> images of uniform noise."""

    def images(shape: tuple[int, int, int], count: int) -> Images:
        return np.random.default_rng(0).integers(0, 256, (count, *shape), dtype=np.uint8)

    return images


@pytest.fixture
def blobs() -> tuple[Images, npt.NDArray[np.int64]]:
    """Return 240 noisy 20x20 images of a bright bar, upright (0) or level (1), with labels."""
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 2, 240)
    images = generator.normal(60, 25, (240, 20, 20))
    for image, label in zip(images, labels, strict=True):
        place = generator.integers(4, 13)
        across = image if label else image.T
        across[place : place + 3, 3:17] += 130
    return images.clip(0, 255).astype(np.uint8)[..., None], labels
