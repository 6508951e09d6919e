"""Partitions by repeated k-means on randomly scaled embeddings.

Hsu, Levine and Finn, "Unsupervised Learning via Meta-Learning", ICLR 2019, Algorithm 1: the first
partition clusters the embedding as it is; every other one clusters it with each dimension
multiplied by a random weight. A run whose clusters are too small is repeated.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import floor
from typing import Any

import numpy as np
import numpy.typing as npt

from cactus.config.sections.acceptance import AcceptanceSettings
from cactus.config.sections.partition import PartitionSettings
from cactus.errors import DataError, EpisodeError
from cactus.seeding import numpy_generator
from cactus.tasks.kmeans.lloyd import KMeans, kmeans
from cactus.tasks.kmeans.points import Array, PointsLoader
from cactus.tasks.storage import Partition, drop_small


@dataclass(frozen=True)
class KMeansPlan:
    """The settings of one series of k-means partitions."""

    settings: PartitionSettings
    count: int  # partitions P
    n_init: int  # k-means starts per run
    minimum: int  # images R = shot + query below which a cluster is dropped
    rule: AcceptanceSettings | None  # when a run is accepted; None accepts every run


def embedding_plan(
    settings: PartitionSettings, rule: AcceptanceSettings, minimum: int
) -> KMeansPlan:
    """Return the plan of the partitions of an embedding for a learner with a rule of acceptance."""
    n_init = rule.n_init_single if settings.count == 1 else rule.n_init
    return KMeansPlan(settings, settings.count, n_init, minimum, rule)


def accepts(rule: AcceptanceSettings, sizes: npt.NDArray[np.integer[Any]], minimum: int) -> bool:
    """Return whether enough of all clusters, whose sizes are given, are large enough."""
    large = sizes > minimum if rule.strict else sizes >= minimum
    return bool(large.sum() > rule.fraction * len(sizes))


def kmeans_partitions(
    embeddings: Array,
    plan: KMeansPlan,
    seed_parts: tuple[str | int, ...],
    load_points: PointsLoader,
    cluster: KMeans = kmeans,
) -> Iterator[Partition]:
    """Make the partitions of a plan one by one.

    Parameters
    ----------
    embeddings
        (N, d) float32.
    seed_parts
        Names the generators; each partition's generator also depends on its index, so that a
        partition does not depend on those before it.
    load_points
        Loads embeddings to where they are clustered.
    cluster
        Clusters them.

    Raises
    ------
    EpisodeError
        There are too few images for the clusters, or a run is not accepted after the restarts.
    DataError
        The embeddings are not finite.
    """
    _check_embeddings(embeddings, plan)
    for index in range(plan.count):
        generator = numpy_generator(*seed_parts, index)
        yield kmeans_partition(embeddings, plan, index, generator, load_points, cluster)


def kmeans_partition(
    embeddings: Array,
    plan: KMeansPlan,
    index: int,
    generator: np.random.Generator,
    load_points: PointsLoader,
    cluster: KMeans = kmeans,
) -> Partition:
    """Make one partition; the one of index 0 clusters the unscaled embedding.

    Raises
    ------
    EpisodeError
        No run is accepted within the restarts.
    """
    settings = plan.settings
    if index > 0:
        weights = generator.uniform(
            settings.scale_low, settings.scale_high, size=(embeddings.shape[1],)
        )
        embeddings = embeddings * weights.astype(np.float32)
    with load_points(embeddings) as points:
        for restarts in range(settings.max_restarts + 1):
            run = cluster(
                points,
                settings.clusters,
                generator,
                starts=plan.n_init,
                max_iterations=settings.max_iterations,
                tolerance=settings.tolerance,
            )
            sizes = np.bincount(run.labels, minlength=settings.clusters)
            if plan.rule is None or accepts(plan.rule, sizes, plan.minimum):
                facts = {"restarts": restarts, "inertia": run.inertia}
                return Partition(drop_small(run.labels, plan.minimum), facts)
    raise _not_accepted(plan, index, sizes)


def _check_embeddings(embeddings: Array, plan: KMeansPlan) -> None:
    images, clusters = len(embeddings), plan.settings.clusters
    if not np.isfinite(embeddings).all():
        raise DataError(
            "An embedding contains NaN or infinity.",
            where="the embeddings to cluster",
            got=f"{np.count_nonzero(~np.isfinite(embeddings).all(axis=1))} of {images} rows",
            fix="train the embedding again with a lower learning rate or another seed",
        )
    needed = clusters if plan.rule is None else max(clusters, _fewest_images(plan))
    if images < needed:
        raise EpisodeError(
            f"k-means into {clusters} clusters with clusters of {plan.minimum} images needs at "
            f"least {needed} images.",
            where="partitions.clusters",
            got=f"{images} images",
            fix="lower partitions.clusters, or the shot or query of meta-training, in the config",
        )


def _fewest_images(plan: KMeansPlan) -> int:
    """Return the number of images below which no run of the plan can be accepted."""
    assert plan.rule is not None
    large = min(plan.settings.clusters, floor(plan.rule.fraction * plan.settings.clusters) + 1)
    return large * (plan.minimum + plan.rule.strict)


def _not_accepted(
    plan: KMeansPlan, index: int, sizes: npt.NDArray[np.integer[Any]]
) -> EpisodeError:
    assert plan.rule is not None
    bound = f"more than {plan.minimum}" if plan.rule.strict else f"at least {plan.minimum}"
    kept = int((sizes >= plan.minimum + plan.rule.strict).sum())
    return EpisodeError(
        f"No k-means run has {bound} images in more than {plan.rule.fraction:.0%} of its clusters.",
        where=f"partition {index + 1} of {plan.count}, {plan.settings.max_restarts} restarts",
        got=f"{kept} of {len(sizes)} clusters with {bound} images in the last run",
        fix="lower partitions.clusters or the learner's fraction, raise partitions.max_restarts, "
        "or check whether the embedding has collapsed",
    )
