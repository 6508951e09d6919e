"""Partitions against loops over images in double precision, wherever k-means runs."""

from fractions import Fraction
from functools import partial
from itertools import product

import numpy as np
import pytest
import torch

from cactus.config.sections.acceptance import MamlAcceptanceSettings, ProtonetsAcceptanceSettings
from cactus.config.sections.partition import (
    HyperplaneSettings,
    PartitionSettings,
)
from cactus.seeding import numpy_generator
from cactus.tasks.hyperplanes import accepted_planes, hyperplane_partitions
from cactus.tasks.kmeans.cpu_points import cpu_points
from cactus.tasks.kmeans.gpu_points import gpu_points
from cactus.tasks.kmeans_partitions import KMeansPlan, accepts, kmeans_partitions
from cactus.tasks.shape import EpisodeShape

LOADERS = {
    "one thread": partial(cpu_points, threads=1),
    "threads and chunks": partial(cpu_points, threads=3, chunk_rows=17),
    "PyTorch": partial(gpu_points, device=torch.device("cpu")),
}
RULES = {
    "maml": (MamlAcceptanceSettings(), Fraction(3, 4), lambda size, r: size > r),
    "protonets": (ProtonetsAcceptanceSettings(), Fraction(4, 5), lambda size, r: size >= r),
}


def _accepted(sizes, r, share, large):
    """Count the large clusters one by one; the share is compared without rounding."""
    return Fraction(sum(1 for size in sizes if large(size, r)), len(sizes)) > share


@pytest.mark.parametrize("learner", RULES)
def test_every_count_of_large_clusters_is_accepted_as_in_loops(learner):
    rule, share, large = RULES[learner]
    decisions = set()
    for clusters, r in product(range(1, 61), (1, 6, 20)):
        for more, equal in product(range(clusters + 1), (0, 1, 2)):
            if more + equal > clusters:
                continue
            sizes = [r + 1] * more + [r] * equal + [r - 1] * (clusters - more - equal)
            expected = _accepted(sizes, r, share, large)
            assert accepts(rule, np.array(sizes), r) is expected
            decisions.add(expected)
    assert decisions == {False, True}


def _cloud(seed=0):
    """Return 200 points around 9 centroids of very different sizes."""
    generator = np.random.default_rng(seed)
    sizes = (60, 40, 30, 20, 15, 12, 10, 8, 5)
    centroids = np.repeat(6 * generator.normal(size=(9, 4)), sizes, axis=0)
    return (centroids + 2 + generator.normal(size=centroids.shape)).astype(np.float32)


def _squared(one, other):
    return sum((float(a) - float(b)) ** 2 for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("name", LOADERS)
def test_partitions_are_at_rest_and_have_the_inertia_of_loops(name):
    """No image is nearer to the mean of another cluster, in the space scaled for the partition."""
    embeddings = _cloud()
    plan = KMeansPlan(PartitionSettings(clusters=7, tolerance=0.0), 3, 2, 1, None)
    made = list(kmeans_partitions(embeddings, plan, ("parity", 0), LOADERS[name]))
    for index, partition in enumerate(made):
        weights = numpy_generator("parity", 0, index).uniform(0, 1, 4).astype(np.float32)
        points = embeddings * weights if index else embeddings
        points, labels = points.astype(float), partition.labels.tolist()
        means = [
            sum(p for p, own in zip(points, labels, strict=True) if own == cluster)
            / labels.count(cluster)
            for cluster in range(7)
        ]
        inertia = 0.0
        for point, label in zip(points, labels, strict=True):
            distances = [_squared(point, mean) for mean in means]
            assert distances[label] <= min(distances) + 1e-4
            inertia += distances[label]
        assert partition.facts["inertia"] == pytest.approx(inertia, rel=1e-5)


@pytest.mark.parametrize("learner", RULES)
def test_accepted_partitions_are_those_on_every_device(learner):
    """Each device restarts as often, drops the clusters below R = 6, and keeps enough of them."""
    rule, share, large = RULES[learner]
    settings = PartitionSettings(clusters=18, tolerance=0.0, max_restarts=500)
    plan = KMeansPlan(settings, 4, 1, 6, rule)
    series = [
        list(kmeans_partitions(_cloud(), plan, ("parity", 1), load)) for load in LOADERS.values()
    ]
    assert sum(partition.facts["restarts"] for partition in series[0]) > 0
    for partition in series[0]:
        kept = [label for label in partition.labels.tolist() if label >= 0]
        sizes = [kept.count(cluster) for cluster in range(18)]
        assert all(size == 0 or size >= 6 for size in sizes)
        assert _accepted(sizes, 6, share, large)
    for other in series[1:]:
        for one, two in zip(series[0], other, strict=True):
            np.testing.assert_array_equal(one.labels, two.labels)
            assert one.facts["restarts"] == two.facts["restarts"]
            assert one.facts["inertia"] == pytest.approx(two.facts["inertia"], rel=1e-5)


def _slow_planes(embeddings, settings, r):
    """Draw planes as normal and point; keep those with enough images beyond the margin."""
    generator, kept = numpy_generator("parity", 2, "planes"), []
    while len(kept) < settings.planes:
        shape = 32, embeddings.shape[1]
        normals = generator.uniform(-settings.normal_range, settings.normal_range, shape)
        points = generator.uniform(-settings.point_range, settings.point_range, shape)
        for normal, point in zip(normals, points, strict=True):
            length = sum(value**2 for value in normal) ** 0.5
            sides = []
            for image in embeddings.astype(float):
                offset = sum(n * (x - p) for n, x, p in zip(normal, image, point, strict=True))
                distance = offset / length
                # So far from the margin that single precision decides the same.
                assert abs(abs(distance) - settings.margin) > 1e-6
                beyond = abs(distance) >= settings.margin
                sides.append((1 if distance > 0 else -1) if beyond else 0)
            if min(sides.count(1), sides.count(-1)) >= settings.side_factor * r:
                kept.append(sides)
    return kept[: settings.planes]


def _slow_cells(sides, shape, planes, index):
    """Combine planes until enough cells are large; return each image's cell or None."""
    generator, restarts = numpy_generator("parity", 2, index), 0
    while True:
        chosen = generator.choice(len(sides), planes, replace=False)
        cells = [tuple(sides[plane][image] for plane in chosen) for image in range(len(sides[0]))]
        cells = [None if 0 in cell else cell for cell in cells]
        large = {cell for cell in cells if cell and cells.count(cell) >= shape.per_class}
        if len(large) >= shape.way:
            return [cell if cell in large else None for cell in cells], restarts
        restarts += 1


@pytest.mark.parametrize(("way", "planes"), [(2, 1), (3, 2), (5, 3)])
def test_hyperplanes_cut_the_cells_of_loops(way, planes):
    embeddings = np.random.default_rng(1).normal(size=(150, 5)).astype(np.float32)
    settings = HyperplaneSettings(
        unit="embedding", point_range=0.8, planes=12, count=4, margin=0.3, side_factor=6
    )
    shape = EpisodeShape(way, 1, 5)
    sides = _slow_planes(embeddings, settings, shape.per_class)
    accepted = accepted_planes(embeddings, settings, shape, ("parity", 2))
    made = list(hyperplane_partitions(accepted, settings, shape, ("parity", 2)))
    assert accepted.margin == 0.3
    assert len(made) == 4
    for index, partition in enumerate(made):
        cells, restarts = _slow_cells(sides, shape, planes, index)
        assert partition.facts == {"restarts": restarts}
        pairs = set(zip(cells, partition.labels.tolist(), strict=True))
        assert len(pairs) == len({cell for cell, _ in pairs}) == len({label for _, label in pairs})
        assert all((cell is None) == (label == -1) for cell, label in pairs)
