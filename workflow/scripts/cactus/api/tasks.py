"""Partitions of any vectors, and the episodes that are drawn from them."""

from functools import partial
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator

from cactus.api.parameters import as_partitions, checked
from cactus.config.sections.partition import PartitionSettings
from cactus.cores import usable_cores
from cactus.seeding import numpy_generator
from cactus.tasks.episodes import EpisodeBatch, PartitionSampler
from cactus.tasks.kmeans.cpu_points import cpu_points
from cactus.tasks.kmeans_partitions import KMeansPlan, kmeans_partitions

Labels = npt.NDArray[np.integer[Any]]
Vectors = npt.NDArray[np.floating[Any]]

_NAMES: Final = {
    "clusters": "n_clusters",
    "count": "n_partitions",
    "protonets.fraction": "min_fraction",
    "protonets.n_init": "n_init",
}


class KMeansPartitions(BaseEstimator):  # type: ignore[misc]
    """Partitions of vectors by repeated k-means (Algorithm 1 of CACTUs).

    The first partition clusters the vectors as they are, every other one with each dimension
    multiplied by a random weight from U(0, 1).

    Parameters
    ----------
    n_clusters, n_partitions
        Clusters k of each partition, and number of partitions P.
    n_init
        Starts of each k-means run, of which the best is kept.
    min_size
        Smaller clusters are dropped: their vectors get the label -1. Episodes need shot + query
        images of a class.
    min_fraction
        A run is repeated until more than this fraction of its clusters is large enough.
    random_state
        Seed.

    Attributes
    ----------
    labels_
        int64 (P, N), the cluster of each vector in each partition, -1 for none.
    """

    def __init__(
        self,
        n_clusters: int = 500,
        n_partitions: int = 100,
        *,
        n_init: int = 3,
        min_size: int = 16,
        min_fraction: float = 0.8,
        random_state: int = 0,
    ) -> None:
        self.n_clusters, self.n_partitions, self.n_init = n_clusters, n_partitions, n_init
        self.min_size, self.min_fraction = min_size, min_fraction
        self.random_state = random_state

    def fit(self, X: Vectors, y: object = None) -> Self:
        """Partition vectors (N, d); `y` is ignored, as in scikit-learn's clusterings.

        Raises
        ------
        ConfigError
            A parameter cannot be.
        EpisodeError
            There are too few vectors, or too many small clusters.
        DataError
            The vectors are not finite.
        """
        del y
        own = {"fraction": self.min_fraction, "n_init": self.n_init}
        given = {"clusters": self.n_clusters, "count": self.n_partitions, "protonets": own}
        settings = checked(PartitionSettings, type(self).__name__, given, _NAMES)
        rule, count = settings.protonets, settings.count
        plan = KMeansPlan(settings, count, rule.n_init, self.min_size, rule)
        load = partial(cpu_points, threads=usable_cores())
        vectors = np.ascontiguousarray(X, dtype=np.float32)
        made = kmeans_partitions(vectors, plan, ("partitions", "api", self.random_state), load)
        self.labels_ = np.stack([one.labels for one in made]).astype(np.int64)
        return self


def sample_episodes(
    labels: Labels,
    *,
    way: int,
    shot: int,
    query: int,
    n_episodes: int = 1,
    random_state: int = 0,
) -> EpisodeBatch:
    """Draw episodes from classes or partitions.

    Parameters
    ----------
    labels
        (N,) classes, or (P, N) partitions, of which each episode takes one; -1 for none.
    way, shot, query
        Classes, and support and query images of each.
    n_episodes, random_state
        Number of episodes T, and seed.

    Returns
    -------
    EpisodeBatch
        Image indices ``support`` (T, way, shot) and ``query`` (T, way, query).

    Raises
    ------
    EpisodeError
        The labels are no integers, or there are too few classes, or too few images in one.
    """
    sampler = PartitionSampler(as_partitions(labels), way, shot, query)
    return sampler.sample(numpy_generator("episodes", random_state), n_episodes)
