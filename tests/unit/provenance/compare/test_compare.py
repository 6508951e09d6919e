"""Which rows a comparison has, which of them it tests, and which runs it refuses."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from cactus.config.printed.titles import UNTITLED
from cactus.errors import RecordError
from cactus.paper import latex
from cactus.provenance.compare.figure import draw
from cactus.provenance.compare.rows import comparison_tests
from cactus.provenance.compare.runs import finished_runs, shared_datasets
from cactus.provenance.compare.table import as_latex, as_text, number_entries, sections
from cactus.provenance.compare.write import comparison_notes, titles_of
from tests.unit.paper.test_latex import pdflatex
from tests.unit.provenance.compare.made_up_runs import (
    TASKS,
    mean_of,
    named,
    pairs_of,
    record,
    rows_of,
    run,
)
from tests.unit.provenance.samples import SHA


def test_a_cell_of_several_runs_has_a_row_for_each():
    rows = rows_of(run("a", {"acai": 1}), run("b", {"acai": 2}))
    assert [(row.key.shot, row.runs) for row in rows] == [
        (1, ("a",)), (5, ("a",)), (1, ("b",)), (5, ("b",)),
    ]  # fmt: skip
    drawn = [np.random.default_rng([2, seed, 5]).integers(0, 26, TASKS) / 25 for seed in (0, 1)]
    mean = (drawn[0] + drawn[1]) / 2
    last = rows[-1].summary
    assert last.mean == pytest.approx(np.mean(mean))
    assert last.ci95 == pytest.approx(1.96 * np.std(mean) / np.sqrt(TASKS))


def test_runs_that_share_a_result_share_its_row():
    rows = rows_of(run("a", {"acai": 1}), run("b", {"acai": 1, "mine": 2}))
    assert [row.run for row in rows] == ["a = b", "a = b", "b", "b"]
    assert {(one.run, one.cell) for one in rows[0].origins} == {
        (name, f"omniglot/acai/maml/s{seed}") for name in "ab" for seed in (0, 1)
    }


def test_equal_numbers_of_different_jobs_are_not_shared():
    first, second = run("a", {"acai": 1}), run("b", {"acai": 1})
    second.__dict__["scores"] = [
        (score, record(made.job.cell, {"number": 3})) for score, made in second.scores
    ]
    assert [row.run for row in rows_of(first, second)] == ["a", "a", "b", "b"]


def test_the_same_cell_is_tested_in_all_pairs_of_runs_the_later_one_first():
    runs = [run(name, {"acai": number}) for number, name in enumerate("zab")]
    assert pairs_of(*runs) == named(
        ("acai a", "acai z"), ("acai b", "acai z"), ("acai b", "acai a")
    )  # fmt: skip


def test_what_a_run_has_itself_is_not_tested_across_runs():
    old, new = run("old", {"acai": 1, "bigan": 2}), run("new", {"acai": 3, "bigan": 4})
    assert pairs_of(old, new) == named(("acai new", "acai old"), ("bigan new", "bigan old"))


def test_an_embedding_of_one_run_is_tested_against_all_others():
    old, new = run("old", {"acai": 1, "bigan": 2}), run("new", {"acai": 1, "mine": 4})
    assert pairs_of(old, new) == named(
        ("mine new", "acai old = new"),
        ("mine new", "bigan old"),
        ("acai old = new", "bigan old"),  # which the new run lacks
    )


def test_the_tests_are_t_tests_with_holms_correction_within_a_setting():
    old, new = run("old", {"acai": 1}), run("new", {"acai": 3, "mine": 4})
    rows = rows_of(old, new)
    tests = comparison_tests(rows, ["old", "new"])
    for shot in (1, 5):
        family = [test for test in tests if test.first.key.shot == shot]
        assert len(family) == 2
        p_values = [
            stats.ttest_rel(mean_of(test.first), mean_of(test.other)).pvalue for test in family
        ]
        assert [test.result.p_value for test in family] == pytest.approx(p_values)
        low, high = sorted(p_values)
        right = {low: min(1, 2 * low), high: min(1, max(2 * low, high))}
        assert [test.p_holm for test in family] == pytest.approx([right[p] for p in p_values])


def test_only_seeds_that_both_runs_have_are_compared():
    one, three = run("one", {"acai": 1}, seeds=1), run("three", {"acai": 2}, seeds=3)
    rows = rows_of(one, three)
    tests = comparison_tests(rows, ["one", "three"])
    for test in tests:
        assert (test.first.run, [*test.first.by_seed]) == ("three", ["0", "1", "2"])
        difference = test.first.by_seed["0"] - test.other.by_seed["0"]
        assert test.result.difference == pytest.approx(difference.mean())
        assert [[one.cell for one in side] for side in test.origins] == [
            ["omniglot/acai/maml/s0"],
            ["omniglot/acai/maml/s0"],
        ]
    entries = [one for one in number_entries(rows, tests, 2, UNTITLED) if "minus" in one]
    assert [len(one["from"]) for one in entries] == [1, 1]


def test_runs_without_a_common_seed_are_compared_over_all_of_theirs():
    old, new = run("old", {"acai": 1}), run("new", {"acai": 2}, seeds=4)
    new.__dict__["scores"] = new.scores[4:]
    for test in comparison_tests(rows_of(old, new), ["old", "new"]):
        assert {*test.first.by_seed} == {"2", "3"}
        difference = mean_of(test.first) - mean_of(test.other)
        assert test.result.difference == pytest.approx(difference.mean())
        assert [len(side) for side in test.origins] == [2, 2]


def test_one_episode_is_not_tested():
    assert pairs_of(run("a", {"acai": 1}, tasks=1), run("b", {"acai": 2}, tasks=1)) == set()


def test_every_printed_number_has_its_files():
    runs = run("a", {"acai": 1}), run("b", {"acai": 2, "mine": 3})
    rows = rows_of(*runs)
    tests = comparison_tests(rows, "ab")
    found = sections(rows, tests, 2, UNTITLED)
    text = as_latex(found, "ab", ["a & b"])
    entries = list(number_entries(rows, tests, 2, UNTITLED))
    shown = [
        cell for one in found for line in (*one.rows, *one.tests) for cell in line.cells.values()
    ]
    assert sorted(cell.printed for cell in shown) == sorted(one["printed"] for one in entries)
    assert all(cell.latex in text for cell in shown)
    assert r"a \& b" in text
    printed = {cell for part in as_text(found) for line in part for cell in line}
    assert {cell.printed for cell in shown} <= printed
    for one in entries:
        assert all(origin["sha256"] == SHA for origin in one["from"])
        assert ("minus" in one) == (" minus " in one["row"])
    difference = next(one for one in entries if one["row"].endswith("(b) minus (a)"))
    assert {origin["run"] for origin in difference["from"]} == {"b"}
    assert {origin["run"] for origin in difference["minus"]} == {"a"}


def test_rows_have_the_titles_of_the_first_run_that_gives_some():
    def keys(**titles: str) -> dict[str, Any]:
        custom = {name: {"like": "acai", "title": title} for name, title in titles.items()}
        grid = {"datasets": ["omniglot"], "embeddings": ["acai", *titles]}
        return {"grid": grid, "embeddings": {"custom": custom}}

    runs = (
        run("a", {"mine": 1}, keys=keys(mine="[50%] & more_")),
        run("b", {"mine": 2, "other": 3}, keys=keys(mine="Another", other="Ünsal")),
    )
    rows, titles = rows_of(*runs), titles_of(runs)
    tests = comparison_tests(rows, "ab")
    found = sections(rows, tests, 2, titles)
    assert {line.titles[0] for one in found for line in one.rows} == {"[50%] & more_", "Ünsal"}
    named = {one["row"] for one in number_entries(rows, tests, 2, titles)}
    assert "[50%] & more_, CACTUs-MAML (b) minus (a)" in named
    text = as_latex(found, "ab", [])
    assert r"{}[50\%] \& more\_ & CACTUs-MAML & a" in text
    assert r"\caption{Few-shot accuracy" in text
    assert r"\caption{\textbf{[drawn 50\%]} Few-shot" in as_latex(found, "ab", [], "drawn 50%")
    assert "mine" not in text + str(named) + str(list(as_text(found)))
    labels = {label.get_text() for one in draw(rows, [], titles).axes
              for label in one.get_yticklabels()}  # fmt: skip
    assert "[50%] & more_, CACTUs-MAML" in labels


def test_runs_with_the_same_episodes_and_data_fit_together():
    other = run("b", {"mine": 1}, keys={"learners": {"maml": {"iterations": 7}}})
    assert shared_datasets([run("a", {"acai": 1}), other]) == ["omniglot"]


@pytest.mark.parametrize(
    ("changes", "got"),
    [
        ({"keys": {"evaluation": {"seed": 5}}}, "evaluation.seed: 0 and 5"),
        ({"keys": {"evaluation": {"split": "val"}}}, 'evaluation.split: "test" and "val"'),
        (
            {"keys": {"evaluation": {"per_dataset": {"omniglot": {"tasks": 7}}}}},
            "evaluation.tasks: 1000 and 7",
        ),
        ({"arrays": "1" * 64}, "data/omniglot/test_labels.npy: 000000000000 and 111111111111"),
        ({"episodes": "2" * 64}, "episodes of 5-way 1-shot: 25 with sha256 0000"),
        ({"tasks": 20}, "and 20 with sha256"),
    ],
)
def test_what_differs_is_named(changes: dict[str, Any], got: str):
    with pytest.raises(RecordError) as refused:
        shared_datasets([run("a", {"acai": 1}), run("b", {"acai": 1}, **changes)])
    assert got in refused.value.got
    assert refused.value.where == "omniglot: a and b"


def test_runs_without_a_shared_data_set_are_refused():
    other = run("b", {"acai": 1}, keys={"grid": {"datasets": ["mnist"]}})
    with pytest.raises(RecordError) as refused:
        shared_datasets([run("a", {"acai": 1}), other])
    assert refused.value.got == "a has omniglot; b has mnist"


def test_notes_name_what_a_reader_would_miss():
    grid = {"grid": {"datasets": ["omniglot", "mnist"]}}
    runs = run("a", {"acai": 1}, keys=grid), run("b", {"acai": 2}, seeds=1)
    runs[1].planner.waivers = ["a change"]
    assert [*comparison_notes(runs, ["omniglot"])] == [
        "The run a has the training seeds 0, 1.",
        "MNIST is in the run a alone, so it is left out.",
        "The run b has the training seeds 0.",
        "The run b has accepted changes, which its audit names.",
    ]
    runs = run("a", {"acai": 1}), run("b", {"acai": 2}, keys={"evaluation": {"split": "val"}})
    assert [*comparison_notes(runs, ["omniglot"])] == [
        "Omniglot, run b: validation split, not the test split."
    ]
    drawn = run("c", {"acai": 1}, keys={"synthetic_data": True})
    assert [*comparison_notes([drawn], ["omniglot"])] == ["Synthetic data, not the real data set."]


@pytest.mark.latex
def test_the_table_compiles(tmp_path: Path):
    runs = run("a_1", {"acai": 1}), run("b", {"acai": 2, "mine": 3})
    rows = rows_of(*runs)
    found = sections(rows, comparison_tests(rows, ["a_1", "b"]), 2, UNTITLED)
    (tmp_path / "comparison.tex").write_text(as_latex(found, ["a_1", "b"], ["50 % & more."]))
    (tmp_path / "all.tex").write_text(latex.document(["comparison"]))
    log = pdflatex(tmp_path, "all.tex")
    assert "Output written on all.pdf (1 page" in log
    assert "Overfull" not in log


@pytest.mark.parametrize("names", [["a"], ["a", "a"], ["x/a", "y/a"]])
def test_runs_need_names_of_their_own(names: list[str], tmp_path):
    planners: Any = [SimpleNamespace(run_folder=tmp_path / name) for name in names]
    with pytest.raises(RecordError, match="at least two runs"):
        finished_runs(planners)
