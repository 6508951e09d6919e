from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from cactus.errors import DataError, EpisodeError
from cactus.files import write_json
from cactus.tasks.attributes import attribute_pools
from cactus.tasks.episodes import (
    AttributeSampler,
    PartitionSampler,
    draw_distinct,
    labeled_sampler,
    load_sampler,
)
from cactus.tasks.storage import Partition, write_partitions

# A chi-square test at this level fails by chance once in a million; the seeds are fixed anyway.
LEVEL = 1e-6


def generator(seed=0):
    return np.random.default_rng(seed)


def both(batch):
    return np.concatenate([batch.support, batch.query], axis=2)


@given(
    st.lists(st.integers(4, 30), min_size=1, max_size=20),
    st.integers(0, 4),
    st.integers(0, 2**32 - 1),
)
def test_draws_are_distinct_and_in_range(populations, count, seed):
    drawn = draw_distinct(generator(seed), np.array(populations), count)
    assert drawn.shape == (len(populations), count)
    for row, population in zip(drawn, populations, strict=True):
        assert len(set(row)) == count
        assert all(0 <= value < population for value in row)


def test_every_ordered_draw_is_equally_likely():
    drawn = draw_distinct(generator(), np.full(60_000, 5), 3)
    counts = Counter(map(tuple, drawn.tolist()))
    assert len(counts) == 60
    assert chisquare(list(counts.values())).pvalue > LEVEL


def test_rows_of_different_populations_are_uniform():
    populations = np.tile([4, 9], 30_000)
    drawn = draw_distinct(generator(1), populations, 4)
    for population in (4, 9):
        rows = drawn[populations == population]
        for place in range(4):
            assert chisquare(np.bincount(rows[:, place], minlength=population)).pvalue > LEVEL


@st.composite
def partition_tables(draw):
    """Partitions with dropped images in which every kept cluster has at least 5 images."""
    rows = []
    images = draw(st.integers(40, 80))
    for _ in range(draw(st.integers(1, 4))):
        clusters = draw(st.integers(3, 6))
        ids = draw(st.lists(st.integers(0, 40), min_size=clusters, max_size=clusters, unique=True))
        row = np.full(images, -1)
        row[: 5 * clusters] = np.repeat(ids, 5)
        extra = draw(st.integers(0, images - 5 * clusters))
        row[5 * clusters : 5 * clusters + extra] = ids[0]
        rows.append(generator(draw(st.integers(0, 99))).permutation(row))
    return np.array(rows, np.int8)


@settings(deadline=None)
@given(
    partition_tables(),
    st.integers(1, 3),
    st.integers(1, 2),
    st.integers(1, 3),
    st.integers(0, 9),
    st.integers(0, 999),
)
def test_episodes_are_classes_of_one_partition(partitions, way, shot, query, tasks, seed):
    batch = PartitionSampler(partitions, way, shot, query).sample(generator(seed), tasks)
    assert batch.support.shape == (tasks, way, shot)
    assert batch.query.shape == (tasks, way, query)
    assert batch.support.dtype == batch.query.dtype == np.int64
    for task in both(batch):
        assert len(np.unique(task)) == task.size
        assert any(is_episode_of(labels, task) for labels in partitions)


def is_episode_of(labels, task):
    """Each row of a task lies in one kept cluster, another one for each row."""
    clusters = [set(labels[row]) for row in task]
    kept = set.union(*clusters)
    return all(len(row) == 1 for row in clusters) and len(kept) == len(task) and -1 not in kept


def test_clusters_are_drawn_whatever_their_size():
    labels = np.repeat(np.arange(6), [6, 6, 10, 50, 300, 1000])
    batch = PartitionSampler(labels[None], 3, 1, 5).sample(generator(), 12_000)
    drawn = labels[batch.support[:, :, 0]]
    for place in range(3):
        assert chisquare(np.bincount(drawn[:, place])).pvalue > LEVEL


def test_images_of_a_cluster_are_drawn_uniformly_for_support_and_query():
    labels = np.repeat([0, 1], [8, 20])
    batch = PartitionSampler(labels[None], 2, 2, 3).sample(generator(), 10_000)
    for images in (batch.support, batch.query):
        counts = np.bincount(images.ravel(), minlength=28)
        assert chisquare(counts[:8]).pvalue > LEVEL
        assert chisquare(counts[8:]).pvalue > LEVEL


def test_partitions_are_drawn_uniformly():
    # The images of partition p are those p, p + 4, p + 8, ...: an image tells its partition.
    partitions = np.where(np.arange(80) % 4 == np.arange(4)[:, None], np.arange(80) // 40, -1)
    batch = PartitionSampler(partitions, 2, 1, 1).sample(generator(), 8000)
    assert chisquare(np.bincount(batch.support[:, 0, 0] % 4)).pvalue > LEVEL


def test_same_generator_same_episodes_whatever_the_cache():
    partitions = generator(3).integers(0, 4, (20, 200)).astype(np.int16)
    reference = PartitionSampler(partitions, 3, 1, 5)
    forgetful = PartitionSampler(partitions, 3, 1, 5, cache_bytes=1)
    for _ in range(2):  # the second time from the cache
        expected = both(reference.sample(generator(7), 50))
        assert np.array_equal(both(forgetful.sample(generator(7), 50)), expected)
    assert not np.array_equal(both(reference.sample(generator(8), 50)), expected)


def test_memory_mapped_partitions_serve_the_same_episodes(tmp_path):
    partitions = generator(3).integers(-1, 4, (30, 200)).astype(np.int8)
    np.save(tmp_path / "p.npy", partitions)
    mapped = np.load(tmp_path / "p.npy", mmap_mode="r")
    expected = PartitionSampler(partitions, 3, 1, 5).sample(generator(), 20)
    assert np.array_equal(
        both(PartitionSampler(mapped, 3, 1, 5).sample(generator(), 20)), both(expected)
    )


def test_a_cluster_of_exactly_the_needed_size_is_used_up():
    labels = np.repeat([0, 1], 6)
    task = both(PartitionSampler(labels[None], 2, 1, 5).sample(generator(), 1))[0]
    assert sorted(task.ravel()) == list(range(12))


def test_way_larger_than_the_clusters_of_any_partition_is_refused():
    partitions = np.array([[0, 0, 1, 1, 2, 2], [0, 0, 1, 1, -1, -1]])
    with pytest.raises(EpisodeError, match="3-way") as error:
        PartitionSampler(partitions, 3, 1, 1)
    assert error.value.where == "partition 2 of 2"
    assert error.value.got == "2 classes with images"


def test_a_class_with_too_few_images_is_refused():
    with pytest.raises(EpisodeError) as error:
        PartitionSampler(np.array([[0, 0, 0, 4, 4]]), 2, 1, 2)
    assert error.value.got == "class 4: 2 images"


ATTRIBUTES = generator(5).integers(0, 2, (300, 6), dtype=np.uint8)


def test_attribute_tasks_have_opposite_values_of_three_attributes():
    pools = attribute_pools(ATTRIBUTES, 8)
    sampler = AttributeSampler(ATTRIBUTES, pools, 2, 3, 5)
    batch = sampler.sample(generator(), 300)
    assert batch.support.shape == (300, 2, 3)
    assert batch.query.shape == (300, 2, 5)
    for task in both(batch):
        assert len(np.unique(task)) == task.size
        first, second = ATTRIBUTES[task[0]], ATTRIBUTES[task[1]]
        shared = (first == first[0]).all(axis=0) & (second == 1 - first[0]).all(axis=0)
        assert shared.sum() >= 3


def pool_counts(batch, pools):
    """Count tasks by pool and by the side that is class 0, from one image of each class."""
    first, second = ATTRIBUTES[batch.support[:, 0, 0]], ATTRIBUTES[batch.support[:, 1, 0]]
    sides = np.zeros((len(pools), 2), int)
    for pool, (columns, values) in enumerate(zip(pools.attributes, pools.values, strict=True)):
        for side, pattern in enumerate((values, 1 - values)):
            match = (first[:, columns] == pattern) & (second[:, columns] == 1 - pattern)
            sides[pool, side] = match.all(axis=1).sum()
    return sides


def test_pools_and_sides_are_drawn_uniformly():
    # Pools over disjoint patterns of the same three columns, so that an image tells its pool.
    pools = attribute_pools(ATTRIBUTES[:, :3], 8)
    assert len(pools) == 4
    batch = AttributeSampler(ATTRIBUTES[:, :3], pools, 2, 1, 5).sample(generator(), 8000)
    sides = pool_counts(batch, pools)
    assert sides.sum() == 8000
    assert chisquare(sides.ravel()).pvalue > LEVEL


def test_images_of_a_side_are_drawn_uniformly():
    attributes = np.repeat([[0, 0, 0], [1, 1, 1]], [10, 30], axis=0).astype(np.uint8)
    pools = attribute_pools(attributes, 6)
    counts = np.bincount(
        both(AttributeSampler(attributes, pools, 2, 1, 5).sample(generator(), 5000)).ravel()
    )
    assert chisquare(counts[:10]).pvalue > LEVEL
    assert chisquare(counts[10:]).pvalue > LEVEL


def test_attribute_episodes_repeat_with_the_generator():
    pools = attribute_pools(ATTRIBUTES, 8)
    reference = AttributeSampler(ATTRIBUTES, pools, 2, 3, 5).sample(generator(1), 40)
    forgetful = AttributeSampler(ATTRIBUTES, pools, 2, 3, 5, cache_bytes=1)
    assert np.array_equal(both(forgetful.sample(generator(1), 40)), both(reference))


def test_attribute_tasks_are_two_way_and_need_full_sides():
    pools = attribute_pools(ATTRIBUTES, 8)
    with pytest.raises(EpisodeError, match="two classes"):
        AttributeSampler(ATTRIBUTES, pools, 5, 1, 5)
    with pytest.raises(EpisodeError, match="on both sides"):
        AttributeSampler(ATTRIBUTES, pools, 2, 300, 5)
    with pytest.raises(EpisodeError) as error:
        AttributeSampler(ATTRIBUTES, attribute_pools(ATTRIBUTES, 301), 2, 1, 5)
    assert error.value.got == "no pool"


def test_labels_are_served_by_data_set():
    labels = np.repeat(np.arange(5), 6)
    classes = labeled_sampler("omniglot", labels, 5, 1, 5, 3)
    task = both(classes.sample(generator(), 1))[0]
    assert sorted(labels[task[:, 0]]) == [0, 1, 2, 3, 4]
    faces = labeled_sampler("celeba", ATTRIBUTES, 2, 5, 5, 3)
    expected = AttributeSampler(ATTRIBUTES, attribute_pools(ATTRIBUTES, 10), 2, 5, 5)
    assert np.array_equal(both(faces.sample(generator(), 9)), both(expected.sample(generator(), 9)))


def test_the_number_of_pool_attributes_counts():
    attributes = np.array([[0, 0]] * 3 + [[1, 0]] * 3, np.uint8)
    task = both(labeled_sampler("celeba", attributes, 2, 1, 2, 1).sample(generator(), 1))[0]
    assert {tuple(sorted(row)) for row in task} == {(0, 1, 2), (3, 4, 5)}


def test_stored_partitions_are_served(tmp_path):
    labels = np.repeat([0, 1, 2, -1], 6)
    write_partitions(
        tmp_path,
        [Partition(labels)],
        count=1,
        images=24,
        clusters=3,
        header={"kind": "kmeans"},
        report=lambda _: None,
    )
    stored = load_sampler(tmp_path, 3, 1, 5).sample(generator(), 10)
    direct = PartitionSampler(labels[None], 3, 1, 5).sample(generator(), 10)
    assert np.array_equal(both(stored), both(direct))
    with pytest.raises(EpisodeError):
        load_sampler(tmp_path, 4, 1, 5)


def test_stored_pools_are_served_from_the_attributes(tmp_path):
    write_json(tmp_path / "summary.json", {"kind": "pools", "pool_attributes": 3})
    stored = load_sampler(tmp_path, 2, 1, 5, ATTRIBUTES).sample(generator(), 10)
    direct = labeled_sampler("celeba", ATTRIBUTES, 2, 1, 5, 3)
    assert np.array_equal(both(stored), both(direct.sample(generator(), 10)))
    with pytest.raises(EpisodeError, match="attributes of the images"):
        load_sampler(tmp_path, 2, 1, 5)


def test_a_folder_without_summary_is_refused(tmp_path):
    with pytest.raises(DataError):
        load_sampler(tmp_path, 2, 1, 5)


def test_partitions_other_than_expected_are_refused(tmp_path):
    labels = np.repeat(np.arange(4), 6)
    header = {"kind": "kmeans", "source": "acai", "images": 24, "seed": 0}
    write_partitions(
        tmp_path, [Partition(labels)], count=1, images=24, clusters=4, header=header,
        report=lambda _: None,
    )  # fmt: skip
    load_sampler(tmp_path, 2, 1, 2, source="acai", images=24, seed=0)
    for expected in ({"source": "bigan"}, {"images": 25}, {"seed": 1}, {"learner": "maml"}):
        with pytest.raises(DataError, match="something else"):
            load_sampler(tmp_path, 2, 1, 2, **expected)
