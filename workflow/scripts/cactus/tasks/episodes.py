"""Few-shot episodes drawn from partitions, true classes or attribute pools."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cactus.config.sections.base import DatasetName
from cactus.errors import EpisodeError
from cactus.files import read_manifest
from cactus.tasks.attributes import AttributePools, attribute_pools
from cactus.tasks.shape import EpisodeShape, IntArray, check_episodes, check_pools
from cactus.tasks.storage import SUMMARY_FILE, cluster_sizes, read_partitions

_CACHE_BYTES = 1 << 28


@dataclass(frozen=True)
class EpisodeBatch:
    """Image indices of T episodes; the label of ``[t, n, :]`` is n."""

    support: npt.NDArray[np.int64]  # (T, way, shot)
    query: npt.NDArray[np.int64]  # (T, way, query), disjoint from the episode's support


class EpisodeSampler(ABC):
    """Draws episodes of fixed way, shot and query from partitions or pools.

    Parameters
    ----------
    shape
        Way, shot and query.
    images
        Number of images N.
    cache_bytes
        Bound on the memory of the sorted images of recently drawn partitions or pools.
    """

    def __init__(self, shape: EpisodeShape, images: int, cache_bytes: int) -> None:
        self._shape, self.images = shape, images
        kept = max(1, cache_bytes // max(1, 4 * images))  # results: at most one int32 per image
        self._cached_images = lru_cache(kept)(self._sort_images)

    @abstractmethod
    def sample(self, generator: np.random.Generator, tasks: int) -> EpisodeBatch:
        """Draw `tasks` independent episodes."""

    @abstractmethod
    def _sort_images(self, index: int) -> npt.NDArray[np.int32]:
        """Return the images of a partition or pool, those of a class one after the other."""

    def _batch(
        self, chosen: npt.NDArray[np.int64], positions: npt.NDArray[np.int64]
    ) -> EpisodeBatch:
        """Return episodes of positions (T, way, shot + query) in the sorted images of `chosen`."""
        for index in np.unique(chosen):
            rows = chosen == index
            positions[rows] = self._cached_images(int(index))[positions[rows]]
        support, query = np.split(positions, [self._shape.shot], axis=2)
        return EpisodeBatch(np.ascontiguousarray(support), np.ascontiguousarray(query))


def draw_distinct(
    generator: np.random.Generator, populations: IntArray, count: int
) -> npt.NDArray[np.int64]:
    """Draw `count` distinct integers below each population, in random order.

    Floyd's algorithm over all rows at once (Bentley and Floyd, "A sample of brilliance", 1987).

    Parameters
    ----------
    populations
        (R,) integers, each at least `count`.

    Returns
    -------
    ndarray
        (R, count); row r is a uniform ordered draw without replacement from
        ``range(populations[r])``.
    """
    tops = populations.astype(np.int64) - np.arange(count, 0, -1)[:, None]
    drawn = generator.integers(0, tops, endpoint=True)
    for step in range(1, count):
        taken = (drawn[:step] == drawn[step]).any(axis=0)
        drawn[step, taken] = tops[step, taken]
    order = generator.random(drawn.shape[::-1]).argsort(axis=1)
    return np.take_along_axis(drawn.T, order, axis=1)


class PartitionSampler(EpisodeSampler):
    """Episodes from partitions (Algorithm 1 of CACTUs) or from true classes.

    A partition is drawn uniformly, then `way` of its clusters in random order, uniformly without
    replacement whatever their sizes, then shot + query images of each without replacement.

    Parameters
    ----------
    partitions
        (P, N) cluster of each image in each partition, -1 for none; may be memory-mapped. True
        classes are one partition, ``labels[None]``.
    way, shot, query
        Classes, and support and query images per class.
    cache_bytes
        See `EpisodeSampler`.

    Raises
    ------
    EpisodeError
        A partition has fewer than `way` clusters, or a cluster fewer than shot + query images.
    """

    def __init__(
        self,
        partitions: IntArray,
        way: int,
        shot: int,
        query: int,
        *,
        cache_bytes: int = _CACHE_BYTES,
    ) -> None:
        super().__init__(EpisodeShape(way, shot, query), partitions.shape[1], cache_bytes)
        self._partitions = partitions
        sizes = []
        for index, labels in enumerate(partitions):
            by_id = cluster_sizes(labels)
            check_episodes(by_id, self._shape, f"partition {index + 1} of {len(partitions)}")
            sizes.append(by_id[by_id > 0])
        self._sizes = np.concatenate(sizes)
        self._starts = np.concatenate([np.cumsum(row) - row for row in sizes])
        self._clusters = np.array([len(row) for row in sizes])
        self._offsets = np.cumsum(self._clusters) - self._clusters

    def sample(self, generator: np.random.Generator, tasks: int) -> EpisodeBatch:
        """Draw `tasks` independent episodes."""
        way, per_class = self._shape.way, self._shape.per_class
        chosen = generator.integers(len(self._partitions), size=tasks)
        ranks = draw_distinct(generator, self._clusters[chosen], way)
        clusters = self._offsets[chosen][:, None] + ranks
        within = draw_distinct(generator, self._sizes[clusters].ravel(), per_class)
        within = within.reshape(tasks, way, per_class)
        return self._batch(chosen, self._starts[clusters][..., None] + within)

    def _sort_images(self, index: int) -> npt.NDArray[np.int32]:
        labels = np.asarray(self._partitions[index])
        order = np.argsort(labels, kind="stable").astype(np.int32)
        return order[np.count_nonzero(labels < 0) :]


class AttributeSampler(EpisodeSampler):
    """Two-way episodes from CelebA attribute pools.

    A pool is drawn uniformly, then shot + query images of each side without replacement. The side
    that is class 0 is random.

    Parameters
    ----------
    attributes
        (N, A) in {0, 1}: the attributes of one split only.
    pools
        Pools of that table, see `cactus.tasks.attributes.attribute_pools`.
    way, shot, query
        Classes, which must be 2, and support and query images per class.
    cache_bytes
        See `EpisodeSampler`.

    Raises
    ------
    EpisodeError
        There is no pool, `way` is not 2, or a side has fewer than shot + query images.
    """

    def __init__(
        self,
        attributes: IntArray,
        pools: AttributePools,
        way: int,
        shot: int,
        query: int,
        *,
        cache_bytes: int = _CACHE_BYTES,
    ) -> None:
        super().__init__(EpisodeShape(way, shot, query), len(attributes), cache_bytes)
        check_pools(pools.sizes, self._shape)
        self._sizes = pools.sizes
        self._codes = attributes.astype(np.int64) @ (1 << np.arange(attributes.shape[1]))
        self._masks = (1 << pools.attributes).sum(axis=1)
        self._values = (pools.values << pools.attributes).sum(axis=1)

    def sample(self, generator: np.random.Generator, tasks: int) -> EpisodeBatch:
        """Draw `tasks` independent episodes."""
        chosen = generator.integers(len(self._sizes), size=tasks)
        first = generator.integers(2, size=tasks)
        sides = np.stack([first, 1 - first], axis=1)
        sizes = self._sizes[chosen[:, None], sides]
        within = draw_distinct(generator, sizes.ravel(), self._shape.per_class)
        positions = within.reshape(tasks, 2, self._shape.per_class)
        positions[sides == 1] += self._sizes[chosen, 0][:, None]
        return self._batch(chosen, positions)

    def _sort_images(self, index: int) -> npt.NDArray[np.int32]:
        mask, value = self._masks[index], self._values[index]
        masked = self._codes & mask
        sides = [np.flatnonzero(masked == side) for side in (value, mask ^ value)]
        return np.concatenate(sides).astype(np.int32)


def labeled_sampler(
    dataset: DatasetName,
    labels: IntArray,
    way: int,
    shot: int,
    query: int,
    pool_attributes: int,
) -> EpisodeSampler:
    """Return a sampler of episodes from the true labels of a split.

    Parameters
    ----------
    labels
        (N,) classes, or for celeba (N, A) the attributes of this split.
    pool_attributes
        Attributes that define a CelebA task.

    Raises
    ------
    EpisodeError
        No such episode can be drawn from these labels.
    """
    if dataset != "celeba":
        return PartitionSampler(labels[None], way, shot, query)
    pools = attribute_pools(labels, shot + query, pool_attributes)
    return AttributeSampler(labels, pools, way, shot, query)


def load_sampler(
    folder: Path,
    way: int,
    shot: int,
    query: int,
    labels: IntArray | None = None,
    **expected: Any,
) -> EpisodeSampler:
    """Return a sampler of episodes from a folder of stored partitions.

    Parameters
    ----------
    labels
        (N, A) attributes of the split; needed only if the folder holds attribute pools.
    **expected
        Entries that the summary of the partitions must have.

    Raises
    ------
    DataError
        The folder is incomplete or damaged, or its partitions are others than expected.
    EpisodeError
        No such episode can be drawn from these partitions.
    """
    summary = read_manifest(folder / SUMMARY_FILE, **expected)
    if summary.get("kind") != "pools":
        return PartitionSampler(read_partitions(folder), way, shot, query)
    if labels is None:
        raise EpisodeError(
            "Attribute pools need the attributes of the images.",
            where=str(folder),
            got="no labels",
            fix="pass the attribute columns of the split",
        )
    pools = attribute_pools(labels, shot + query, summary["pool_attributes"])
    return AttributeSampler(labels, pools, way, shot, query)
