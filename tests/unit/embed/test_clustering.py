import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA
from sklearn.metrics import normalized_mutual_info_score

from cactus.embed.clustering import (
    Whitening,
    balanced_order,
    cluster_means,
    fill_empty_clusters,
    mutual_information,
    nearest,
    nonempty_kmeans,
)
from cactus.errors import TrainingError

ROOT = Path(__file__).parents[3]


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape))


def test_nearest_and_means_agree_with_numpy() -> None:
    points, centroids = _normal(50, 3), _normal(7, 3, seed=1)
    distances = ((points.numpy()[:, None] - centroids.numpy()[None]) ** 2).sum(-1)
    labels = nearest(points, centroids)
    np.testing.assert_array_equal(labels, distances.argmin(1))
    means = cluster_means(points, labels, 7)
    for cluster in labels.unique().tolist():
        members = points.numpy()[labels.numpy() == cluster]
        np.testing.assert_allclose(means[cluster], members.mean(0), atol=1e-12)


def test_kmeans_finds_separate_groups() -> None:
    centres = 20 * torch.eye(4, dtype=torch.float64)
    truth = torch.arange(200) % 4
    points = centres[truth] + _normal(200, 4)
    labels, centroids = nonempty_kmeans(points, 4, 20, _generator(1))
    agreeing = {(int(a), int(b)) for a, b in zip(truth, labels, strict=True)}
    assert len(agreeing) == 4
    torch.testing.assert_close(centroids, cluster_means(points, labels, 4))


@pytest.mark.parametrize("points", [torch.zeros(30, 2), torch.eye(30)])
def test_kmeans_leaves_no_cluster_empty(points: torch.Tensor) -> None:
    labels, _ = nonempty_kmeans(points, 30, 3, _generator())
    assert sorted(labels.tolist()) == list(range(30))


def test_kmeans_depends_on_its_generator_only() -> None:
    points = _normal(100, 5)
    first, again, other = (nonempty_kmeans(points, 9, 3, _generator(seed))[0] for seed in (4, 4, 5))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_kmeans_refuses_more_clusters_than_points() -> None:
    with pytest.raises(TrainingError, match="more clusters than images"):
        nonempty_kmeans(torch.zeros(3, 2), 4, 1, _generator())


@settings(max_examples=60, deadline=None)
@given(labels=st.lists(st.integers(0, 7), min_size=8, max_size=40), seed=st.integers(0, 2**31))
def test_every_empty_cluster_is_filled(labels: list[int], seed: int) -> None:
    before = torch.tensor(labels)
    after = fill_empty_clusters(torch.zeros(len(labels), 2), before, 8, _generator(seed))
    assert set(after.tolist()) == set(range(8))
    for old, new in zip(labels, after.tolist(), strict=True):
        assert new == old or new not in labels, "an image moved to a cluster that was not empty"


def test_empty_cluster_takes_half_of_the_largest() -> None:
    labels = torch.tensor([0] * 10 + [1] * 4)
    points = _normal(14, 3)
    after = fill_empty_clusters(points, labels, 3, _generator())
    assert torch.bincount(after).tolist() == [5, 4, 5]
    assert torch.equal(after[10:], labels[10:])
    assert labels.tolist() == [0] * 10 + [1] * 4, "the argument was changed"


def test_no_empty_cluster_changes_nothing() -> None:
    labels = torch.tensor([2, 1, 0, 0])
    assert torch.equal(fill_empty_clusters(torch.zeros(4, 1), labels, 3, _generator()), labels)


def test_order_shows_each_cluster_equally_often() -> None:
    labels = torch.tensor([0] * 1 + [1] * 90 + [2] * 9)
    order = balanced_order(labels, 3, _generator())
    assert sorted(torch.bincount(labels[order]).tolist()) == [33, 33, 34]
    assert set(order[labels[order] == 2].tolist()) <= set(range(91, 100))
    assert len(set(order[labels[order] == 2].tolist())) > 5
    assert not torch.equal(labels[order], labels[order].sort().values)


def test_whitened_features_have_unit_covariance() -> None:
    mixing = _normal(12, 12, seed=3)
    features = (_normal(500, 12) @ mixing + 5).float()
    whitening = Whitening(12, 7)
    whitening.fit(features)
    white = whitening.whiten(features).double()
    torch.testing.assert_close(white.mean(0), torch.zeros(7).double(), atol=1e-4, rtol=0)
    torch.testing.assert_close(white.T @ white / 500, torch.eye(7).double(), atol=1e-3, rtol=0)
    assert torch.allclose(whitening(features).norm(dim=1), torch.ones(500))


def test_whitening_is_that_of_scikit_learn() -> None:
    features = (_normal(300, 6) * torch.tensor([9.0, 7, 5, 3, 2, 1])).float()
    whitening = Whitening(6, 4)
    whitening.fit(features)
    expected = PCA(4, whiten=True).fit_transform(features.numpy().astype(np.float64))
    expected *= np.sqrt(300 / 299)  # scikit-learn divides the covariance by N - 1
    actual = whitening.whiten(features).numpy()
    signs = np.sign((actual * expected).sum(0))
    np.testing.assert_allclose(actual, expected * signs, atol=1e-3)


def test_whitening_does_not_blow_up_missing_dimensions() -> None:
    features = torch.zeros(20, 10)
    features[:, :2] = _normal(20, 2).float()
    whitening = Whitening(10, 6)
    whitening.fit(features)
    white = whitening.whiten(features)
    assert torch.isfinite(white).all()
    assert white[:, 2:].abs().max() < 0.1
    whitening.fit(torch.ones(20, 10))
    assert torch.isfinite(whitening(torch.ones(20, 10))).all()


@pytest.mark.slow
def test_the_features_to_whiten_are_held_once() -> None:
    """What else is held does not grow with the images: a chunk in double precision, say."""
    sizes = ["--images", "120000", "--hidden", "256", "--dims", "8"]
    command = [sys.executable, "-m", "bench.whitening", *sizes]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found = json.loads(run.stdout)
    # Another copy in single precision would make it three times the features.
    assert 1 <= found["peak_memory_bytes"] / found["bytes_of_features"] < 2.5
    assert found["mean_norm"] == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("clusters", [1, 4, 30])
def test_mutual_information_is_that_of_scikit_learn(clusters: int) -> None:
    generator = np.random.default_rng(0)
    first, second = generator.integers(clusters, size=(2, 200))
    second[:120] = (first[:120] + 1) % clusters
    expected = normalized_mutual_info_score(first, second)
    found = mutual_information(torch.from_numpy(first), torch.from_numpy(second), clusters)
    assert found.item() == pytest.approx(expected, abs=1e-12)
