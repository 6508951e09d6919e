"""The synthetic data can be learned: small images separate the classes without training."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cactus.config.base import DatasetName
from cactus.config.evaluation import EvaluationSettings, FewShotSetting
from cactus.config.load import parse_config, read_yaml
from cactus.config.synthetic import SyntheticSettings
from cactus.data.arrays import load_images
from cactus.data.prepare import prepare
from cactus.evaluate.episodes import evaluation_episodes
from cactus.synthetic.write import write_synthetic
from cactus.tasks.labels import task_labels

ROOT = Path(__file__).parents[3]
SIDE = 12
FEW = SyntheticSettings.model_validate(
    {
        "mnist": {"train_images": 1000, "test_images": 600},
        "miniimagenet": {
            "train_classes": 1, "val_classes": 1, "test_classes": 8, "images_per_class": 55,
        },
        "celeba": {"train_images": 60, "val_images": 60, "test_images": 200},
    }
)  # fmt: skip
# Far above chance, which is 1 / way.
CASES: list[tuple[DatasetName, int, float]] = [
    ("mnist", 10, 0.7),
    ("omniglot", 5, 0.75),
    ("miniimagenet", 5, 0.8),
    ("celeba", 2, 0.75),
]


def shrunken(images: np.ndarray) -> np.ndarray:
    """Return images (N, H, W, C) as vectors of their pixels at SIDE x SIDE."""
    small = [
        Image.fromarray(i.squeeze()).resize((SIDE, SIDE), Image.Resampling.BOX) for i in images
    ]
    return np.stack([np.asarray(image, dtype=np.float64).ravel() for image in small])


def nearest_centroid(vectors: np.ndarray, support: np.ndarray, query: np.ndarray) -> float:
    """Return the accuracy on one episode, indices (way, shot) and (way, query)."""
    centroids = vectors[support].mean(axis=1)
    distances = np.linalg.norm(vectors[query][:, :, None] - centroids, axis=-1)
    return float((distances.argmin(axis=-1) == np.arange(len(support))[:, None]).mean())


@pytest.mark.slow
@pytest.mark.parametrize(("dataset", "way", "least"), CASES)
def test_classes_show_in_shrunken_images(
    dataset: DatasetName, way: int, least: float, tmp_path: Path
):
    config = parse_config(read_yaml(ROOT / "config" / "demo.yaml"))
    write_synthetic(dataset, FEW, tmp_path / "raw")
    prepare(dataset, config.data, tmp_path / "raw", tmp_path / "data", synthetic=True)
    labels = task_labels(tmp_path / "data", "test")
    vectors = shrunken(load_images(tmp_path / "data", "test"))
    episodes = evaluation_episodes(
        dataset, labels, FewShotSetting(way=way, shot=5), EvaluationSettings(tasks=100), 3
    )
    found = [
        nearest_centroid(vectors, support, query)
        for batch in episodes
        for support, query in zip(batch.support, batch.query, strict=True)
    ]
    assert np.mean(found) > least
