"""Methods are tested in pairs on shared episodes, averaged over seeds."""

from collections import Counter
from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cactus.errors import DataError
from cactus.paper.paired import COLUMNS, PAIRED_FILE, read_paired
from cactus.paper.paired_tests import paired_tests
from cactus.paper.scores import Score, ScoreKey, read_cell
from cactus.paper.vocabulary import method_name
from cactus.provenance.audit.comparisons import PairedTests
from tests.unit.paper.conftest import Run

CELLS = [
    ("scratch", "maml"), ("labels", "maml"), ("random", "maml"), ("acai+p-1", "maml"),
    ("acai", "maml"), ("acai", "protonets"), ("bigan", "maml"), ("acai", "knn"), ("bigan", "knn"),
]  # fmt: skip


def scores(tasks: int = 30, seeds: int = 1, settings: tuple[int, ...] = (1,)) -> list[Score]:
    rng = np.random.default_rng(5)
    found = []
    for (source, what), shot, seed in product(CELLS, settings, range(seeds)):
        learner = "" if what == "knn" else what
        method = method_name(source, learner) if learner else what
        key = ScoreKey("omniglot", source, method, learner, 5, shot)
        accuracies = rng.integers(0, 26, tasks) / 25
        found.append(Score(key, str(seed), "cell", accuracies, "sha"))
    return found


def pairs(frame: pd.DataFrame) -> list[tuple[str, ...]]:
    columns = ["source", "method", "other_source", "other_method"]
    return [tuple(row) for row in frame[columns].to_numpy()]


def test_cactus_cells_meet_scratch_their_baselines_and_the_other_learner():
    assert pairs(paired_tests(scores(), "run")) == [
        ("acai", "cactus-maml", "scratch", "scratch"),
        ("acai", "cactus-maml", "acai", "knn"),
        ("acai", "cactus-maml", "acai", "cactus-protonets"),
        ("acai", "cactus-protonets", "scratch", "scratch"),
        ("acai", "cactus-protonets", "acai", "knn"),
        ("bigan", "cactus-maml", "scratch", "scratch"),
        ("bigan", "cactus-maml", "bigan", "knn"),
        ("random", "cactus-maml", "scratch", "scratch"),
        ("acai+p-1", "cactus-maml", "scratch", "scratch"),
        ("acai+p-1", "cactus-maml", "acai", "cactus-maml"),
    ]


def test_a_custom_learner_meets_each_of_the_others_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(f"{__name__}.CELLS", [*CELLS, ("acai", "anil"), ("acai", "mine")])
    given = scores()
    found = paired_tests(given, "run")
    others = ["cactus-maml", "cactus-protonets", "cactus-anil", "cactus-mine"]
    on_acai = [(one, two) for source, one, _, two in pairs(found) if source == "acai"]
    tested = [pair for pair in on_acai if {*pair} <= {*others}]
    assert tested == list(combinations(others, 2))
    audit = PairedTests(
        {tuple(map(str, one.key)): {one.seed: one.accuracies.tolist()} for one in given}
    )
    assert list(audit.differences(found.astype(str).to_dict("records"), 1e-9)) == []


@pytest.mark.parametrize("seeds", [1, 3])
def test_numbers_are_those_of_the_t_test_on_averages_over_seeds(seeds: int):
    given = scores(seeds=seeds)
    row = paired_tests(given, "run").iloc[1]
    series = {
        method: np.mean(
            [s.accuracies for s in given if (s.key.source, s.key.method) == ("acai", method)], 0
        )
        for method in ("cactus-maml", "knn")
    }
    test = stats.ttest_rel(series["cactus-maml"], series["knn"])
    interval = test.confidence_interval()
    assert row["difference"] == pytest.approx((series["cactus-maml"] - series["knn"]).mean())
    assert row["ci95"] == pytest.approx((interval.high - interval.low) / 2)
    assert row["p_value"] == pytest.approx(test.pvalue)
    assert row["tasks"] == 30


def test_each_setting_is_a_family_of_its_own():
    frame = paired_tests(scores(settings=(1, 5)), "run")
    assert Counter(frame["shot"]) == {1: 10, 5: 10}
    for _, family in frame.groupby("shot"):
        smallest = family.loc[family["p_value"].idxmin()]
        assert smallest["p_holm"] == pytest.approx(min(1, 10 * smallest["p_value"]))
    alone = paired_tests(scores(settings=(1,)), "run")
    assert len(alone) == 10


def test_one_episode_and_a_grid_without_pairs_give_no_test():
    for given in (scores(tasks=1), [one for one in scores() if one.key.source == "labels"]):
        frame = paired_tests(given, "run")
        assert (len(frame), list(frame.columns)) == (0, COLUMNS)


@pytest.mark.parametrize(("tasks", "seeds"), [(2, 1), (3, 2), (30, 3), (101, 1)])
def test_the_audit_comes_to_the_same_tests(tasks: int, seeds: int):
    given = scores(tasks, seeds, (1, 5))
    frame = paired_tests(given, "run")
    series: dict[tuple[str, ...], dict[str, list[float]]] = {}
    for one in given:
        series.setdefault(tuple(map(str, one.key)), {})[one.seed] = one.accuracies.tolist()
    rows = [{name: str(value) for name, value in row.items()} for row in frame.to_dict("records")]
    audit = PairedTests(series)
    assert list(audit.differences(rows, 1e-9)) == []
    assert len(list(audit.differences(rows[1:], 1e-9))) == 1
    assert "twice" in next(audit.differences([rows[0], *rows], 1e-9))
    rows[0]["p_holm"] = "0.5" if float(rows[0]["p_holm"]) != 0.5 else "0.4"
    (found,) = audit.differences(rows, 1e-9)
    assert "p_holm" in found
    rows[0]["other_source"] = "labels"
    assert "not a pair to test" in next(audit.differences(rows, 1e-9))


def test_the_audit_survives_methods_with_different_episodes():
    cactus = ("omniglot", "acai", "cactus-maml", "maml", "5", "1")
    knn = ("omniglot", "acai", "knn", "", "5", "1")
    audit = PairedTests({cactus: {"0": [0.5, 0.6, 0.7]}, knn: {"0": [0.5, 0.6]}})
    assert list(audit.differences([], 1e-9)) == []


def test_the_file_reads_back(seeds_run: Run):
    frame = read_paired(seeds_run.folder / "tables" / PAIRED_FILE)
    given = [score for cell in seeds_run.cells for score in read_cell(seeds_run.folder, cell)]
    pd.testing.assert_frame_equal(frame, paired_tests(given, "seeds_1"), check_dtype=False)
    assert set(frame["other_learner"]) == {"", "maml", "protonets"}


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n"])
def test_a_damaged_file_is_named(tmp_path, text: str):
    (tmp_path / PAIRED_FILE).write_text(text)
    with pytest.raises(DataError) as caught:
        read_paired(tmp_path / PAIRED_FILE)
    assert PAIRED_FILE in caught.value.where
