import numpy as np
import pytest
from scipy import stats

from cactus.errors import DataError
from cactus.evaluate.comparison import compare_paired


def generator() -> np.random.Generator:
    return np.random.default_rng(7)


def test_interval_is_that_of_the_paired_t_test() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.random(200), rng.random(200)
    comparison = compare_paired(first, second, generator(), level=0.9)
    interval = stats.ttest_rel(first, second).confidence_interval(0.9)
    assert comparison.difference == pytest.approx((first - second).mean())
    assert comparison.low == pytest.approx(interval.low)
    assert comparison.high == pytest.approx(interval.high)


def test_p_value_of_few_episodes_is_exact() -> None:
    first, second = np.array([0.9, 0.8, 0.7, 0.9]), np.array([0.1, 0.2, 0.3, 0.4])
    # All differences are positive: of 2^4 sign patterns two are as extreme.
    assert compare_paired(first, second, generator()).p_value == pytest.approx(2 / 16)


def test_p_value_of_many_episodes_is_near_that_of_the_t_test() -> None:
    rng = np.random.default_rng(3)
    second = rng.random(300)
    first = second + rng.normal(0.01, 0.2, 300)
    expected = stats.ttest_rel(first, second).pvalue
    assert 0.01 < expected < 0.5
    assert compare_paired(first, second, generator()).p_value == pytest.approx(expected, abs=0.02)


def test_same_generator_same_result_and_swapped_methods_mirrored() -> None:
    rng = np.random.default_rng(1)
    first, second = rng.random(50), rng.random(50)
    one, other = (compare_paired(first, second, generator()) for _ in range(2))
    assert one == other
    mirrored = compare_paired(second, first, generator())
    assert (mirrored.low, mirrored.high) == pytest.approx((-one.high, -one.low))


def test_equal_methods_do_not_differ() -> None:
    values = np.random.default_rng(1).random(20)
    comparison = compare_paired(values, values, generator())
    assert (comparison.difference, comparison.low, comparison.high) == (0, 0, 0)
    assert comparison.p_value == 1


@pytest.mark.parametrize(("first", "second"), [(3, 4), (1, 1), (0, 0)])
def test_episodes_must_be_shared(first: int, second: int) -> None:
    with pytest.raises(DataError):
        compare_paired(np.full(first, 0.5), np.full(second, 0.5), generator())
