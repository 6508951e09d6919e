"""Partitions by random hyperplanes with a margin.

Hsu, Levine and Finn, "Unsupervised Learning via Meta-Learning", ICLR 2019, ablation: a class is a
cell between ceil(log2 N) planes, each of which has enough images on both sides.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from cactus.config.partition import HyperplaneSettings
from cactus.errors import EpisodeError
from cactus.seeding import numpy_generator
from cactus.tasks.shape import EpisodeShape
from cactus.tasks.storage import DROPPED, Partition, cluster_sizes, drop_small

_CHUNK_PLANES = 32

Sides = npt.NDArray[np.int8]


def hyperplane_partitions(
    embeddings: npt.NDArray[np.float32],
    settings: HyperplaneSettings,
    shape: EpisodeShape,
    seed_parts: tuple[str | int, ...],
) -> Iterator[Partition]:
    """Make partitions by combining accepted random planes.

    Parameters
    ----------
    embeddings
        (N, d) float32.
    settings
        Resolved for the embedding.
    shape
        Way, which gives the number of planes, and images per class.
    seed_parts
        Names the generators; each partition has its own.

    Raises
    ------
    EpisodeError
        Too few planes, or no combination of them, leave enough images.
    """
    generator = numpy_generator(*seed_parts, "planes")
    sides = plane_sides(embeddings, settings, shape.per_class, generator)
    for index in range(settings.count):
        yield hyperplane_partition(sides, settings, shape, numpy_generator(*seed_parts, index))


def planes_per_partition(way: int) -> int:
    """Return ceil(log2 way), at least 1: the planes whose cells can serve `way` classes."""
    return max(1, (way - 1).bit_length())


def plane_sides(
    embeddings: npt.NDArray[np.float32],
    settings: HyperplaneSettings,
    per_class: int,
    generator: np.random.Generator,
) -> Sides:
    """Draw planes until enough have `side_factor` x `per_class` images on both sides.

    Returns
    -------
    ndarray
        (planes, N) int8: 1 above a plane, -1 below it, 0 within the margin.

    Raises
    ------
    EpisodeError
        Too few of the planes are accepted.
    """
    needed = settings.side_factor * per_class
    accepted = [np.empty((0, len(embeddings)), np.int8)]
    found = 0
    for _ in range(0, settings.planes * settings.max_plane_draws, _CHUNK_PLANES):
        sides = _draw_sides(embeddings, settings, generator)
        good = ((sides > 0).sum(axis=1) >= needed) & ((sides < 0).sum(axis=1) >= needed)
        accepted.append(sides[good])
        found += int(good.sum())
        if found >= settings.planes:
            return np.concatenate(accepted)[: settings.planes]
    raise EpisodeError(
        f"Too few random hyperplanes have {needed} images beyond the margin on both sides.",
        where=f"partitions.hyperplanes, margin {settings.margin}",
        got=f"{found} of {settings.planes} planes after {settings.max_plane_draws} draws for each",
        fix="lower the margin of this embedding or side_factor, or raise max_plane_draws",
    )


def _draw_sides(
    embeddings: npt.NDArray[np.float32],
    settings: HyperplaneSettings,
    generator: np.random.Generator,
) -> Sides:
    size = (_CHUNK_PLANES, embeddings.shape[1])
    normals = generator.uniform(-settings.normal_range, settings.normal_range, size)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    points = generator.uniform(-settings.point_range, settings.point_range, size)
    offsets = (normals * points).sum(axis=1)
    distances = normals.astype(np.float32) @ embeddings.T - offsets[:, None].astype(np.float32)
    above = distances >= settings.margin
    below = (distances <= -settings.margin) & ~above
    sides: Sides = above.astype(np.int8) - below.astype(np.int8)
    return sides


def hyperplane_partition(
    sides: Sides,
    settings: HyperplaneSettings,
    shape: EpisodeShape,
    generator: np.random.Generator,
) -> Partition:
    """Combine ceil(log2 way) planes so that at least `way` cells are large enough.

    Raises
    ------
    EpisodeError
        No combination that was tried has enough cells.
    """
    planes = planes_per_partition(shape.way)
    tries = settings.max_combinations if planes <= len(sides) else 0
    for restarts in range(tries):
        chosen = sides[generator.choice(len(sides), planes, replace=False)]
        cells = (1 << np.arange(planes)) @ (chosen > 0)
        cells[(chosen == 0).any(axis=0)] = DROPPED
        if (cluster_sizes(cells) >= shape.per_class).sum() >= shape.way:
            return Partition(drop_small(cells, shape.per_class), {"restarts": restarts})
    raise EpisodeError(
        f"No combination of {planes} hyperplanes has {shape.way} cells of {shape.per_class} "
        "images.",
        where=f"partitions.hyperplanes, margin {settings.margin}",
        got=f"{tries} combinations of {len(sides)} planes tried",
        fix="lower the margin of this embedding or the way, or raise planes or max_combinations",
    )
