"""What the text says of the accuracies: nothing is the best that tests do not separate."""

from typing import Any

import pandas as pd
import pytest

from cactus.config.printed.titles import UNTITLED
from cactus.manuscript.findings import Finding, findings, verdicts_in_words

PAIRS = (
    *("dataset", "way", "shot", "source", "method", "other_source", "other_method", "p_holm"),
    "difference",
)


def rows(*found: tuple[str, str, float], **columns: Any) -> pd.DataFrame:
    """Return rows of results, each of a source, a method and a mean, with intervals of ±0.01."""
    place = {"dataset": "omniglot", "way": 5, "shot": 1, "ci95": 0.01, "paper_status": ""}
    place |= {"synthetic": False, **columns}
    return pd.DataFrame([{**place, "source": s, "method": m, "mean": v} for s, m, v in found])


def only(frame: pd.DataFrame, *tests: tuple[Any, ...]) -> Finding:
    (found,) = findings(frame, pd.DataFrame(list(tests), columns=list(PAIRS)), UNTITLED)
    return found


def test_a_single_method_is_not_compared_with_others():
    found = only(rows(("acai", "knn", 0.5), ("scratch", "scratch", 0.3)))
    assert (found.method, found.alone, found.close) == ("kNN (ACAI)", True, "")
    assert (found.scratch, found.scratch_close) == ("omniglot/scratch/scratch/5w1s", False)


@pytest.mark.parametrize(("mean", "close"), [(0.514, "kNN (ACAI)"), (0.515, "")])
def test_without_a_test_the_interval_of_the_difference_decides(mean: float, close: str):
    found = only(rows(("acai", "knn", 0.5), ("bigan", "linear", mean)))
    assert (found.method, found.alone) == ("linear classifier (BiGAN)", False)
    assert found.close == close
    assert (found.close_fact, found.close_count) == (
        "close/omniglot/5w1s",
        "1 method" if close else "",
    )


@pytest.mark.parametrize(("p_value", "close"), [(0.049, ""), (0.05, "kNN (ACAI)")])
def test_a_paired_test_decides_in_either_order(p_value: float, close: str):
    frame = rows(("acai", "knn", 0.5), ("acai", "cactus-maml", 0.6), ("labels", "oracle-maml", 1))
    cells = ("acai", "cactus-maml"), ("acai", "knn")
    for first, other, difference in ((*cells, 0.1), (*cells[::-1], -0.1)):
        found = only(frame, ("omniglot", 5, 1, *first, *other, p_value, difference))
        assert (found.method, found.close) == ("CACTUs-MAML (ACAI)", close)
    assert found.oracle == "omniglot/labels/oracle-maml/5w1s"


def test_a_test_on_fewer_seeds_that_favors_the_lower_mean_separates_nothing():
    frame = rows(("acai", "knn", 0.6), ("acai", "cactus-maml", 0.5))
    cells = ("acai", "cactus-maml"), ("acai", "knn")
    for first, other, difference in ((*cells, 0.1), (*cells[::-1], -0.1)):
        found = only(frame, ("omniglot", 5, 1, *first, *other, 0.001, difference))
        assert (found.method, found.close) == ("kNN (ACAI)", "CACTUs-MAML (ACAI)")


@pytest.mark.parametrize(("mean", "close"), [(0.7387, False), (0.705, True), (0.6, False)])
def test_training_from_scratch_may_be_above_the_highest(mean: float, close: bool):
    found = only(rows(("bigan", "knn", 0.7), ("scratch", "scratch", mean)))
    assert (found.method, found.scratch_close) == ("kNN (BiGAN)", close)


def test_more_than_three_are_counted_and_scratch_and_oracles_are_not_among_them():
    names = ("knn", "linear", "mlp", "cluster_matching", "cactus-maml")
    frame = rows(*(("acai", name, 0.5) for name in names), ("scratch", "scratch", 0.495))
    found = only(frame)
    assert (found.close, found.close_count) == ("", "4 methods")
    assert found.scratch_close


def test_a_setting_in_which_all_rows_use_labels_has_none():
    assert findings(rows(("labels", "oracle-maml", 0.9)), pd.DataFrame(), UNTITLED) == []


def test_verdicts_are_told_in_words():
    frame = pd.DataFrame(
        {
            "verdict": ["compared", "not at hand", "compared", "not in the paper"],
            "split": "test",
            "synthetic": True,
        }
    )
    assert verdicts_in_words(frame) == (
        "beside a published number, but not judged, because the data are synthetic: 2; "
        "published number not at hand: 1; no published number: 1"
    )
    frame["synthetic"] = False
    assert "because the published ones are recalled and not verified: 2" in verdicts_in_words(frame)
    frame.loc[0, "split"] = "val"
    assert (
        "because ours are not on the test split or the published ones are recalled and not "
        "verified: 2" in verdicts_in_words(frame)
    )
    frame["split"] = "val"
    assert "because ours are not on the test split: 2" in verdicts_in_words(frame)


@pytest.mark.parametrize(("synthetic", "published"), [(False, "published"), (True, "")])
def test_the_text_sets_no_published_number_beside_one_of_synthetic_data(synthetic, published):
    frame = rows(("acai", "knn", 0.5), paper_status="verified", synthetic=synthetic)
    assert only(frame).published == published
