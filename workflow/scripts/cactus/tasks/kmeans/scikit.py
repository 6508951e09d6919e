"""k-means by scikit-learn, to compare ours with: the original used it, too."""

import numpy as np
from sklearn.cluster import KMeans

from cactus.tasks.kmeans.lloyd import Clustering
from cactus.tasks.kmeans.points import Points

_SEEDS = 2**31


def kmeans(
    points: Points,
    clusters: int,
    generator: np.random.Generator,
    *,
    starts: int,
    max_iterations: int,
    tolerance: float,  # noqa: ARG001
) -> Clustering:
    """Return the best of several runs from centroids that k-means++ draws.

    The result depends on the number of OpenMP's threads, whose sums are added as they come.

    Parameters
    ----------
    points
        At least `clusters` points.
    clusters
        k.
    generator
        Draws the seed of scikit-learn's own generator.
    starts, max_iterations
        As for `cactus.tasks.kmeans.lloyd.kmeans`.
    tolerance
        Not used: as in the original, a run ends by scikit-learn's own rule, when the centroids
        hardly move.
    """
    model = KMeans(
        clusters,
        init="k-means++",
        n_init=starts,
        max_iter=max_iterations,
        algorithm="lloyd",
        random_state=int(generator.integers(_SEEDS)),
    ).fit(points.rows(np.arange(len(points))))
    return Clustering(
        model.labels_.astype(np.int64),
        np.asarray(model.cluster_centers_, np.float32),
        float(model.inertia_),
        int(model.n_iter_),
    )
