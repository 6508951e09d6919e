"""The tables of verdicts and of paired tests."""

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cactus.config.printed.titles import UNTITLED
from cactus.paper.paired import PAIRED_FILE, read_paired
from cactus.paper.results import averaged_over_seeds, read_results
from cactus.paper.summary import format_summary
from cactus.paper.tables.registry import write_table
from cactus.provenance.audit.reading.tex import numbers_in_table
from tests.unit.paper.conftest import Run, make_run
from tests.unit.paper.fake_run import FakeRun

SCHEDULE = [
    ("embedding-acai", "iterations", 20_000, 262_144),
    ("learner-maml", "training images", "augmented", "unchanged"),
    ("embedding-my_own", "epochs", 1, 2),
]


def table(run: Run, kind: str, folder: Path, dataset: str = "omniglot") -> str:
    path = folder / f"{kind}.tex"
    write_table(kind, run.results, dataset, path, 2, "run", SCHEDULE)
    return path.read_text()


def entries(folder: Path, kind: str) -> list[dict[str, Any]]:
    return json.loads((folder / f"{kind}.tex.map.json").read_text())["cells"]


def averaged(run: Run) -> pd.DataFrame:
    results = averaged_over_seeds(read_results(run.results))
    return results[results["dataset"] == "omniglot"]


@pytest.mark.parametrize("kind", ["verdicts", "tests"])
def test_the_audit_reads_what_the_map_says(seeds_run: Run, tmp_path: Path, kind: str):
    table(seeds_run, kind, tmp_path)
    shown = [cell for row in numbers_in_table(tmp_path / f"{kind}.tex") for cell in row]
    assert shown == [entry["printed"] for entry in entries(tmp_path, kind)]
    assert sum(map(bool, shown)) > 40


def test_every_number_has_difference_verdict_and_spread(seeds_run: Run, tmp_path: Path):
    table(seeds_run, "verdicts", tmp_path)
    by_side: dict[str, dict[tuple[str, int, int], str]] = {}
    for entry in entries(tmp_path, "verdicts"):
        row, side = entry["results_row"], entry["column"].split(", ")[1]
        key = f"{row['source']} {row['method']}", row["way"], row["shot"]
        by_side.setdefault(side, {})[key] = entry["printed"]
    rows = averaged(seeds_run)
    known = rows.groupby(["source", "method"])["difference"].transform("count") > 0
    rows = rows[known]
    assert {side: len(found) for side, found in by_side.items()} == dict.fromkeys(
        ("difference", "verdict", "seed spread"), len(rows)
    )
    for row in rows.itertuples():
        key = f"{row.source} {row.method}", row.way, row.shot
        assert by_side["verdict"][key] == row.verdict
        assert by_side["seed spread"][key] == f"{round(100 * row.seed_std, 9):.2f}"
        wanted = (
            f"{round(100 * row.difference, 9):+.2f} ± {round(100 * row.difference_ci95, 9):.2f}"
        )
        assert by_side["difference"][key] == (wanted if row.difference == row.difference else "")


def test_rows_without_a_number_of_the_paper_are_named_instead(seeds_run: Run, tmp_path: Path):
    text = " ".join(table(seeds_run, "verdicts", tmp_path).split())
    rows = averaged(seeds_run)
    empty = rows.groupby(["source", "method"])["difference"].count() == 0
    assert {*empty[empty].index} == {
        ("acai+p-1", "cactus-protonets"),
        ("pixels", "cactus-protonets"),
    }
    assert (
        "Left out, because not run by the paper, as far as its sources show: Pixels, "
        "CACTUs-ProtoNets; ACAI, P = 1, CACTUs-ProtoNets." in text
    )


def without_numbers(run: Run, folder: Path, reason: str, way: int = 0) -> Run:
    """Copy results without the paper's numbers of Omniglot, of all ways or one."""
    tables = folder / "tables"
    tables.mkdir(parents=True)
    results = read_results(run.results)
    chosen = results["dataset"] == "omniglot"
    chosen &= (results["way"] == way) | (not way)
    status = "unavailable" if reason == "not at hand" else ""
    for column in ("paper_mean", "paper_ci95", "difference", "difference_ci95"):
        results.loc[chosen, column] = float("nan")
    results.loc[chosen, "verdict"] = reason
    results.loc[chosen, ["paper_status", "paper_ci95_status"]] = status
    results.loc[chosen, "in_paper"] = bool(status)
    results.to_csv(tables / "results.csv", index=False)
    (tables / PAIRED_FILE).write_bytes((run.folder / "tables" / PAIRED_FILE).read_bytes())
    return Run(folder, [])


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("not at hand", "The paper's numbers for this data set are not at hand."),
        ("not in the paper", "The paper has no numbers for this data set, as far as its sources"),
    ],
)
def test_a_table_without_any_number_of_the_paper_has_no_place_for_one(
    small_run: Run, tmp_path: Path, reason: str, said: str
):
    run = without_numbers(small_run, tmp_path / "run", reason)
    text = table(run, "accuracies", tmp_path)
    assert said in text
    assert r"Embedding & Method & \multicolumn{1}{c}{5-way 1-shot} &" in text
    assert "of the paper" not in re.search(r"\\caption\{.*", text)[0]
    assert not any("paper" in entry["column"] for entry in entries(tmp_path, "accuracies"))
    text = table(run, "verdicts", tmp_path)
    assert "There is no number of the paper to compare with." in text
    assert said in text
    assert entries(tmp_path, "verdicts") == list(numbers_in_table(tmp_path / "verdicts.tex")) == []


def test_a_setting_without_any_number_of_the_paper_has_no_column_for_one(
    small_run: Run, tmp_path: Path
):
    run = without_numbers(small_run, tmp_path / "run", "not at hand", way=20)
    said = "The paper's numbers for 20-way 1-shot, 20-way 5-shot are not at hand."
    for kind, side in (("accuracies", "paper"), ("verdicts", "difference")):
        assert said in table(run, kind, tmp_path)
        columns = {entry["column"] for entry in entries(tmp_path, kind)}
        assert {one for one in columns if one.endswith(side)} == {
            f"5-way 1-shot, {side}", f"5-way 5-shot, {side}"
        }  # fmt: skip
        shown = [cell for row in numbers_in_table(tmp_path / f"{kind}.tex") for cell in row]
        assert shown == [entry["printed"] for entry in entries(tmp_path, kind)]
    assert "20-way 1-shot, ours" in {one["column"] for one in entries(tmp_path, "accuracies")}


def test_a_single_seed_has_no_spread(small_run: Run, tmp_path: Path):
    text = table(small_run, "verdicts", tmp_path)
    assert "seeds}" not in text
    assert not any("seed" in entry["column"] for entry in entries(tmp_path, "verdicts"))


def test_notes_count_and_define_the_verdicts_in_use(seeds_run: Run, tmp_path: Path):
    text = table(seeds_run, "verdicts", tmp_path)
    counts = averaged(seeds_run)["verdict"].value_counts()
    (line,) = re.findall(r"Verdicts on (\d+) numbers:\} (.*)\.", text)
    assert line[0] == str(counts.sum())
    for verdict, count in counts.items():
        assert f"{count} {verdict}" in line[1]
        assert rf"\emph{{{verdict}}}: " in text
    assert ("reproduced" in counts) == (r"\emph{reproduced}" in text)
    assert "because the paper's mean is recalled" in text
    assert "because our data is synthetic" in table(seeds_run, "verdicts", tmp_path, "celeba")


def test_numbers_of_the_validation_split_are_named_and_not_judged(tmp_path: Path):
    fake = FakeRun(tmp_path / "val", datasets=("mnist", "omniglot"), synthetic=())
    run = make_run(fake, {"mnist": "test", "omniglot": "val"})
    rows = averaged_over_seeds(read_results(run.results))
    found = rows.groupby("dataset")["verdict"].agg(set).to_dict()
    assert found == {"mnist": {"not at hand"}, "omniglot": {"compared"}}
    assert rows[rows["dataset"] == "omniglot"]["difference"].notna().all()
    for kind in ("accuracies", "verdicts", "tests"):
        text = " ".join(table(run, kind, tmp_path).split())
        assert r"\textbf{[validation split, not the test split]}" in text
        assert ("Ours are accuracies on the validation split" in text) == (kind != "tests")
        assert ("The accuracies are on these tasks, too." in text) == (kind == "accuracies")
        assert "validation split" not in table(run, kind, tmp_path, "mnist")
    assert "because ours is not on the test split" in table(run, "verdicts", tmp_path)
    assert "(validation split" in format_summary(read_results(run.results)).splitlines()[0]


def test_marks_say_whose_interval_is_uncertain(seeds_run: Run, tmp_path: Path):
    table(seeds_run, "verdicts", tmp_path)
    marks = {
        entry["mark"]: entry["results_row"]["source"] for entry in entries(tmp_path, "verdicts")
    }
    assert {"", "a", "b", "c"} == set(marks)
    assert marks["c"] in ("acai+p-1", "pixels")  # verified means without an interval


@pytest.mark.parametrize("kind", ["accuracies", "verdicts"])
def test_a_schedule_that_departs_from_the_default_is_named(
    seeds_run: Run, tmp_path: Path, kind: str
):
    text = table(seeds_run, kind, tmp_path)
    departures = (
        "ACAI: iterations 20,000 (262,144); MAML: training images augmented (unchanged); "
        "my\\_own: epochs 1 (2)."
    )
    assert departures in " ".join(text.split())
    path = tmp_path / "usual.tex"
    write_table(kind, seeds_run.results, "omniglot", path, 2, "run")
    assert "depart" not in path.read_text()


def test_stars_mark_the_significant_pairs(seeds_run: Run, tmp_path: Path):
    text = table(seeds_run, "tests", tmp_path)
    paired = read_paired(seeds_run.folder / "tables" / PAIRED_FILE)
    paired = paired[paired["dataset"] == "omniglot"]
    wanted = set()
    for row in paired.itertuples():
        star = " *" if row.p_holm < 0.05 else ""
        number = f"{round(100 * row.difference, 9):+.2f} ± {round(100 * row.ci95, 9):.2f}{star}"
        cell = f"{UNTITLED.source(row.source)}, {UNTITLED.method(row.method)}"
        base = row.method == row.other_method
        other = "Base" if base else UNTITLED.method(row.other_method)
        column = f"{row.way}-way {row.shot}-shot, minus {other}"
        wanted.add((cell, column, number))
    found = {
        (one["row"], one["column"], one["printed"])
        for one in entries(tmp_path, "tests")
        if one["printed"]
    }
    assert found == wanted
    stars = sum(number.endswith("*") for _, _, number in wanted)
    assert 0 < stars < len(wanted)
    assert text.count(r"\rlap{$^{*}$}") == stars
    assert f"the {len(paired) // 4} pairs of a setting" in text


def test_ablations_are_a_float_of_their_own(seeds_run: Run, tmp_path: Path):
    text = table(seeds_run, "tests", tmp_path)
    first, second = text.split(r"\begin{table")[1:]
    assert re.findall(r"\\label\{(.*?)\}", text) == [
        "tab:run-omniglot-tests",
        "tab:run-omniglot-tests-ablations",
    ]
    assert "Omniglot, variants, ablations and controls: few-shot" in second
    assert all(("P = 1" in part, "Pixels" in part) == (part == second,) * 2
               for part in (first, second))  # fmt: skip
    heads = [re.search(r"\\toprule\n(.*) \\\\", part)[1] for part in (first, second)]
    assert ["{kNN}" in head for head in heads] == [True, False]
    assert ["{Base}" in head for head in heads] == [False, True]


def test_a_run_without_pairs_has_a_table_that_says_so(small_run: Run, tmp_path: Path):
    tables = tmp_path / "tables"
    tables.mkdir()
    results = read_results(small_run.results)
    results[results["method"] == "knn"].to_csv(tables / "results.csv", index=False)
    head = (small_run.folder / "tables" / PAIRED_FILE).read_text().splitlines()[0]
    (tables / PAIRED_FILE).write_text(head + "\n")
    run = Run(tmp_path, [])
    assert "There is no pair of methods to compare." in table(run, "tests", tmp_path)
    assert entries(tmp_path, "tests") == []
    assert list(numbers_in_table(tmp_path / "tests.tex")) == []
