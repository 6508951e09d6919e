"""Partitions by random hyperplanes with a margin.

Hsu, Levine and Finn, "Unsupervised Learning via Meta-Learning", ICLR 2019, ablation: a class is a
cell between ceil(log2 N) planes, each of which has enough images on both sides.

The original's margin and points are in units of the embedding. Those of other embeddings may be so
wide that no plane keeps such a margin, or so near each other that every plane passes by all
images. In units of the embedding's spread, one margin means the same for all.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cactus.config.sections.partition import HyperplaneSettings
from cactus.errors import DataError, EpisodeError
from cactus.seeding import numpy_generator
from cactus.tasks.shape import EpisodeShape
from cactus.tasks.storage import DROPPED, Partition, cluster_sizes, drop_small

_CHUNK_PLANES = 32
_MARGIN_STEPS = 10  # from the margin that is asked for down to none
# If 1 in 200 combinations has enough cells, all of 2,400 partitions find one within 10,000 tries
# each, with probability 1 - 10^-18.
_TRIALS = 2000
_SUCCESSES = 10

Sides = npt.NDArray[np.int8]


@dataclass(frozen=True)
class Planes:
    """Accepted random planes, and the margin that they keep."""

    sides: Sides  # (planes, N): 1 above a plane, -1 below it, 0 within the margin
    margin: float  # in the unit of the settings
    unit: float  # the settings' unit, in embedding units


def accepted_planes(
    embeddings: npt.NDArray[np.float32],
    settings: HyperplaneSettings,
    shape: EpisodeShape,
    seed_parts: tuple[str | int, ...],
) -> Planes:
    """Draw planes with the widest margin that partitions can keep: at most that of the settings.

    The margin is lowered by tenths until enough planes have enough images beyond it, and enough of
    their combinations have enough cells.

    Parameters
    ----------
    embeddings
        (N, d) float32.
    settings
        Resolved for the embedding.
    shape
        Way, which gives the number of planes of a partition, and images per class.
    seed_parts
        Names the generators.

    Raises
    ------
    EpisodeError
        Not even planes without a margin leave enough images.
    DataError
        All embeddings are the same, or are not finite.
    """
    vectors, unit = scaled(embeddings, settings)
    for tenths in range(_MARGIN_STEPS if settings.margin else 0, -1, -1):
        tried = settings.model_copy(update={"margin": _share(settings.margin, tenths)})
        generator, trials = (numpy_generator(*seed_parts, name) for name in ("planes", "trials"))
        try:
            sides = plane_sides(vectors, tried, shape.per_class, generator)
            _check_combinations(sides, tried, shape, trials)
            break
        except EpisodeError:
            if not tenths:
                raise
    return Planes(sides, tried.margin, unit)


def _share(margin: float, tenths: int) -> float:
    """Return tenths of a margin; all are the margin itself, which 0.83 * 10 / 10 is not."""
    return margin if tenths == _MARGIN_STEPS else margin * tenths / _MARGIN_STEPS


def hyperplane_partitions(
    planes: Planes,
    settings: HyperplaneSettings,
    shape: EpisodeShape,
    seed_parts: tuple[str | int, ...],
) -> Iterator[Partition]:
    """Make partitions by combining accepted planes; each has its own generator.

    Raises
    ------
    EpisodeError
        No combination that was tried for a partition has enough cells.
    """
    used = settings.model_copy(update={"margin": planes.margin})
    for index in range(settings.count):
        generator = numpy_generator(*seed_parts, index)
        yield hyperplane_partition(planes.sides, used, shape, generator)


def planes_per_partition(way: int) -> int:
    """Return ceil(log2 way), at least 1: the planes whose cells can serve `way` classes."""
    return max(1, (way - 1).bit_length())


def scaled(
    embeddings: npt.NDArray[np.float32], settings: HyperplaneSettings
) -> tuple[npt.NDArray[np.float32], float]:
    """Return embeddings (N, d) in the unit of the settings, around their origin, and that unit.

    The spread is the root mean square of the dimensions' standard deviations. Along a random
    normal, the variance of the embeddings has the spread's square as its mean.
    """
    if settings.unit == "embedding":
        return embeddings, 1.0
    with np.errstate(invalid="ignore"):  # of infinite values, which are refused below
        centered = embeddings - embeddings.mean(axis=0, dtype=np.float64).astype(np.float32)
    squares = np.einsum("nd,nd->", centered, centered, dtype=np.float64)
    spread = float(np.sqrt(squares / centered.size))
    if not 0 < spread < np.inf:
        raise DataError(
            "Hyperplanes cannot cut embeddings that are all the same or not finite.",
            where="the embeddings to partition",
            got=f"a root mean square distance from their mean of {spread:g}",
            fix="train the embedding again with a lower learning rate or another seed",
        )
    return centered / np.float32(spread), spread


def plane_sides(
    embeddings: npt.NDArray[np.float32],
    settings: HyperplaneSettings,
    per_class: int,
    generator: np.random.Generator,
) -> Sides:
    """Draw planes until enough have `side_factor` x `per_class` images on both sides.

    Parameters
    ----------
    embeddings
        (N, d) float32, in the unit of the settings.

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
    found = drawn = 0
    while drawn < settings.planes * settings.max_plane_draws:
        sides = _draw_sides(embeddings, settings, generator)
        good = ((sides > 0).sum(axis=1) >= needed) & ((sides < 0).sum(axis=1) >= needed)
        accepted.append(sides[good])
        found, drawn = found + int(good.sum()), drawn + len(sides)
        if found >= settings.planes:
            return np.concatenate(accepted)[: settings.planes]
        if drawn >= settings.planes and 2 * found * settings.max_plane_draws < drawn:
            break  # at half the rate that would do, more draws would only take time
    raise EpisodeError(
        f"Too few random hyperplanes have {needed} images beyond the margin on both sides.",
        where=f"partitions.hyperplanes, margin {settings.margin:g}",
        got=f"{found} of {settings.planes} planes among {drawn} that were drawn",
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
    tries = settings.max_combinations if planes_per_partition(shape.way) <= len(sides) else 0
    for restarts in range(tries):
        cells = random_cells(sides, shape, generator)
        if has_enough(cells, shape):
            return Partition(drop_small(cells, shape.per_class), {"restarts": restarts})
    raise _no_combination(sides, settings, shape, f"{tries} combinations")


def random_cells(
    sides: Sides, shape: EpisodeShape, generator: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Return the cells (N,) between random planes, -1 within a margin."""
    planes = planes_per_partition(shape.way)
    chosen = sides[generator.choice(len(sides), planes, replace=False)]
    cells: npt.NDArray[np.int64] = (1 << np.arange(planes)) @ (chosen > 0)
    cells[(chosen == 0).any(axis=0)] = DROPPED
    return cells


def has_enough(cells: npt.NDArray[np.int64], shape: EpisodeShape) -> bool:
    """Return whether enough cells are large enough for episodes."""
    return bool((cluster_sizes(cells) >= shape.per_class).sum() >= shape.way)


def _check_combinations(
    sides: Sides, settings: HyperplaneSettings, shape: EpisodeShape, generator: np.random.Generator
) -> None:
    """Check that combinations of planes have enough cells so often that every partition will.

    Raises
    ------
    EpisodeError
        Too few have.
    """
    successes = 0
    for _ in range(_TRIALS if planes_per_partition(shape.way) <= len(sides) else 0):
        successes += has_enough(random_cells(sides, shape, generator), shape)
        if successes >= _SUCCESSES:
            return
    raise _no_combination(sides, settings, shape, f"{successes} of {_TRIALS} combinations")


def _no_combination(
    sides: Sides, settings: HyperplaneSettings, shape: EpisodeShape, got: str
) -> EpisodeError:
    planes = planes_per_partition(shape.way)
    return EpisodeError(
        f"No combination of {planes} hyperplanes has {shape.way} cells of {shape.per_class} "
        "images, or too few have.",
        where=f"partitions.hyperplanes, margin {settings.margin:g}",
        got=f"{got} of {len(sides)} planes tried",
        fix="lower the margin of this embedding or the way, or raise planes or max_combinations",
    )
