"""k-means by Lloyd's algorithm, on a CPU or a GPU.

Lloyd, "Least squares quantization in PCM", 1982. The initial centroids are those of k-means||
(Bahmani et al., "Scalable k-means++", 2012), which needs a few passes over the points where
k-means++ needs one per centroid. `Points` does whatever touches all points, in chunks of rows.
"""

from dataclasses import dataclass
from math import log
from typing import Final, Protocol

import numpy as np

from cactus.tasks.kmeans.points import Array, Indices, Labels, Points

# Among the paper's settings, one of those with the fewest candidates; a small number of clusters
# gets more of them, at almost no cost.
ROUNDS: Final = 5
FEWEST_CANDIDATES: Final = 100


@dataclass(frozen=True)
class Clustering:
    """A result of k-means."""

    labels: Indices  # (N,) the nearest centroid of each point
    centroids: Array  # (k, d)
    inertia: float  # sum of the squared distances to the nearest centroid
    iterations: int  # updates of the centroids


class KMeans(Protocol):
    """What `kmeans` takes and returns."""

    def __call__(
        self,
        points: Points,
        clusters: int,
        generator: np.random.Generator,
        *,
        starts: int,
        max_iterations: int,
        tolerance: float,
    ) -> Clustering:
        """Return the best of several runs."""


def kmeans(
    points: Points,
    clusters: int,
    generator: np.random.Generator,
    *,
    starts: int,
    max_iterations: int,
    tolerance: float,
) -> Clustering:
    """Return the best of several runs of Lloyd's algorithm.

    Parameters
    ----------
    points
        At least `clusters` points.
    clusters
        k.
    generator
        Draws the initial centroids.
    starts
        Runs.
    max_iterations, tolerance
        As for `lloyd`.
    """
    best = None
    for _ in range(starts):
        first = initial_centroids(points, clusters, generator)
        run = lloyd(points, first, max_iterations, tolerance)
        best = run if best is None or run.inertia < best.inertia else best
    assert best is not None
    return best


def initial_centroids(points: Points, clusters: int, generator: np.random.Generator) -> Array:
    """Return points (k, d) as k-means|| chooses them.

    A few rounds draw candidates with probability proportional to the squared distance from the
    nearest earlier one. k-means++ chooses k of the candidates, each weighted by the number of
    points nearest to it.
    """
    centroids = points.rows(generator.integers(len(points), size=1))
    labels = np.zeros(len(points), np.int64)
    closest = points.distances_to_own(centroids, labels)
    for _ in range(ROUNDS):
        drawn = np.unique(_draw(closest, max(clusters // 2, FEWEST_CANDIDATES), generator))
        candidates = points.rows(drawn)
        nearest, _ = points.nearest(candidates)
        distances = points.distances_to_own(candidates, nearest)
        closer = distances < closest
        labels[closer] = len(centroids) + nearest[closer].astype(np.int64)
        closest = np.minimum(closest, distances)
        centroids = np.concatenate([centroids, candidates])
    weights = np.bincount(labels, minlength=len(centroids)).astype(np.float32)
    return kmeans_plus_plus(centroids, weights, clusters, generator)


def kmeans_plus_plus(
    points: Array, weights: Array, clusters: int, generator: np.random.Generator
) -> Array:
    """Return `clusters` points by k-means++ (Arthur and Vassilvitskii, 2007).

    Each one after the first is drawn with probability proportional to its weight times its
    squared distance from those before. Of 2 + log k such candidates, the one that leaves the
    smallest weighted sum of squared distances is chosen, as in scikit-learn.

    Parameters
    ----------
    points
        (n, d). If there are fewer than `clusters`, some are returned more than once.
    weights
        (n,).
    """
    squares, candidates = np.einsum("nd,nd->n", points, points), 2 + int(log(clusters))

    def squared_distances(to: Indices) -> Array:
        products: Array = points[to] @ points.T
        distances: Array = np.maximum(squares[to, None] - 2 * products + squares, 0)
        return distances

    chosen = _draw(weights, 1, generator)
    closest = squared_distances(chosen)[0]
    while len(chosen) < clusters:
        drawn = _draw(closest * weights, candidates, generator)
        distances = np.minimum(squared_distances(drawn), closest)
        best = int((distances @ weights).argmin())
        chosen, closest = np.append(chosen, drawn[best]), distances[best]
    return points[chosen]


def _draw(weights: Array, count: int, generator: np.random.Generator) -> Indices:
    """Return the indices (count,) of draws with probability proportional to weights (n,)."""
    cumulated = np.cumsum(weights, dtype=np.float64)
    draws = generator.random(count) * cumulated[-1]
    drawn: Indices = np.searchsorted(cumulated, draws, side="right").clip(max=len(weights) - 1)
    return drawn


def lloyd(points: Points, centroids: Array, max_iterations: int, tolerance: float) -> Clustering:
    """Move centroids to the means of their points until few points change clusters.

    Parameters
    ----------
    points
        N points.
    centroids
        The initial centroids (k, d).
    max_iterations
        Largest number of updates of the centroids.
    tolerance
        The fraction of points that may change clusters in the last update.
    """
    labels, sums = points.nearest(centroids)
    changed, iterations = len(points), 0
    while iterations < max_iterations and changed > tolerance * len(points):
        centroids = _means(points, centroids, labels, sums)
        before, (labels, sums) = labels, points.nearest(centroids)
        changed, iterations = int(np.count_nonzero(labels != before)), iterations + 1
    distances = points.distances_to_own(centroids, labels)
    return Clustering(
        labels.astype(np.int64), centroids, float(distances.sum(dtype=np.float64)), iterations
    )


def _means(points: Points, centroids: Array, labels: Labels, sums: Array) -> Array:
    """Return the means (k, d); an empty cluster takes the point farthest from its centroid."""
    sizes = np.bincount(labels, minlength=len(centroids))
    empty = np.flatnonzero(sizes == 0)
    if len(empty):
        distances = points.distances_to_own(centroids, labels)
        farthest = np.argsort(-distances, kind="stable")[: len(empty)]
        rows, left = points.rows(farthest), labels[farthest]
        np.subtract.at(sums, left, rows)
        np.subtract.at(sizes, left, 1)
        sums[empty], sizes[empty] = rows, 1
    means: Array = (sums / np.maximum(sizes, 1)[:, None]).astype(np.float32)
    means[sizes == 0] = centroids[sizes == 0]
    return means
