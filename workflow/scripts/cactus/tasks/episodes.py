"""Few-shot episodes drawn from partitions, true classes or attribute pools."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from cactus.config.sections.base import DatasetName
from cactus.errors import EpisodeError
from cactus.files import read_json
from cactus.tasks.attributes import AttributePools, attribute_pools
from cactus.tasks.shape import EpisodeShape, IntArray, check_episodes, check_pools
from cactus.tasks.storage import SUMMARY_FILE, cluster_sizes, read_partitions

_CACHE_BYTES = 1 << 28


@dataclass(frozen=True)
class EpisodeBatch:
    """Image indices of T episodes; the label of ``[t, n, :]`` is n."""

    support: npt.NDArray[np.int64]  # (T, way, shot)
    query: npt.NDArray[np.int64]  # (T, way, query), disjoint from the episode's support


class EpisodeSampler(Protocol):
    """Draws episodes of fixed way, shot and query."""

    way: int
    shot: int
    query: int

    def sample(self, generator: np.random.Generator, tasks: int) -> EpisodeBatch:
        """Draw `tasks` independent episodes."""


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


class PartitionSampler:
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
        Bound on the memory of the indices per partition, which are made when first needed.

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
        self._shape = EpisodeShape(way, shot, query)
        self.way, self.shot, self.query = way, shot, query
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
        self._images = _bounded_cache(self._sort_images, partitions.shape[1], cache_bytes)

    def sample(self, generator: np.random.Generator, tasks: int) -> EpisodeBatch:
        """Draw `tasks` independent episodes."""
        chosen = generator.integers(len(self._partitions), size=tasks)
        ranks = draw_distinct(generator, self._clusters[chosen], self.way)
        clusters = self._offsets[chosen][:, None] + ranks
        within = draw_distinct(generator, self._sizes[clusters].ravel(), self._shape.per_class)
        within = within.reshape(tasks, self.way, self._shape.per_class)
        positions = self._starts[clusters][..., None] + within
        for partition in np.unique(chosen):
            rows = chosen == partition
            positions[rows] = self._images(int(partition))[positions[rows]]
        return _split(positions, self.shot)

    def _sort_images(self, partition: int) -> npt.NDArray[np.int32]:
        """Return the kept images of a partition, ordered by cluster."""
        labels = np.asarray(self._partitions[partition])
        order = np.argsort(labels, kind="stable").astype(np.int32)
        return order[np.count_nonzero(labels < 0) :]


class AttributeSampler:
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
        Bound on the memory of the images of recently drawn pools.

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
        self._shape = EpisodeShape(way, shot, query)
        self.way, self.shot, self.query = way, shot, query
        check_pools(pools.sizes, self._shape)
        self._sizes = pools.sizes
        self._codes = attributes.astype(np.int64) @ (1 << np.arange(attributes.shape[1]))
        self._masks = (1 << pools.attributes).sum(axis=1)
        self._values = (pools.values << pools.attributes).sum(axis=1)
        self._images = _bounded_cache(self._find_images, len(attributes), cache_bytes)

    def sample(self, generator: np.random.Generator, tasks: int) -> EpisodeBatch:
        """Draw `tasks` independent episodes."""
        chosen = generator.integers(len(self._sizes), size=tasks)
        first = generator.integers(2, size=tasks)
        sides = np.stack([first, 1 - first], axis=1)
        sizes = self._sizes[chosen[:, None], sides]
        within = draw_distinct(generator, sizes.ravel(), self._shape.per_class)
        positions = within.reshape(tasks, 2, self._shape.per_class)
        positions[sides == 1] += self._sizes[chosen, 0][:, None]
        for pool in np.unique(chosen):
            rows = chosen == pool
            positions[rows] = self._images(int(pool))[positions[rows]]
        return _split(positions, self.shot)

    def _find_images(self, pool: int) -> npt.NDArray[np.int32]:
        """Return the images of side 0 of a pool, followed by those of side 1."""
        mask, value = self._masks[pool], self._values[pool]
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
    folder: Path, way: int, shot: int, query: int, labels: IntArray | None = None
) -> EpisodeSampler:
    """Return a sampler of episodes from a folder of stored partitions.

    Parameters
    ----------
    labels
        (N, A) attributes of the split; needed only if the folder holds attribute pools.

    Raises
    ------
    DataError
        The folder is incomplete or damaged.
    EpisodeError
        No such episode can be drawn from these partitions.
    """
    summary = read_json(folder / SUMMARY_FILE)
    if summary["kind"] != "pools":
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


def _split(indices: npt.NDArray[np.int64], shot: int) -> EpisodeBatch:
    support, query = np.split(indices, [shot], axis=2)
    return EpisodeBatch(np.ascontiguousarray(support), np.ascontiguousarray(query))


def _bounded_cache(
    function: Callable[[int], npt.NDArray[np.int32]], images: int, cache_bytes: int
) -> Callable[[int], npt.NDArray[np.int32]]:
    """Cache the latest results, each at most one int32 per image, within `cache_bytes`."""
    return lru_cache(maxsize=max(1, cache_bytes // max(1, 4 * images)))(function)
