from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cactus.errors import DataError
from cactus.evaluate.comparison import compare_paired, holm


def test_interval_and_p_value_are_those_of_the_paired_t_test() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.random(200), rng.random(200)
    comparison = compare_paired(first, second, level=0.9)
    test = stats.ttest_rel(first, second)
    interval = test.confidence_interval(0.9)
    assert comparison.difference == pytest.approx((first - second).mean())
    assert (comparison.low, comparison.high) == pytest.approx((interval.low, interval.high))
    assert comparison.p_value == pytest.approx(test.pvalue)


def test_the_p_value_is_near_that_of_a_permutation_test() -> None:
    rng = np.random.default_rng(3)
    second = rng.random(300)
    first = second + rng.normal(0.01, 0.2, 300)
    permuted = stats.permutation_test(
        (first - second,), np.mean, permutation_type="samples", vectorized=True, rng=rng
    )
    assert 0.01 < permuted.pvalue < 0.5
    assert compare_paired(first, second).p_value == pytest.approx(permuted.pvalue, abs=0.02)


def test_swapped_methods_are_mirrored() -> None:
    rng = np.random.default_rng(1)
    first, second = rng.random(50), rng.random(50)
    one, mirrored = compare_paired(first, second), compare_paired(second, first)
    assert (mirrored.low, mirrored.high) == pytest.approx((-one.high, -one.low))
    assert mirrored.p_value == one.p_value


def test_equal_methods_do_not_differ() -> None:
    values = np.random.default_rng(1).random(20)
    comparison = compare_paired(values, values)
    assert (comparison.difference, comparison.low, comparison.high) == (0, 0, 0)
    assert comparison.p_value == 1


def test_the_same_difference_in_every_episode_is_certain() -> None:
    comparison = compare_paired(np.full(4, 0.75), np.full(4, 0.5))
    assert (comparison.low, comparison.high, comparison.p_value) == (0.25, 0.25, 0)


@pytest.mark.parametrize(("first", "second"), [(3, 4), (1, 1), (0, 0)])
def test_episodes_must_be_shared(first: int, second: int) -> None:
    with pytest.raises(DataError):
        compare_paired(np.full(first, 0.5), np.full(second, 0.5))


def test_holm_on_a_worked_example() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []
    assert holm([0.7, 0.9]) == [1, 1]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_holm_is_the_closure_of_bonferroni(p_values: list[float]) -> None:
    """A hypothesis is rejected if Bonferroni's test rejects every intersection that has it."""
    adjusted = holm(p_values)
    indices = range(len(p_values))
    for index in indices:
        subsets = [s for size in indices for s in combinations(indices, size + 1) if index in s]
        closed = max(min(1.0, min(len(s) * p_values[i] for i in s)) for s in subsets)
        assert adjusted[index] == pytest.approx(closed, abs=1e-12)
    assert all(a >= p for a, p in zip(adjusted, p_values, strict=True))
