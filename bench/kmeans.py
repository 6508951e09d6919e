"""One more partition: k-means of 20,000 x 256 points, k = 500, against scikit-learn's KMeans.

The original calls scikit-learn with k-means++ and one start on the embedding with randomly scaled
dimensions. The points are a mixture of 600 overlapping groups.
"""

import sys
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count, pairwise
from typing import NamedTuple

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from bench.harness import THREADS, Comparison, compare, fastest, peak_flops, write_result
from cactus.config.partition import PartitionSettings
from cactus.tasks.kmeans.cpu_points import cpu_points
from cactus.tasks.kmeans.lloyd import kmeans, lloyd

POINTS, DIMS, CLUSTERS = 20_000, 256, 500
CELEBA = 162_770  # images for training
CONVERGED = 0.0


class Run(NamedTuple):
    """A clustering: labels (N,), inertia and iterations."""

    labels: np.ndarray
    inertia: float
    iterations: int


def mixture(points: int) -> np.ndarray:
    """Return points (N, 256) of 600 overlapping groups."""
    generator = np.random.default_rng(0)
    centroids = generator.normal(size=(600, DIMS))
    noise = 1.5 * generator.normal(size=(points, DIMS))
    return (centroids[generator.integers(600, size=points)] + noise).astype(np.float32)


def partitions(size: int) -> Iterator[tuple[int, np.ndarray]]:
    """Yield numbers and points with every dimension scaled by U(0, 1), the same to everyone."""
    points = mixture(size)
    for number in count():
        weights = np.random.default_rng(number).random(DIMS, dtype=np.float32)
        yield number, points * weights


def scikit_learn() -> Callable[[], Run]:
    """Return the original's procedure for one partition after the other."""
    given = partitions(POINTS)

    def work() -> Run:
        number, points = next(given)
        run = KMeans(CLUSTERS, n_init=1, max_iter=3000, random_state=number).fit(points)
        return Run(run.labels_, run.inertia_, run.n_iter_)

    return work


def ours(tolerance: float, size: int = POINTS) -> Callable[[], Run]:
    """Return this project's."""
    given = partitions(size)

    def work() -> Run:
        number, points = next(given)
        with cpu_points(points, THREADS) as loaded:
            run = kmeans(
                loaded, CLUSTERS, np.random.default_rng(number),
                starts=1, max_iterations=3000, tolerance=tolerance,
            )  # fmt: skip
        return Run(run.labels, run.inertia, run.iterations)

    return work


def iterations(points: np.ndarray, clusters: int) -> None:
    """Do three iterations of Lloyd's algorithm."""
    with cpu_points(points, THREADS) as loaded:
        lloyd(loaded, points[:clusters], 3, CONVERGED)


def cost() -> dict[str, dict[int, float]]:
    """Return the seconds of three iterations by the number of points and of clusters."""
    points = mixture(40_000)
    sizes, clusters = (5_000, 10_000, 20_000, 40_000), (125, 250, 500, 1000)
    return {
        "N": {n: fastest(partial(iterations, points[:n], CLUSTERS), 5) for n in sizes},
        "k": {k: fastest(partial(iterations, points[:POINTS], k), 5) for k in clusters},
    }


def agreement(runs: Comparison, name: str) -> float:
    """Return the mean adjusted Rand index of partitions that follow each other."""
    pairs = pairwise(run.labels for run in runs.results(name))
    return float(np.mean([adjusted_rand_score(*pair) for pair in pairs]))


def main(rounds: int = 5) -> None:
    """Compare times, inertia and the difference of partitions."""
    peak, tolerance = peak_flops(), PartitionSettings().tolerance
    variants = {f"tolerance {tolerance:g}, the default": tolerance, "tolerance 0": CONVERGED}
    candidates = {name: partial(ours, value) for name, value in variants.items()}
    runs = compare({"scikit-learn": scikit_learn, **candidates}, rounds)
    cells = {}
    for name, value in variants.items():
        pairs = zip(runs.results(name), runs.results("scikit-learn"), strict=True)
        steps = float(np.mean([run.iterations for run in runs.results(name)]))
        cells[name] = {
            **runs.cell("scikit-learn", name, target=6.0 if value else None),
            "inertia": float(np.mean([run.inertia / peer.inertia for run, peer in pairs])),
            "iterations": steps,
            # An assignment more than updates; the choice of initial centroids costs as much as 2.5.
            "floor_gap": runs.median(name) / (2 * POINTS * CLUSTERS * DIMS * (steps + 3.5) / peak),
            "agreement": agreement(runs, name),
            "rivals_agreement": agreement(runs, "scikit-learn"),
        }
    (large,) = compare({"ours": partial(ours, tolerance, CELEBA)}, 1).turns["ours"]
    write_result(
        "kmeans",
        {
            "what": "one more partition, 20,000 x 256, k = 500, against scikit-learn",
            "cells": cells,
            "a partition of 162,770 x 256": {
                "seconds": large.seconds,
                "iterations": large.result.iterations,
                "peak_memory_bytes": large.peak_memory,
            },
            "cost": cost(),
        },
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
