from itertools import combinations, product

import numpy as np
import pytest

from cactus.errors import DataError
from cactus.tasks.attributes import attribute_pools


def brute_force(attributes, minimum, order):
    """List pools by comparing every row with every pattern."""
    pools = []
    for columns in combinations(range(attributes.shape[1]), order):
        for tail in product((0, 1), repeat=order - 1):
            values = np.array((0, *tail))
            rows = attributes[:, columns]
            same = int((rows == values).all(axis=1).sum())
            opposite = int((rows == 1 - values).all(axis=1).sum())
            if min(same, opposite) >= minimum:
                pools.append((columns, tuple(values), (same, opposite)))
    return sorted(pools)


def listed(pools):
    rows = zip(pools.attributes, pools.values, pools.sizes, strict=True)
    return sorted((tuple(a), tuple(v), tuple(s)) for a, v, s in rows)


def test_small_table_by_hand():
    # Patterns: 000 twice, 111 three times, 010 once, 101 four times. With 2 images a side only
    # {000, 111} is a pool; with 1 image also {010, 101}.
    attributes = np.array(
        [[0, 0, 0]] * 2 + [[1, 1, 1]] * 3 + [[0, 1, 0]] + [[1, 0, 1]] * 4, dtype=np.uint8
    )
    two = attribute_pools(attributes, 2)
    assert listed(two) == [((0, 1, 2), (0, 0, 0), (2, 3))]
    assert listed(attribute_pools(attributes, 1)) == [
        ((0, 1, 2), (0, 0, 0), (2, 3)),
        ((0, 1, 2), (0, 1, 0), (1, 4)),
    ]
    assert len(attribute_pools(attributes, 3)) == 0


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_same_as_brute_force(order):
    generator = np.random.default_rng(order)
    attributes = (generator.random((60, 6)) < generator.uniform(0.2, 0.8, 6)).astype(np.uint8)
    for minimum in (1, 3, 6):
        pools = attribute_pools(attributes, minimum, order)
        assert listed(pools) == brute_force(attributes, minimum, order)


@pytest.mark.parametrize(("columns", "most"), [(20, 4560), (10, 480)])
def test_at_most_the_pools_of_the_paper(columns, most):
    attributes = np.random.default_rng(0).integers(0, 2, (400, columns), dtype=np.uint8)
    assert len(attribute_pools(attributes, 6)) == most


def test_fewer_attributes_than_a_pool_needs_give_none():
    assert len(attribute_pools(np.ones((9, 2), np.uint8), 1)) == 0


@pytest.mark.parametrize(
    "table", [np.array([[1, -1], [1, 1]]), np.array([0, 1, 1]), np.full((2, 2), 7)]
)
def test_other_tables_are_refused(table):
    with pytest.raises(DataError, match="zeros and ones"):
        attribute_pools(table, 1)


def test_four_attributes_by_hand():
    # Eight faces; each line: the columns a pool leaves, and the patterns of its images in order.
    faces = np.array(
        [
            [0, 0, 0, 0],
            [0, 0, 0, 1],
            [0, 0, 1, 1],
            [1, 1, 0, 0],
            [1, 1, 1, 0],
            [1, 1, 1, 1],
            [0, 1, 0, 1],
            [1, 0, 1, 0],
        ],
        dtype=np.uint8,
    )
    # 012: 000 000 001 110 111 111 010 101 -> 000/111 2:2, 001/110 1:1, 010/101 1:1
    # 013: 000 001 001 110 110 111 011 100 -> 000/111 1:1, 001/110 2:2, 011/100 1:1
    # 023: 000 001 011 100 110 111 001 110 -> 000/111 1:1, 001/110 2:2, 011/100 1:1
    # 123: 000 001 011 100 110 111 101 010 -> 000/111 1:1, 001/110 1:1, 010/101 1:1, 011/100 1:1
    first, second, third, fourth = (0, 1, 2), (0, 1, 3), (0, 2, 3), (1, 2, 3)
    two = [
        (first, (0, 0, 0), (2, 2)),
        (second, (0, 0, 1), (2, 2)),
        (third, (0, 0, 1), (2, 2)),
    ]
    one = [
        (first, (0, 0, 1), (1, 1)),
        (first, (0, 1, 0), (1, 1)),
        (second, (0, 0, 0), (1, 1)),
        (second, (0, 1, 1), (1, 1)),
        (third, (0, 0, 0), (1, 1)),
        (third, (0, 1, 1), (1, 1)),
        *((fourth, (0, *tail), (1, 1)) for tail in product((0, 1), repeat=2)),
    ]
    assert listed(attribute_pools(faces, 2)) == two
    assert listed(attribute_pools(faces, 1)) == sorted(two + one)
