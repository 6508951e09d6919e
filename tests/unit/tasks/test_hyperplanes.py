from math import ceil, log2

import numpy as np
import pytest
from scipy.stats import kstest

from cactus.config.sections.partition import HyperplaneSettings
from cactus.errors import DataError, EpisodeError
from cactus.seeding import numpy_generator
from cactus.tasks.hyperplanes import (
    accepted_planes,
    hyperplane_partition,
    hyperplane_partitions,
    plane_sides,
    planes_per_partition,
)
from cactus.tasks.shape import EpisodeShape

SHAPE = EpisodeShape(5, 1, 5)


def cloud(images=2000, dims=6, seed=0):
    return np.random.default_rng(seed).normal(size=(images, dims)).astype(np.float32)


def settings(**values):
    own = {"unit": "embedding", "point_range": 0.8, "planes": 40, "count": 10, "margin": 0.2}
    return HyperplaneSettings(**{**own, **values})


def partitions(embeddings, chosen, seed_parts):
    planes = accepted_planes(embeddings, chosen, SHAPE, seed_parts)
    return list(hyperplane_partitions(planes, chosen, SHAPE, seed_parts))


def drawn_planes(generator, chunks, dims, point_range):
    """Repeat the draws of normals and points, 32 planes at a time, in double precision."""
    normals, points = [], []
    for _ in range(chunks):
        block = generator.uniform(-1, 1, (32, dims))
        normals.append(block / np.sqrt((block**2).sum(axis=1, keepdims=True)))
        points.append(generator.uniform(-point_range, point_range, (32, dims)))
    return np.concatenate(normals), np.concatenate(points)


@pytest.mark.parametrize("point_range", [0.8, 0.0])
def test_sides_are_the_signs_of_distances_beyond_the_margin(point_range):
    embeddings = cloud()
    chosen = settings(planes=64, side_factor=1, point_range=point_range)
    sides = plane_sides(embeddings, chosen, 1, np.random.default_rng(3))
    normals, points = drawn_planes(np.random.default_rng(3), 2, 6, point_range)
    distances = np.array(
        [(embeddings - point) @ normal for normal, point in zip(normals, points, strict=True)]
    )
    expected = np.where(distances >= 0.2, 1, np.where(distances <= -0.2, -1, 0))
    clear = np.abs(np.abs(distances) - 0.2) > 1e-4  # float32 decides the rest either way
    assert clear.mean() > 0.99
    assert sides.dtype == np.int8
    assert np.array_equal(sides[clear], expected[clear])


def test_each_side_has_ten_times_the_images_of_a_class():
    embeddings = cloud(images=300)
    sides = plane_sides(embeddings, settings(planes=50), 6, np.random.default_rng(0))
    assert sides.shape == (50, 300)
    assert (sides == 1).sum(axis=1).min() >= 60
    assert (sides == -1).sum(axis=1).min() >= 60
    tried = plane_sides(embeddings, settings(planes=32, side_factor=1), 1, np.random.default_rng(0))
    assert min((tried == 1).sum(axis=1).min(), (tried == -1).sum(axis=1).min()) < 60


def test_planes_through_the_origin_halve_a_symmetric_cloud():
    embeddings = cloud(images=4000)
    embeddings = np.concatenate([embeddings, -embeddings])
    sides = plane_sides(embeddings, settings(point_range=0.0), 6, np.random.default_rng(0))
    assert np.array_equal((sides == 1).sum(axis=1), (sides == -1).sum(axis=1))


def test_normals_are_uniform_in_the_cube():
    # Images on a circle: those above a plane through its center lie around the plane's normal.
    angles = np.linspace(0, 2 * np.pi, 3600, endpoint=False)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    chosen = settings(planes=1280, point_range=0.0, margin=0.0, side_factor=1)
    normals = (plane_sides(circle, chosen, 1, np.random.default_rng(0)) > 0) @ circle
    slopes = np.minimum(*np.abs(normals.T)) / np.maximum(*np.abs(normals.T))
    assert kstest(slopes, "uniform").pvalue > 1e-6


@pytest.mark.parametrize("way", [2, 3, 4, 5, 8, 9, 16, 17, 20])
def test_planes_per_partition(way):
    assert planes_per_partition(way) == ceil(log2(way))


def test_cells_are_the_combinations_of_sides():
    # Three images near the second plane; the others fill the four quadrants.
    sides = np.repeat([[1, 1], [1, -1], [-1, 1], [-1, -1], [1, 0]], [6, 7, 8, 9, 3], axis=0).T
    made = hyperplane_partition(
        sides.astype(np.int8), settings(), EpisodeShape(4, 1, 5), np.random.default_rng(0)
    )
    assert made.facts == {"restarts": 0}
    assert (made.labels[-3:] == -1).all()
    _, sizes = np.unique(made.labels[:-3], return_counts=True)
    assert sorted(sizes) == [6, 7, 8, 9]
    for start, size in [(0, 6), (6, 7), (13, 8), (21, 9)]:
        assert len(set(made.labels[start : start + size])) == 1


def test_small_cells_are_dropped():
    sides = np.repeat([[1, 1], [1, -1], [-1, 1], [-1, -1]], [6, 7, 8, 5], axis=0).T
    made = hyperplane_partition(
        sides.astype(np.int8), settings(), EpisodeShape(3, 1, 5), np.random.default_rng(0)
    )
    assert (made.labels[-5:] == -1).all()
    assert (made.labels[:-5] >= 0).all()


def test_every_cell_keeps_the_margin_to_its_planes():
    embeddings = cloud()
    chosen = settings(count=4)
    made = partitions(embeddings, chosen, ("test", 0))
    sides = plane_sides(embeddings, chosen, 6, numpy_generator("test", 0, "planes"))
    for index, partition in enumerate(made):
        generator = numpy_generator("test", 0, index)
        for _ in range(partition.facts["restarts"] + 1):
            planes = generator.choice(40, 3, replace=False)
        kept = partition.labels >= 0
        assert (sides[planes][:, kept] != 0).all()
        sizes = np.bincount(partition.labels[kept])
        assert (sizes > 0).sum() >= 5
        assert sizes[sizes > 0].min() >= 6


def test_partitions_do_not_depend_on_their_order():
    embeddings = cloud()
    made = [p.labels for p in partitions(embeddings, settings(), ("a", 1))]
    fewer = partitions(embeddings, settings(count=3), ("a", 1))
    assert all(np.array_equal(one, other.labels) for one, other in zip(made, fewer, strict=False))
    assert len({labels.tobytes() for labels in made}) > 1


@pytest.mark.parametrize("shift", [0.0, 30.0])
@pytest.mark.parametrize("scale", [0.01, 1.0, 50.0])
def test_by_the_spread_the_cells_do_not_depend_on_scale_and_place(scale, shift):
    chosen = settings(unit="spread", margin=0.3)
    plain = partitions(cloud(), chosen, ("test",))
    moved = partitions(scale * cloud() + scale * shift, chosen, ("test",))
    same = [np.mean(one.labels == other.labels) for one, other in zip(plain, moved, strict=True)]
    assert min(same) > 0.99  # float32 decides a few near the margins either way


def test_the_spread_is_that_of_projections_on_random_normals():
    embeddings = cloud(4000, 40) * np.linspace(0.1, 3, 40, dtype=np.float32) + 7
    unit = accepted_planes(embeddings, settings(unit="spread"), SHAPE, ("test",)).unit
    normals, _ = drawn_planes(np.random.default_rng(0), 40, 40, 0.0)
    variances = (embeddings.astype(float) @ normals.T).var(axis=0)
    assert unit == pytest.approx(np.sqrt(variances.mean()), rel=0.02)


@pytest.mark.parametrize("margin", [0.2, 0.11, 0.47])  # the last two are not x * 10 / 10
def test_a_margin_that_is_met_changes_nothing(margin):
    chosen = settings(margin=margin)
    planes = accepted_planes(cloud(), chosen, SHAPE, ("test",))
    sides = plane_sides(cloud(), chosen, 6, numpy_generator("test", "planes"))
    assert np.array_equal(planes.sides, sides)
    assert (planes.margin, planes.unit) == (margin, 1.0)


@pytest.mark.parametrize("asked", [2.0, 4.0, 50.0])
def test_a_margin_that_is_too_wide_is_lowered_to_the_widest_tenth(asked):
    chosen = settings(margin=asked, max_plane_draws=2, side_factor=20)
    planes = accepted_planes(cloud(), chosen, SHAPE, ("test",))
    tenths = round(10 * planes.margin / asked)
    assert planes.margin == pytest.approx(asked * tenths / 10)
    assert tenths < 10
    made = list(hyperplane_partitions(planes, chosen, SHAPE, ("test",)))
    assert len(made) == 10
    # Of planes and combinations with a tenth more, too few have enough images.
    wider = chosen.model_copy(update={"margin": asked * (tenths + 1) / 10})
    assert success_rate(cloud(), wider) < 0.005


def success_rate(embeddings, chosen):
    """Return how many of 2000 combinations of planes have enough cells; 0 without planes."""
    try:
        sides = plane_sides(embeddings, chosen, 6, numpy_generator("test", "planes"))
    except EpisodeError:
        return 0.0
    generator, found = np.random.default_rng(0), 0
    for _ in range(2000):
        above = sides[generator.choice(len(sides), 3, replace=False)]
        cells = above[:, (above != 0).all(axis=0)] > 0
        found += (np.unique(cells, axis=1, return_counts=True)[1] >= 6).sum() >= 5
    return found / 2000


def test_images_that_no_plane_can_cut_stop_with_an_error():
    with pytest.raises(EpisodeError, match="60 images beyond the margin") as error:
        accepted_planes(cloud(50), settings(margin=50.0), SHAPE, ("test",))
    assert error.value.where == "partitions.hyperplanes, margin 0"
    assert error.value.got == "0 of 40 planes among 64 that were drawn"


@pytest.mark.parametrize("value", [3.0, np.nan, np.inf])
def test_embeddings_without_spread_are_refused(value):
    embeddings = np.full((200, 4), value, np.float32)
    with pytest.raises(DataError, match="all the same or not finite"):
        accepted_planes(embeddings, settings(unit="spread"), SHAPE, ("test",))


@pytest.mark.parametrize("planes", [1, 2])
def test_too_few_cells_stop_with_an_error(planes):
    sides = np.ones((planes, 30), np.int8)
    with pytest.raises(EpisodeError, match="2 hyperplanes has 3 cells of 6 images") as error:
        hyperplane_partition(
            sides, settings(max_combinations=7), EpisodeShape(3, 1, 5), np.random.default_rng(0)
        )
    tries = 7 if planes == 2 else 0
    assert error.value.got == f"{tries} combinations of {planes} planes tried"
