"""Each of our numbers gets the verdict that its definition gives."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cactus.config.printed.titles import UNTITLED
from cactus.paper.results import averaged_over_seeds, read_results
from cactus.paper.verdicts import VERDICTS, resting_on_recalled, verdict_counts, with_verdicts
from cactus.provenance.audit.comparisons import against_paper
from cactus.provenance.digest.page import _accuracies
from tests.unit.paper.conftest import Run

NAN = float("nan")


def judged(**values: object) -> dict[str, object]:
    row = {
        "mean": 0.7, "ci95": 0.03, "paper_mean": 0.7, "paper_ci95": 0.04,
        "paper_status": "verified", "paper_ci95_status": "verified", "synthetic": False,
        "split": "test",
    } | values  # fmt: skip
    return with_verdicts(pd.DataFrame([row])).iloc[0].to_dict()


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ({"mean": 0.749}, "reproduced"),  # 0.049 of 0.05, although outside of each interval alone
        ({"mean": 0.751}, "above"),
        ({"mean": 0.651}, "reproduced"),
        ({"mean": 0.649}, "below"),
        ({"mean": 0.5, "ci95": 0.0, "paper_mean": 0.5, "paper_ci95": 0.0}, "reproduced"),
        ({"mean": 0.735, "paper_ci95": NAN}, "above"),  # ours alone
        ({"mean": 0.725, "paper_ci95": NAN}, "reproduced"),
        ({"paper_status": "recalled"}, "compared"),
        ({"mean": 0.9, "paper_status": "recalled"}, "compared"),
        ({"mean": 0.9, "synthetic": True}, "compared"),
        ({"split": "val"}, "compared"),
        ({"mean": 0.9, "split": "val"}, "compared"),
        ({"split": "val", "paper_status": "unavailable", "paper_mean": NAN}, "not at hand"),
        ({"paper_status": "unavailable", "paper_mean": NAN, "paper_ci95": NAN}, "not at hand"),
        (
            {"synthetic": True, "paper_status": "unavailable", "paper_mean": NAN},
            "not at hand",
        ),
        ({"paper_status": NAN, "paper_mean": NAN, "paper_ci95": NAN}, "not in the paper"),
    ],
)
def test_each_verdict(values: dict[str, object], verdict: str):
    row = judged(**values)
    assert row["verdict"] == verdict
    assert math.isnan(row["difference"]) == math.isnan(row["difference_ci95"])
    assert math.isnan(row["difference"]) == verdict.startswith("not")


def test_the_interval_covers_the_difference_of_two_samples_in_19_of_20_cases():
    rng = np.random.default_rng(0)
    ours, theirs = rng.beta(8, 2, (2000, 400)), rng.beta(4, 1, (2000, 100))  # the same mean

    def half(samples: np.ndarray) -> np.ndarray:
        return 1.96 * samples.std(axis=1) / math.sqrt(samples.shape[1])

    rows = pd.DataFrame(
        {"mean": ours.mean(1), "ci95": half(ours), "paper_mean": theirs.mean(1),
         "paper_ci95": half(theirs), "paper_status": "verified", "synthetic": False,
         "split": "test"}
    )  # fmt: skip
    share = (with_verdicts(rows)["verdict"] == "reproduced").mean()
    assert share == pytest.approx(0.95, abs=0.015)


_UNIT = st.floats(0, 1)


@given(
    _UNIT, _UNIT, _UNIT, _UNIT, st.sampled_from(["verified", "recalled"]), st.booleans(),
    st.sampled_from(["test", "val"]),
)  # fmt: skip
def test_the_audit_comes_to_the_same_verdict(
    mean: float,
    half: float,
    theirs: float,
    their_half: float,
    status: str,
    synthetic: bool,
    split: str,
):
    published = {"accuracy": repr(100 * theirs), "ci95": repr(100 * their_half)}
    published |= {"accuracy_status": status}
    found = against_paper({"mean": mean, "ci95": half}, published, synthetic, split)
    row = judged(
        mean=mean, ci95=half, paper_mean=theirs, paper_ci95=their_half, paper_status=status,
        synthetic=synthetic, split=split,
    )  # fmt: skip
    assert found["difference"] == pytest.approx(row["difference"], abs=1e-12)
    assert found["difference_ci95"] == pytest.approx(row["difference_ci95"], abs=1e-12)
    on_the_edge = abs(abs(row["difference"]) - row["difference_ci95"]) < 1e-12
    assert found["verdict"] == row["verdict"] or on_the_edge


def test_verdicts_are_counted_in_their_order():
    rows = pd.DataFrame({"verdict": ["above", "compared", "reproduced", "above", "not at hand"]})
    assert verdict_counts(rows) == "1 reproduced, 2 above, 1 compared only, 1 not at hand"
    assert verdict_counts(rows[:0]) == ""


def test_numbers_that_rest_on_a_recalled_interval_are_counted():
    rows = [
        judged(mean=0.72, paper_ci95_status="recalled"),  # within ours alone
        judged(mean=0.74, paper_ci95_status="recalled"),
        judged(mean=0.74),
        judged(mean=0.8, paper_ci95_status="recalled"),  # above in any case
    ]
    assert resting_on_recalled(pd.DataFrame(rows)) == 1


def test_the_results_have_a_verdict_in_every_row(seeds_run: Run):
    results = read_results(seeds_run.results)
    assert set(results["verdict"]) <= set(VERDICTS)
    averaged = averaged_over_seeds(results)
    assert {"not in the paper", "not at hand", "compared"} <= set(averaged["verdict"])
    judged_rows = averaged["verdict"].isin(["reproduced", "above", "below"])
    assert set(averaged[judged_rows]["dataset"]) == {"omniglot"}  # the other one is synthetic
    assert (averaged[judged_rows]["paper_status"] == "verified").all()
    wanted = averaged["mean"] - averaged["paper_mean"]
    assert averaged["difference"].to_numpy() == pytest.approx(wanted.to_numpy(), nan_ok=True)


def test_the_page_of_a_digest_counts_the_verdicts_that_it_shows(seeds_run: Run):
    lines = list(_accuracies(seeds_run.results, UNTITLED))
    averaged = averaged_over_seeds(read_results(seeds_run.results))
    for dataset, rows in averaged.groupby("dataset", sort=False):
        start = next(n for n, line in enumerate(lines) if UNTITLED.dataset(str(dataset)) in line)
        page = "\n".join(lines[start : lines.index("", start + 4)])
        counts = rows["verdict"].value_counts()
        for verdict in {*counts.index} - {"not in the paper", "compared"}:
            assert f"{counts[verdict]} {verdict}" in page
            assert page.count(f" {verdict} |") == counts[verdict]
