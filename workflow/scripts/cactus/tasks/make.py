"""Make and store the partitions of one source."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cactus.config.sections.acceptance import AcceptanceSettings
from cactus.config.sections.partition import PartitionSettings
from cactus.config.sections.source import Source
from cactus.files import write_json
from cactus.seeding import numpy_generator
from cactus.tasks.attributes import attribute_pools
from cactus.tasks.hyperplanes import accepted_planes, hyperplane_partitions, planes_per_partition
from cactus.tasks.kmeans.lloyd import KMeans, kmeans
from cactus.tasks.kmeans.points import PointsLoader
from cactus.tasks.kmeans_partitions import KMeansPlan, embedding_plan, kmeans_partitions
from cactus.tasks.pixels import pixel_features
from cactus.tasks.random_labels import random_partitions
from cactus.tasks.shape import EpisodeShape, check_episodes, check_pools
from cactus.tasks.storage import SUMMARY_FILE, Partition, cluster_sizes, write_partitions


@dataclass(frozen=True)
class PartitionJob:
    """The settings that partitions are made with."""

    settings: PartitionSettings  # resolved for the source and the data set
    learner: str
    rule: AcceptanceSettings  # when k-means runs on an embedding are accepted
    shape: EpisodeShape  # of meta-training
    seed: int
    load_points: PointsLoader  # loads embeddings to where k-means clusters them
    kmeans: KMeans = kmeans


def make_partitions(
    source: Source,
    data: npt.NDArray[Any],
    folder: Path,
    job: PartitionJob,
    report: Callable[[str], None],
) -> None:
    """Make the partitions of a source and store them in `folder`.

    Parameters
    ----------
    data
        What `Source.input` names, of the training split: embeddings (N, d) float32, images
        (N, H, W, C) uint8, classes (N,), or attributes (N, A), of which only the number of pools
        is stored.
    report
        Receives progress lines.

    Raises
    ------
    EpisodeError
        Meta-training episodes cannot be drawn from these partitions.
    ConfigError, DataError
        The source has no partitions, or its data is damaged.
    """
    header = {"source": source.name, "kind": source.kind, "images": len(data)}
    header |= {"learner": job.learner, "seed": job.seed, **asdict(job.shape)}
    if source.kind == "labels" and data.ndim == 2:
        _write_pools(data, folder, job, header, report)
        return
    series = _series(source, data, job)
    if series.facts.get("margin") != series.facts.get("margin_asked"):
        report("margin {margin_asked:g} cannot be met, {margin:g} is used".format(**series.facts))
    write_partitions(
        folder,
        _checked(series.partitions, series.count, job.shape),
        count=series.count,
        images=len(data),
        clusters=series.clusters,
        header=header | series.facts,
        report=report,
    )


@dataclass(frozen=True)
class _Series:
    """Partitions to come, their number, and a bound on their cluster ids."""

    partitions: Iterable[Partition]
    count: int
    clusters: int
    facts: dict[str, float] = field(default_factory=dict)  # for the summary


def _series(source: Source, data: npt.NDArray[Any], job: PartitionJob) -> _Series:
    settings, shape = job.settings, job.shape
    seed_parts = ("partitions", source.base, job.seed)
    match source.kind:
        case "labels":
            return _Series([Partition(data)], 1, int(data.max(initial=0)) + 1)
        case "random":
            random = random_partitions(len(data), settings.random, shape.per_class, seed_parts)
            return _Series(random, settings.random.count, settings.random.labels)
        case "hyperplanes":
            planes = accepted_planes(data, settings.hyperplanes, shape, seed_parts)
            cells = hyperplane_partitions(planes, settings.hyperplanes, shape, seed_parts)
            count, clusters = settings.hyperplanes.count, 1 << planes_per_partition(shape.way)
            asked = settings.hyperplanes.margin
            facts = {"margin": planes.margin, "margin_asked": asked, "margin_unit": planes.unit}
            return _Series(cells, count, clusters, facts)
        case "pixels":
            pixels = settings.pixels
            features = pixel_features(data, pixels, numpy_generator(*seed_parts, "directions"))
            plan = KMeansPlan(settings, pixels.count, pixels.n_init, shape.per_class, rule=None)
        case "kmeans":
            features = np.ascontiguousarray(data, dtype=np.float32)
            plan = embedding_plan(settings, job.rule, shape.per_class)
        case "scratch":
            raise source.without_partition()
    partitions = kmeans_partitions(features, plan, seed_parts, job.load_points, job.kmeans)
    return _Series(partitions, plan.count, settings.clusters)


def _checked(
    partitions: Iterable[Partition], count: int, shape: EpisodeShape
) -> Iterator[Partition]:
    for index, partition in enumerate(partitions, start=1):
        where = f"partition {index} of {count}"
        check_episodes(cluster_sizes(partition.labels), shape, where)
        yield partition


def _write_pools(
    attributes: npt.NDArray[Any],
    folder: Path,
    job: PartitionJob,
    header: dict[str, Any],
    report: Callable[[str], None],
) -> None:
    pools = attribute_pools(attributes, job.shape.per_class, job.settings.pool_attributes)
    check_pools(pools.sizes, job.shape)
    report(f"{len(pools)} attribute pools")
    facts = {"pools": len(pools), "pool_attributes": job.settings.pool_attributes}
    write_json(folder / SUMMARY_FILE, {**header, "kind": "pools", **facts})
