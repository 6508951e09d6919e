"""k-means by Lloyd's algorithm, on a CPU or a GPU.

Lloyd, "Least squares quantization in PCM", 1982. First centres are random images or those of
k-means++ (Arthur and Vassilvitskii, 2007), of whose candidates the best of 2 + log k is taken, as
scikit-learn does. What touches all points is left to `Points`, which works in chunks of rows.
"""

from dataclasses import dataclass
from math import log
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Labels = npt.NDArray[np.integer[Any]]
Indices = npt.NDArray[np.int64]
Init = Literal["k-means++", "random"]


class Points(Protocol):
    """Points (N, d) of mean zero, on some device."""

    variance: float  # mean over the dimensions

    def __len__(self) -> int:
        """Return N."""
        ...

    def rows(self, indices: Indices) -> Array:
        """Return the points (m, d) at `indices`."""
        ...

    def select(self, indices: Indices) -> "Points":
        """Return the points at `indices`, not centred anew."""
        ...

    def squared_distances(self, centres: Array) -> Array:
        """Return the squared distances (m, N) of all points to a few centres (m, d)."""
        ...

    def nearest(self, centres: Array) -> tuple[Labels, Array]:
        """Return each point's nearest centre (N,), and the sums (k, d) of each centre's points."""
        ...

    def distances_to_own(self, centres: Array, labels: Labels) -> Array:
        """Return the squared distance (N,) of each point to the centre that its label names."""
        ...


@dataclass(frozen=True)
class Clustering:
    """A solution of k-means.

    Attributes
    ----------
    labels
        (N,) the nearest centre of each point.
    centres
        (k, d).
    inertia
        Sum of the squared distances to the nearest centre.
    iterations
        Updates of the centres.
    """

    labels: Indices
    centres: Array
    inertia: float
    iterations: int


def kmeans(
    points: Points,
    clusters: int,
    generator: np.random.Generator,
    *,
    init: Init,
    init_points: int,
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
        Draws the first centres.
    init
        How.
    init_points
        Random points among which k-means++ looks; as many as `clusters` at least are drawn.
    starts
        Runs.
    max_iterations
        Updates of the centres in a run at most.
    tolerance
        A run ends when the squared movement of all centres falls to this multiple of the mean
        variance of a dimension, or when no label changes.
    """
    best = None
    for _ in range(starts):
        if init == "random":
            first = points.rows(_distinct(points, clusters, generator))
        else:
            sample = _distinct(points, min(max(init_points, clusters), len(points)), generator)
            first = first_centres_plus_plus(points.select(sample), clusters, generator)
        run = lloyd(points, first, max_iterations, tolerance)
        best = run if best is None or run.inertia < best.inertia else best
    assert best is not None
    return best


def _distinct(points: Points, count: int, generator: np.random.Generator) -> Indices:
    """Return the sorted indices (count,) of distinct random points."""
    return np.sort(generator.choice(len(points), count, replace=False))


def first_centres_plus_plus(points: Points, clusters: int, generator: np.random.Generator) -> Array:
    """Return points (k, d) drawn with probability proportional to the squared distance.

    Each further centre is, of 2 + log k candidates so drawn, the one that leaves the smallest sum
    of squared distances.
    """
    candidates = 2 + int(log(clusters))
    chosen = [int(generator.integers(len(points)))]
    closest = points.squared_distances(points.rows(np.array(chosen)))[0]
    for _ in range(1, clusters):
        cumulated = np.cumsum(closest, dtype=np.float64)
        draws = generator.random(candidates) * cumulated[-1]
        drawn = np.searchsorted(cumulated, draws).clip(max=len(points) - 1)
        distances = points.squared_distances(points.rows(drawn))
        np.minimum(distances, closest, out=distances)
        best = int(distances.sum(axis=1, dtype=np.float64).argmin())
        chosen.append(int(drawn[best]))
        closest = distances[best]
    return points.rows(np.array(chosen))


def lloyd(points: Points, centres: Array, max_iterations: int, tolerance: float) -> Clustering:
    """Move centres (k, d) to the means of their points until they stand still."""
    labels: Labels = np.empty(0, np.int64)
    iterations, settled = 0, False
    while iterations < max_iterations and not settled:
        before, (labels, sums) = labels, points.nearest(centres)
        iterations += 1
        updated = _means(points, centres, labels, sums)
        moved = float(((updated - centres) ** 2).sum(dtype=np.float64))
        centres, settled = updated, np.array_equal(labels, before)
        if not settled and moved <= tolerance * points.variance:
            break
    if not settled:  # the labels are those of the centres before
        labels, _ = points.nearest(centres)
    distances = points.distances_to_own(centres, labels)
    return Clustering(
        labels.astype(np.int64), centres, float(distances.sum(dtype=np.float64)), iterations
    )


def _means(points: Points, centres: Array, labels: Labels, sums: Array) -> Array:
    """Return the means (k, d); a centre without points moves to the point farthest from its own."""
    sizes = np.bincount(labels, minlength=len(centres))
    empty = np.flatnonzero(sizes == 0)
    if len(empty):
        distances = points.distances_to_own(centres, labels)
        farthest = np.argsort(-distances, kind="stable")[: len(empty)]
        rows, left = points.rows(farthest), labels[farthest]
        np.subtract.at(sums, left, rows)
        np.subtract.at(sizes, left, 1)
        sums[empty], sizes[empty] = rows, 1
    means: Array = (sums / np.maximum(sizes, 1)[:, None]).astype(np.float32)
    means[sizes == 0] = centres[sizes == 0]
    return means
