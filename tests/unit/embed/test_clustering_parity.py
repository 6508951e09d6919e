"""DeepCluster's k-means and whitening against loops over points, in double precision."""

import numpy as np
import pytest
import torch

from cactus.embed import clustering
from cactus.embed.clustering import Whitening, nonempty_kmeans


def _points(count, dims, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(count, dims)))


def _slow_kmeans(points, clusters, iterations, seed):
    """Move centres to the means of their points; no cluster may become empty on the way."""
    first = torch.randperm(len(points), generator=torch.Generator().manual_seed(seed))[:clusters]
    centres = [points[int(i)] for i in first]
    for _ in range(iterations):
        distances = [[float(((p - c) ** 2).sum()) for c in centres] for p in points]
        labels = [row.index(min(row)) for row in distances]
        assert set(labels) == set(range(clusters))
        members = [[p for p, own in zip(points, labels, strict=True) if own == cluster]
                   for cluster in range(clusters)]  # fmt: skip
        centres = [sum(own) / len(own) for own in members]
    return labels, torch.stack(centres)


@pytest.mark.parametrize("chunk", [8192, 7])
@pytest.mark.parametrize("iterations", [1, 2, 6])
def test_kmeans_moves_as_in_loops(iterations, chunk, monkeypatch):
    monkeypatch.setattr(clustering, "_CHUNK", chunk)
    points = _points(60, 3) + 5
    labels, centres = nonempty_kmeans(points, 5, iterations, torch.Generator().manual_seed(2))
    expected, means = _slow_kmeans(points, 5, iterations, seed=2)
    assert labels.tolist() == expected
    torch.testing.assert_close(centres, means, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("chunk", [8192, 7])
def test_whitening_is_that_of_loops(chunk, monkeypatch):
    """The covariance is summed point by point; a component's sign is free."""
    monkeypatch.setattr(clustering, "_CHUNK", chunk)
    features = _points(50, 6) @ _points(6, 6, seed=1) + 3
    whitening = Whitening(6, 4).double()
    whitening.fit(features)
    mean = sum(features) / 50
    covariance = sum(torch.outer(row - mean, row - mean) for row in features) / 50
    values, vectors = np.linalg.eigh(covariance.numpy())
    leading = np.argsort(-values)[:4]
    white = whitening.whiten(features)
    for component, index in enumerate(leading):
        expected = torch.stack([(row - mean) @ torch.from_numpy(vectors[:, index])
                                for row in features]) / values[index] ** 0.5  # fmt: skip
        sign = (expected @ white[:, component]).sign()
        torch.testing.assert_close(white[:, component], sign * expected, rtol=1e-9, atol=1e-9)
    for row, unit in zip(white, whitening(features), strict=True):
        torch.testing.assert_close(unit, row / (row**2).sum().sqrt(), rtol=1e-12, atol=1e-12)
