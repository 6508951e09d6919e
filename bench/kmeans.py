"""One more partition: k-means of 20,000 x 256 points, k = 500, against scikit-learn's KMeans.

The original calls scikit-learn with k-means++ and one start on the embedding with randomly scaled
dimensions. The data are a mixture of 600 groups, each as wide as its centres are apart.
"""

import sys
from functools import partial
from itertools import pairwise

import numpy as np
import torch
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from bench.harness import THREADS, compare, own_peak_memory, peak_flops, write_result
from cactus.tasks.host_points import host_points
from cactus.tasks.lloyd import Clustering, kmeans, lloyd

POINTS, DIMS, CLUSTERS = 20_000, 256, 500


def mixture(points: int, seed: int = 0) -> np.ndarray:
    """Return points (N, 256) of 600 overlapping groups, every dimension scaled by U(0, 1)."""
    generator = np.random.default_rng(seed)
    centres = generator.normal(size=(600, DIMS))
    noise = 1.5 * generator.normal(size=(points, DIMS))
    scaled = (centres[generator.integers(600, size=points)] + noise) * generator.random(DIMS)
    return scaled.astype(np.float32)


def scikit_learn(points: np.ndarray, seed: int) -> KMeans:
    """Return the original's procedure for one partition."""
    return KMeans(CLUSTERS, n_init=1, max_iter=3000, random_state=seed).fit(points)


def ours(points: np.ndarray, seed: int, init: str = "k-means++") -> Clustering:
    """Return this project's clustering."""
    with host_points(points, THREADS) as placed:
        return kmeans(
            placed, CLUSTERS, np.random.default_rng(seed), init=init, init_points=10_000,
            starts=1, max_iterations=3000, tolerance=1e-4,
        )  # fmt: skip


def iterations(points: np.ndarray, clusters: int) -> None:
    """Do three iterations of Lloyd's algorithm."""
    with host_points(points, THREADS) as placed:
        lloyd(placed, points[:clusters], 3, 0.0)


def main(rounds: int = 3) -> None:
    """Compare times, inertia and the difference of partitions."""
    torch.set_num_threads(THREADS)
    found: dict[str, list[object]] = {"scikit-learn": [], "ours": [], "ours, random images": []}
    points = mixture(POINTS)
    with threadpool_limits(THREADS):
        runs = compare(
            {
                "scikit-learn": lambda: found["scikit-learn"].append(
                    scikit_learn(points, len(found["scikit-learn"]))
                ),
                "ours": lambda: found["ours"].append(ours(points, len(found["ours"]))),
                "ours, random images": lambda: found["ours, random images"].append(
                    ours(points, len(found["ours, random images"]), "random")
                ),
            },
            rounds,
        )
    theirs = np.mean([one.inertia_ for one in found["scikit-learn"]])
    inertia = {name: np.mean([o.inertia for o in found[name]]) / theirs for name in list(found)[1:]}
    steps = float(np.mean([one.iterations for one in found["ours"]]))
    floor = 2 * POINTS * CLUSTERS * DIMS * (steps + 2) / peak_flops()
    cost_n = {
        size: compare({"it": partial(iterations, mixture(size), CLUSTERS)}, 3).median("it")
        for size in (5_000, 10_000, 20_000, 40_000)
    }
    cost_k = {
        k: compare({"it": partial(iterations, points, k)}, 3).median("it")
        for k in (125, 250, 500, 1000)
    }
    write_result(
        "kmeans",
        {
            "what": "one more partition, 20,000 x 256, k = 500, against scikit-learn",
            "target": 6.0,
            "ratio": runs.ratio("scikit-learn", "ours"),
            "ratio_random_images": runs.ratio("scikit-learn", "ours, random images"),
            "inertia": {name: float(value) for name, value in inertia.items()},
            "agreement": agreement(found),
            "seconds": {name: runs.median(name) for name in found},
            "iterations": steps,
            "floor_gap": runs.median("ours") / floor,
            "cost": {"N": cost_n, "k": cost_k},
            "peak_memory_bytes": own_peak_memory(),
        },
    )


def agreement(found: dict[str, list[object]]) -> dict[str, float]:
    """Return the mean adjusted Rand index of runs that follow each other."""
    labels = {
        name: [one.labels_ if name == "scikit-learn" else one.labels for one in runs]
        for name, runs in found.items()
    }
    return {
        name: float(np.mean([adjusted_rand_score(*pair) for pair in pairwise(ones)]))
        for name, ones in labels.items()
    }


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
