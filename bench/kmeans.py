"""One more partition: k-means of 20,000 x 256 points, k = 500, against scikit-learn's KMeans.

The original calls scikit-learn with k-means++ and one start on the embedding with randomly scaled
dimensions. The points are a mixture of 600 overlapping groups.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from itertools import count, pairwise
from typing import NamedTuple

import numpy as np
import torch
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from bench.harness import THREADS, Bench, Comparison, compare, fastest, peak_flops, write_result
from cactus.config.sections.partition import PartitionSettings
from cactus.tasks.kmeans.cpu_points import cpu_points
from cactus.tasks.kmeans.gpu_points import gpu_points
from cactus.tasks.kmeans.lloyd import kmeans, lloyd
from cactus.tasks.kmeans.points import Points

POINTS, DIMS, CLUSTERS = 20_000, 256, 500
CELEBA = 162_770  # images for training
CONVERGED = 0.0


class Sizes(NamedTuple):
    """Points of a partition, clusters, and images of CelebA."""

    points: int = POINTS
    clusters: int = CLUSTERS
    celeba: int = CELEBA

    @classmethod
    def of(cls, bench: Bench) -> "Sizes":
        """Return the sizes of a benchmark."""
        return cls(500, 20, 1000) if bench.tiny else cls()


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


def loaded(bench: Bench, points: np.ndarray) -> AbstractContextManager[Points]:
    """Load points to where they are clustered."""
    if bench.device == "cpu":
        return cpu_points(points, THREADS)
    return gpu_points(points, torch.device(bench.device))


def scikit_learn(bench: Bench) -> Callable[[], Run]:
    """Return the original's procedure for one partition after the other, on the CPU."""
    sizes = Sizes.of(bench)
    given = partitions(sizes.points)

    def work() -> Run:
        number, points = next(given)
        run = KMeans(sizes.clusters, n_init=1, max_iter=3000, random_state=number).fit(points)
        return Run(run.labels_, run.inertia_, run.n_iter_)

    return work


def ours(bench: Bench, tolerance: float, size: int) -> Callable[[], Run]:
    """Return this project's."""
    given, clusters = partitions(size), Sizes.of(bench).clusters

    def work() -> Run:
        number, points = next(given)
        with loaded(bench, points) as there:
            run = kmeans(
                there, clusters, np.random.default_rng(number),
                starts=1, max_iterations=3000, tolerance=tolerance,
            )  # fmt: skip
        return Run(run.labels, run.inertia, run.iterations)

    return work


def iterations(bench: Bench, points: np.ndarray, clusters: int) -> None:
    """Do three iterations of Lloyd's algorithm."""
    with loaded(bench, points) as there:
        lloyd(there, points[:clusters], 3, CONVERGED)


def cost(bench: Bench) -> dict[str, dict[int, float]]:
    """Return the seconds of three iterations by the number of points and of clusters."""
    middle, k, _ = Sizes.of(bench)
    points = mixture(2 * middle)

    def seconds(size: int, clusters: int) -> float:
        work = partial(iterations, bench, points[:size], clusters)
        return fastest(work, 1 if bench.tiny else 5, bench.device)

    return {
        "N": {n: seconds(n, k) for n in (middle // 4, middle // 2, middle, 2 * middle)},
        "k": {n: seconds(middle, n) for n in (k // 4, k // 2, k, 2 * k)},
    }


def agreement(runs: Comparison, name: str) -> float:
    """Return the mean adjusted Rand index of partitions that follow each other."""
    pairs = pairwise(run.labels for run in runs.results(name))
    return float(np.mean([adjusted_rand_score(*pair) for pair in pairs]))


def main(bench: Bench) -> None:
    """Compare times, inertia and the difference of partitions."""
    peak, tolerance = peak_flops(bench.device), PartitionSettings().tolerance
    points, clusters, celeba = Sizes.of(bench)
    variants = {f"tolerance {tolerance:g}, the default": tolerance, "tolerance 0": CONVERGED}
    candidates = {name: partial(ours, bench, value, points) for name, value in variants.items()}
    rival = {"scikit-learn": partial(scikit_learn, bench)}
    runs = compare({**rival, **candidates}, bench.rounds, device=bench.device)
    cells = {}
    for name, value in variants.items():
        pairs = zip(runs.results(name), runs.results("scikit-learn"), strict=True)
        steps = float(np.mean([run.iterations for run in runs.results(name)]))
        cells[name] = {
            **runs.cell(
                "scikit-learn", name, target=6.0 if value and bench.device == "cpu" else None
            ),
            "inertia": float(np.mean([run.inertia / peer.inertia for run, peer in pairs])),
            "iterations": steps,
            # An assignment more than updates; the choice of initial centroids costs as much as 2.5.
            "floor_gap": runs.median(name) / (2 * points * clusters * DIMS * (steps + 3.5) / peak),
            "agreement": agreement(runs, name),
            "rivals_agreement": agreement(runs, "scikit-learn"),
        }
    alone = {"ours": partial(ours, bench, tolerance, celeba)}
    (large,) = compare(alone, 1, device=bench.device).turns["ours"]
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
            "cost": cost(bench),
        },
        bench,
    )


if __name__ == "__main__":
    main(Bench.from_arguments(__doc__, rounds=5))
