from functools import partial

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from cactus.config.sections.compute import ComputeSettings
from cactus.config.sections.partition import PartitionSettings
from cactus.config.sections.source import Source
from cactus.tasks.kmeans import lloyd, scikit
from cactus.tasks.kmeans.cpu_points import CpuPoints, cpu_points
from cactus.tasks.kmeans.loader import kmeans_of, points_loader

OPTIONS = {"starts": 3, "max_iterations": 300, "tolerance": 0.0}


def blobs(clusters=12, each=60, dims=8):
    generator = np.random.default_rng(0)
    centroids = generator.normal(scale=10, size=(clusters, dims))
    points = np.repeat(centroids, each, axis=0) + generator.normal(size=(clusters * each, dims))
    return points.astype(np.float32)


def correlated(images=1500, dims=30):
    """Return points without clusters, of very different variances, as embeddings have."""
    generator = np.random.default_rng(1)
    mixing = generator.normal(size=(dims, dims)) * np.geomspace(3, 0.05, dims)
    return (np.tanh(generator.normal(size=(images, dims))) @ mixing).astype(np.float32)


def clusterings(points, clusters, seed=0):
    with cpu_points(points, threads=2) as loaded:
        return [
            module.kmeans(loaded, clusters, np.random.default_rng(seed), **OPTIONS)
            for module in (lloyd, scikit)
        ]


def test_blobs_are_found_by_both():
    ours, theirs = clusterings(blobs(), 12)
    assert adjusted_rand_score(ours.labels, theirs.labels) == 1.0
    assert ours.inertia == pytest.approx(theirs.inertia, rel=1e-4)


@pytest.mark.parametrize("clusters", [5, 40])
def test_without_clusters_the_inertia_is_the_same_within_two_percent(clusters):
    ours, theirs = clusterings(correlated(), clusters)
    assert ours.inertia == pytest.approx(theirs.inertia, rel=0.02)


def test_the_result_is_a_clustering_of_the_centered_points():
    points = correlated()
    _, made = clusterings(points, 20)
    centered = points - points.mean(axis=0)
    squares = ((centered[:, None] - made.centroids[None]) ** 2).sum(axis=2)
    assert (made.labels == squares.argmin(axis=1)).mean() > 0.999
    assert made.inertia == pytest.approx(squares.min(axis=1).sum(), rel=1e-4)
    assert made.iterations >= 1
    assert made.labels.dtype == np.int64
    assert made.centroids.dtype == np.float32


def test_the_seed_and_not_the_number_of_threads_decides():
    points = correlated()
    made = []
    for threads, seed in ((1, 0), (2, 0), (2, 1)):
        with cpu_points(points, threads=threads) as loaded:
            made.append(scikit.kmeans(loaded, 30, np.random.default_rng(seed), **OPTIONS))
    assert np.array_equal(made[0].labels, made[1].labels)
    assert made[0].inertia == made[1].inertia
    assert np.array_equal(made[0].centroids, made[1].centroids)
    assert not np.array_equal(made[0].labels, made[2].labels)


def test_the_key_selects_it_and_its_points():
    settings = PartitionSettings.model_validate({"kmeans": "scikit-learn"})
    assert kmeans_of(settings) is scikit.kmeans
    assert kmeans_of(PartitionSettings()) is lloyd.kmeans
    loader = points_loader(Source.parse("acai"), ComputeSettings(device="cuda"), settings)
    assert isinstance(loader, partial)  # of the CPU, although there may be a GPU
    with loader(blobs()) as points:
        assert isinstance(points, CpuPoints)
