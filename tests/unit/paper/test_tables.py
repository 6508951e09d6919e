import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from cactus.config.printed.titles import UNTITLED
from cactus.config.sections.outputs import OutputSettings
from cactus.errors import DataError
from cactus.paper.draw.registry import draw
from cactus.paper.results import averaged_over_seeds, read_results
from cactus.paper.tables.registry import write_table
from tests.unit.paper.conftest import Run

PM = r" \pm "
BOLD = r"\bfseries "
Rows = dict[tuple[str, str], list[str]]


def _table(run_results: Path, dataset: str, folder: Path, decimals: int = 2) -> str:
    path = folder / f"{dataset}.tex"
    write_table("accuracies", run_results, dataset, path, decimals, "run")
    return path.read_text()


def _rows(text: str) -> Rows:
    """Return the cells of each row by its source and method titles."""
    rows: Rows = {}
    source = ""
    body = text[text.index(r"\midrule") : text.index(r"\bottomrule")]
    for line in body.splitlines():
        if line.endswith(r"\\"):
            first, method, *cells = (cell.strip() for cell in line[:-2].split("&"))
            source = first or source
            rows[source, method] = cells
    return rows


def _records(results: Path, dataset: str) -> list[dict[str, object]]:
    frame = averaged_over_seeds(read_results(results))
    return frame[frame["dataset"] == dataset].to_dict("records")


@pytest.mark.parametrize(("dataset", "decimals"), [("omniglot", 2), ("omniglot", 1), ("celeba", 2)])
def test_our_numbers_are_those_of_the_results(
    seeds_run: Run, tmp_path: Path, dataset: str, decimals: int
):
    text = _table(seeds_run.results, dataset, tmp_path, decimals)
    rows = _rows(text)
    records = _records(seeds_run.results, dataset)
    settings = sorted({(row["way"], row["shot"]) for row in records})
    assert sum(len(cells) for cells in rows.values()) == 3 * len(records)
    for row in records:
        cells = rows[UNTITLED.source(row["source"]), UNTITLED.method(row["method"])]
        place = 3 * settings.index((row["way"], row["shot"]))
        _, ours, seeds = cells[place : place + 3]
        mean, half, spread = (
            f"{round(100 * row[one], 9):.{decimals}f}" for one in ("mean", "ci95", "seed_std")
        )
        assert ours.removeprefix(BOLD) == f"{mean}{PM}{half}"
        assert seeds == spread


def test_rows_are_in_order_with_oracles_below_a_rule(seeds_run: Run, tmp_path: Path):
    text = _table(seeds_run.results, "omniglot", tmp_path)
    assert list(_rows(text)) == [
        ("None", "Training from scratch"),
        ("ACAI", "kNN"),
        ("ACAI", "Linear classifier"),
        ("ACAI", "MLP with dropout"),
        ("ACAI", "Cluster matching"),
        ("ACAI", "CACTUs-MAML"),
        ("ACAI", "CACTUs-ProtoNets"),
        ("Pixels", "CACTUs-MAML"),
        ("Pixels", "CACTUs-ProtoNets"),
        ("ACAI, P = 1", "CACTUs-MAML"),
        ("ACAI, P = 1", "CACTUs-ProtoNets"),
        ("True labels", "Oracle-MAML"),
        ("True labels", "Oracle-ProtoNets"),
    ]
    below = text[text.rindex(r"\midrule") :]
    assert "Oracle-MAML" in below
    assert "CACTUs-" not in below


def _bold(text: str, column: int, width: int = 2) -> set[tuple[str, str]]:
    return {key for key, cells in _rows(text).items() if BOLD in cells[width * column + 1]}


def test_what_is_not_separated_from_the_best_without_labels_is_bold(seeds_run: Run, tmp_path: Path):
    text = _table(seeds_run.results, "omniglot", tmp_path)
    paired = pd.read_csv(seeds_run.folder / "tables/paired_tests.csv", keep_default_na=False)
    records = _records(seeds_run.results, "omniglot")
    sizes = []
    for column, setting in enumerate([(5, 1), (5, 5), (20, 1), (20, 5)]):
        here = [row for row in records if (row["way"], row["shot"]) == setting]
        assert max(here, key=lambda row: row["mean"])["source"] == "labels"
        unlabeled = [row for row in here if row["source"] != "labels"]
        best = max(unlabeled, key=lambda row: row["mean"])
        tested = {}
        for test in paired[(paired["way"] == setting[0]) & (paired["shot"] == setting[1])].to_dict(
            "records"
        ):
            pair = [(test["source"], test["method"]), (test["other_source"], test["other_method"])]
            tested[frozenset(pair)] = test["p_holm"]
        wanted = set()
        for row in unlabeled:
            pair = frozenset((one["source"], one["method"]) for one in (row, best))
            half = (row["ci95"] ** 2 + best["ci95"] ** 2) ** 0.5
            together = (
                tested[pair] >= 0.05 if pair in tested else best["mean"] - row["mean"] <= half
            )
            if together:
                wanted.add((UNTITLED.source(row["source"]), UNTITLED.method(row["method"])))
        assert _bold(text, column, width=3) == wanted
        sizes.append(len(wanted))
    assert max(sizes) < len(unlabeled)


def _edited(results: Path, folder: Path, method: str, **values: object) -> Path:
    """Write the results with other values in the 5-way 1-shot row of a method on ACAI."""
    frame = pd.read_csv(results, dtype=str, keep_default_na=False)
    chosen = (frame["method"] == method) & (frame["source"] == "acai")
    chosen &= (frame["way"] == "5") & (frame["shot"] == "1")
    for column, value in values.items():
        frame.loc[chosen, column] = str(value)
    frame.to_csv(folder / "edited.csv", index=False)
    if results.parent != folder:
        shutil.copy(results.with_name("paired_tests.csv"), folder)
    return folder / "edited.csv"


MLP, LINEAR = ("ACAI", "MLP with dropout"), ("ACAI", "Linear classifier")


@pytest.mark.parametrize(
    ("mean", "half", "together"),
    [(0.9, 0.001, True), (0.88, 0.02, True), (0.88, 0.001, False)],
)
def test_without_a_paired_test_the_interval_of_the_difference_decides(
    small_run: Run, tmp_path: Path, mean: float, half: float, together: bool
):
    one = _edited(small_run.results, tmp_path, "mlp", mean=0.9, ci95=half)
    both = _edited(one, tmp_path, "linear", mean=mean, ci95=half)
    bold = _bold(_table(both, "omniglot", tmp_path), 0)
    assert bold & {MLP, LINEAR} == ({MLP, LINEAR} if together else {MLP})


@pytest.mark.parametrize(("p_value", "together"), [(0.2, True), (0.01, False)])
def test_a_paired_test_goes_before_the_intervals(
    small_run: Run, tmp_path: Path, p_value: float, together: bool
):
    one = _edited(small_run.results, tmp_path, "mlp", mean=0.9, ci95=0.001)
    both = _edited(one, tmp_path, "cactus-maml", mean=0.8 if together else 0.8999, ci95=0.001)
    path = tmp_path / "paired_tests.csv"
    paired = pd.read_csv(path, dtype=str, keep_default_na=False)
    chosen = (paired["other_method"] == "mlp") & (paired["way"] == "5") & (paired["shot"] == "1")
    assert chosen.sum() == 1
    paired.loc[chosen, ["p_holm", "difference"]] = str(p_value), "-0.1"
    paired.to_csv(path, index=False)
    cactus = ("ACAI", "CACTUs-MAML")
    assert _bold(_table(both, "omniglot", tmp_path), 0) == ({MLP, cactus} if together else {MLP})


def test_the_papers_numbers_are_next_to_ours_with_marks(seeds_run: Run, tmp_path: Path):
    rows = _rows(_table(seeds_run.results, "omniglot", tmp_path))
    assert rows["ACAI", "CACTUs-MAML"][0] == f"68.84{PM}0.80"
    recalled = r" {\rlap{$^{\mathrm{%s}}$}}"
    assert rows["ACAI", "kNN"][0] == f"57.46{PM}1.35" + recalled % "a"
    ablation = rows["ACAI, P = 1", "CACTUs-MAML"]
    assert ablation[0] == "66.49" + recalled % "b"
    assert ablation[3] == "85.60"
    not_run, not_at_hand = r"{$\dagger$}", r"{$\ddagger$}"
    assert rows["Pixels", "CACTUs-MAML"][9] == not_at_hand
    assert rows["Pixels", "CACTUs-ProtoNets"][0] == not_run


def test_only_marks_in_use_are_explained(small_run: Run, seeds_run: Run, tmp_path: Path):
    few = _table(small_run.results, "omniglot", tmp_path)
    assert "interval recalled" in few
    assert not any(text in few for text in ("not run by the paper", "not at hand", "ProtoNets are"))
    many = _table(seeds_run.results, "omniglot", tmp_path)
    for text in ("not run by the paper", "not at hand", "if there is one, recalled"):
        assert many.count(text) == 1


def test_notes_say_how_the_numbers_were_computed(small_run: Run, seeds_run: Run, tmp_path: Path):
    one, three = (_table(run.results, "omniglot", tmp_path) for run in (small_run, seeds_run))
    assert "mean over 40 tasks" in one
    assert "One training seed." in one
    assert "3 training seeds" in three
    assert "(transductive)" in one
    assert "running statistics" in three
    assert r"1.96\,\sigma/\sqrt{n}" in one
    assert r"\emph{seeds}: standard deviation" in three
    assert r"\emph{seeds}" not in one
    assert "seeds_1" not in re.sub(r"\\label\{.*?\}", "", three)
    chosen = (
        "Chosen by the accuracy on validation tasks, for each embedding, way and shot: $k$ of "
        "kNN, $C$ of the linear classifier (500 tasks); width of the MLP, dropout of the MLP (100 "
        "tasks)."
    )
    assert chosen in " ".join(three.split())


def test_a_table_without_a_choice_says_nothing_about_one(tmp_path: Path, seeds_run: Run):
    results = read_results(seeds_run.results)
    path = tmp_path / "results.csv"
    results[~results["method"].isin(["knn", "linear", "mlp"])].to_csv(path, index=False)
    shutil.copy(seeds_run.folder / "tables/paired_tests.csv", tmp_path)
    assert "Chosen by" not in _table(path, "omniglot", tmp_path)


def test_only_tables_of_sample_data_say_so(seeds_run: Run, tmp_path: Path):
    banner = "synthetic data, not the real data set"
    assert banner in _table(seeds_run.results, "celeba", tmp_path)
    assert banner not in _table(seeds_run.results, "omniglot", tmp_path)


def test_the_map_leads_every_number_to_its_result(seeds_run: Run, tmp_path: Path):
    text = _table(seeds_run.results, "omniglot", tmp_path)
    content = json.loads((tmp_path / "omniglot.tex.map.json").read_text())
    assert (content["table"], content["results"]) == ("omniglot.tex", "results.csv")
    results = read_results(seeds_run.results)
    for entry in content["cells"]:
        chosen = pd.Series(True, index=results.index)
        for name, value in entry["results_row"].items():
            chosen &= results[name] == value
        assert chosen.sum() == 1
        row = results[chosen].iloc[0]
        values = [
            f"{round(entry['scale'] * row[c], 9):.{entry['decimals']}f}" for c in entry["columns"]
        ]
        if entry["printed"]:
            assert entry["printed"] == " ± ".join(values)
        else:
            assert entry["mark"] in (r"$\dagger$", r"$\ddagger$")
    body = text[text.index(r"\midrule") : text.index(r"\bottomrule")]
    numbers = re.findall(r"(?<![\d.])\d+\.\d\d(?!\d)", body)
    assert sorted(numbers) == sorted(
        number for entry in content["cells"] for number in entry["printed"].split(" ± ") if number
    )


def test_a_data_set_without_results_is_named(small_run: Run, tmp_path: Path):
    with pytest.raises(DataError) as caught:
        _table(small_run.results, "mnist", tmp_path)
    assert "mnist" in caught.value.got
    assert not list(tmp_path.iterdir())


def test_a_missing_setting_is_named(small_run: Run, tmp_path: Path):
    frame = read_results(small_run.results)
    gap = (frame["method"] == "mlp") & (frame["way"] == 20) & (frame["shot"] == 1)
    frame[~gap].to_csv(tmp_path / "gap.csv", index=False)
    shutil.copy(small_run.folder / "tables/paired_tests.csv", tmp_path)
    with pytest.raises(DataError) as caught:
        _table(tmp_path / "gap.csv", "omniglot", tmp_path)
    assert (caught.value.where, caught.value.got) == ("acai, mlp", "no result for 20-way 1-shot")


_SCRIPT = """
import sys
from pathlib import Path
from cactus.config.sections.outputs import OutputSettings
from cactus.paper import aggregate
from cactus.paper.figures import shots, tasks, training_curves
from cactus.paper.draw.registry import draw
from cactus.paper.tables.registry import write_table
run, output = Path(sys.argv[1]), Path(sys.argv[2])
write_table("accuracies", run / "tables/results.csv", "omniglot", output / "omniglot.tex", 2, "run")
draw("accuracy_grid", run, output / "figure", OutputSettings())
assert "torch" not in sys.modules  # importing it would cost every small job seconds
"""


@pytest.mark.slow
def test_another_process_writes_the_same_bytes(seeds_run: Run, tmp_path: Path):
    _table(seeds_run.results, "omniglot", tmp_path / "here")
    draw("accuracy_grid", seeds_run.folder, tmp_path / "here" / "figure", OutputSettings())
    environment = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", _SCRIPT, str(seeds_run.folder), str(tmp_path / "there")]
    subprocess.run(command, env=environment, check=True)
    here, there = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}
        for name in ("here", "there")
    )
    assert sorted(here) == [
        "figure.map.json",
        "figure.pdf",
        "figure.png",
        "omniglot.tex",
        "omniglot.tex.map.json",
    ]
    assert here == there
