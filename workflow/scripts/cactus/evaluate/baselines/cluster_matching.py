"""Cluster matching: a few labels name the clusters of the training embeddings."""

import importlib
from typing import Final

import numpy as np
import numpy.typing as npt

from cactus.config.sections.evaluation import ClusterMatchingSettings
from cactus.errors import ConfigError
from cactus.evaluate.baselines.base import FloatArray, IntArray, flatten, support_labels
from cactus.seeding import numpy_generator
from cactus.tasks.kmeans.cpu_points import cpu_points
from cactus.tasks.kmeans.lloyd import kmeans

# The reference for our own k-means; it needs scikit-learn.
REFERENCE_MODULE: Final = "cactus.tasks.kmeans.scikit"


def fit_centroids(
    embeddings: npt.NDArray[np.float32], settings: ClusterMatchingSettings, threads: int
) -> npt.NDArray[np.float64]:
    """Cluster the embeddings (N, d) of the training split; return the centroids (k, d).

    Raises
    ------
    ConfigError
        There are more clusters than embeddings.
    """
    if settings.clusters > len(embeddings):
        raise ConfigError(
            "There are more clusters than training images.",
            where="baselines.cluster_matching.clusters",
            got=f"{settings.clusters} clusters of {len(embeddings)} images",
            fix="lower the number of clusters",
        )
    own = settings.kmeans == "lloyd"
    run = kmeans if own else importlib.import_module(REFERENCE_MODULE).kmeans
    with cpu_points(embeddings, threads) as points:
        best = run(
            points,
            settings.clusters,
            numpy_generator("cluster matching", settings.seed),
            starts=settings.n_init,
            max_iterations=settings.max_iterations,
            tolerance=settings.tolerance,
        )
    centroids: npt.NDArray[np.float64] = best.centroids + embeddings.mean(axis=0, dtype=np.float64)
    return centroids


class ClusterMatching:
    """Give each query the label of the nearest labeled cluster.

    Each support point belongs to its nearest centroid. A cluster gets the label of most of its
    support points, the lowest label on a tie; clusters without support points have no label. If
    two centroids are equally near, the first one counts.

    Parameters
    ----------
    centroids
        (k, d) centroids of the training embeddings.
    """

    def __init__(self, centroids: npt.NDArray[np.float64]) -> None:
        self._centroids = centroids
        self._half_norms: npt.NDArray[np.float64] = 0.5 * (centroids**2).sum(axis=1)

    def predict(self, support: FloatArray, query: FloatArray) -> IntArray:
        """Return the labels (1, T, way, query) of queries (T, way, query, d)."""
        tasks, way, shot = support.shape[:3]
        votes = np.zeros((tasks, len(self._centroids), way), dtype=np.int64)
        clusters = self._distances(flatten(support)).argmin(axis=-1)
        np.add.at(votes, (np.arange(tasks)[:, None], clusters, support_labels(way, shot)), 1)
        labeled = votes.sum(axis=-1) > 0
        nearest = np.where(labeled[:, None], self._distances(flatten(query)), np.inf).argmin(
            axis=-1
        )
        labels = np.take_along_axis(votes.argmax(axis=-1), nearest, axis=1)
        return labels.reshape(1, *query.shape[:3])

    def _distances(self, points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return (T, m, k): half the squared distances, minus a term common to all centroids."""
        result: npt.NDArray[np.float64] = self._half_norms - points @ self._centroids.T
        return result
