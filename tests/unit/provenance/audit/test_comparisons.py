"""The audit's own Student's t and Holm's correction against SciPy and ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cactus.evaluate.comparison import holm
from cactus.provenance.audit.comparisons import _quantile, _within, against_paper, stepped_down


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 5, 10, 99, 100, 999, 1000])
def test_student_t_is_that_of_scipy(freedom: int):
    assert _quantile(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=1e-12)
    for t in (0.0, 0.1, 1.0, 2.5, 8.0, 1e6):
        wanted = 1 - 2 * stats.t.sf(t, freedom)
        assert _within(t, freedom) == pytest.approx(wanted, abs=1e-13)


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_is_ours(p_values: list[float]):
    keys = [((str(index),), ("",)) for index in range(len(p_values))]
    found = stepped_down(dict(zip(keys, p_values, strict=True)))
    assert [found[key] for key in keys] == pytest.approx(holm(p_values))


def test_cells_without_a_number_at_hand_have_no_difference():
    ours = {"mean": 0.5, "ci95": 0.1}
    nothing = {"difference": None, "difference_ci95": None}
    assert against_paper(ours, None, False, "test") == {**nothing, "verdict": "not in the paper"}
    published = {"accuracy": "", "ci95": "", "accuracy_status": "unavailable"}
    assert against_paper(ours, published, False, "test") == {**nothing, "verdict": "not at hand"}
