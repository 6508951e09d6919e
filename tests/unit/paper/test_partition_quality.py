"""The table of the partitions' quality: its rows, and their LaTeX."""

import csv
import json
import math
import re
import shutil
import statistics
from pathlib import Path

import pandas as pd
import pytest

from cactus.errors import DataError
from cactus.evaluate.partition_quality import MEASURES
from cactus.paper.partition_quality import (
    QUALITY_COLUMNS,
    aggregate_quality,
    read_quality_table,
)
from cactus.paper.tables.registry import write_table
from cactus.provenance.audit.printed import map_entries
from cactus.provenance.audit.reading.tex import numbers_in_table
from tests.unit.paper.conftest import Run

CELL = ["omniglot", "acai", "maml"]


def values_of(run: Run, cell: list[str], seed: str, measure: str) -> list[float]:
    """Read the values of the partitions without the package."""
    with (run.folder / "quality" / "/".join(cell) / f"s{seed}/quality.csv").open() as file:
        return [float(row[measure]) for row in csv.DictReader(file)]


def test_rows_average_over_partitions_and_then_seeds(seeds_run: Run):
    table = read_quality_table(seeds_run.quality)
    assert list(table.columns) == QUALITY_COLUMNS
    # Omniglot alone: CelebA has no classes. Four sources, two learners; three seeds and all.
    assert len(table) == 4 * 2 * (3 + 1) * len(MEASURES)
    assert set(table["dataset"]) == {"omniglot"}
    assert set(table["run"]) == {"seeds_1"}
    for _, row in table.iterrows():
        cell = [row["dataset"], row["source"], row["learner"]]
        seeds = ["0", "2", "10"] if row["seed"] == "all" else [row["seed"]]
        series = [values_of(seeds_run, cell, seed, row["measure"]) for seed in seeds]
        averaged = [math.fsum(values) / len(values) for values in zip(*series, strict=True)]
        assert row["partitions"] == len(averaged)
        mean, std = statistics.fmean(averaged), statistics.pstdev(averaged)
        assert row["mean"] == pytest.approx(mean, rel=1e-12)
        assert row["std"] == pytest.approx(std, abs=1e-12)
        assert row["ci95"] == pytest.approx(1.96 * std / math.sqrt(len(averaged)), abs=1e-12)
        means = [statistics.fmean(values) for values in series]
        spread = statistics.stdev(means) if len(means) > 1 else math.nan
        assert row["seed_std"] == pytest.approx(spread, abs=1e-9, nan_ok=True)


def test_rows_are_in_print_order(seeds_run: Run):
    table = read_quality_table(seeds_run.quality)
    assert list(dict.fromkeys(table["source"])) == ["acai", "pixels", "acai+p-1", "labels"]
    here = table[(table["source"] == "acai") & (table["learner"] == "maml")]
    assert list(dict.fromkeys(here["seed"])) == ["0", "2", "10", "all"]
    assert list(here["measure"])[: len(MEASURES)] == list(MEASURES)


def test_a_run_without_measured_partitions_has_an_empty_table(tmp_path: Path):
    aggregate_quality(tmp_path, "run", [], tmp_path / "quality.csv")
    assert read_quality_table(tmp_path / "quality.csv").empty


def test_seeds_with_other_numbers_of_partitions_are_named(seeds_run: Run, tmp_path: Path):
    names = [f"quality/omniglot/acai/maml/s{seed}" for seed in (0, 2)]
    for name in names:
        (tmp_path / name).mkdir(parents=True)
        text = (seeds_run.folder / name / "quality.csv").read_text()
        (tmp_path / name / "quality.csv").write_text(text)
    path = tmp_path / names[1] / "quality.csv"
    path.write_text("\n".join(path.read_text().splitlines()[:-1]) + "\n")
    with pytest.raises(DataError, match="different numbers") as caught:
        aggregate_quality(tmp_path, "run", names, tmp_path / "out.csv")
    assert caught.value.got == "s0: 3, s2: 2"


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "x" * 10])
def test_a_damaged_table_is_refused(tmp_path: Path, text: str):
    (tmp_path / "quality.csv").write_text(text)
    with pytest.raises(DataError, match="cannot be read"):
        read_quality_table(tmp_path / "quality.csv")


def latex(run: Run, folder: Path, decimals: int = 2, results: Path | None = None) -> Path:
    path = folder / "partition_quality.tex"
    write_table("partition_quality", results or run.results, None, path, decimals, run.folder.name)
    return path


def test_each_printed_number_is_that_of_its_row(grid_run: Run, tmp_path: Path):
    path = latex(grid_run, tmp_path)
    shown = [cell for row in numbers_in_table(path) for cell in row]
    entries = map_entries(Path(f"{path}.map.json"))
    assert shown == [entry["printed"] for entry in entries]
    table = read_quality_table(grid_run.quality)
    assert len(shown) == 3 * 2 * 9 * 13  # data sets, learners, sources, columns
    keys = ["run", "dataset", "source", "learner", "seed", "measure"]
    for entry in entries:
        row = table.loc[(table[keys] == [entry["results_row"][key] for key in keys]).all(axis=1)]
        (column,) = entry["columns"]
        value = entry["scale"] * row[column].item()
        assert float(entry["printed"]) == pytest.approx(value, abs=0.051)


def test_rows_are_headed_by_their_data_set(grid_run: Run, seeds_run: Run, tmp_path: Path):
    text = latex(grid_run, tmp_path).read_text()
    heads = re.findall(r"\\multicolumn\{15\}\{l\}\{\\textbf\{(.*)\}\}", text)
    note = "synthetic data, not the real data set"
    assert heads == [f"{name} [{note}]" for name in ("MNIST", "Omniglot", "miniImageNet")]
    assert r"ACAI & MAML & 3 & 12.0 & " in text
    text = latex(seeds_run, tmp_path).read_text()
    assert r"\textbf{Omniglot}} \\" in text
    assert r"\label{tab:seeds_1-partition_quality}" in text


def test_true_labels_are_perfect(grid_run: Run, tmp_path: Path):
    entries = map_entries(Path(f"{latex(grid_run, tmp_path)}.map.json"))
    oracle = [entry for entry in entries if entry["row"] == "Omniglot: True labels, MAML"]
    printed = {entry["column"]: entry["printed"] for entry in oracle}
    assert printed["purity found, ours"] == printed["ARI, ours"] == "100.00"
    assert printed["same class in tasks, ours"] == "100.00"


@pytest.mark.parametrize(
    ("value", "printed", "tex"),
    [(-0.0123, "-1.23", " -1.23 "), (-0.00001, "0.00", " 0.00 "), (0.5, "50.00", " 50.00 ")],
)
def test_numbers_below_zero_are_printed_and_read(
    small_run: Run, tmp_path: Path, value: float, printed: str, tex: str
):
    table = pd.read_csv(small_run.quality)
    table.loc[table["measure"] == "ari", "mean"] = value
    table.to_csv(tmp_path / small_run.quality.name, index=False)
    shutil.copy(small_run.results, tmp_path)
    path = latex(small_run, tmp_path, results=tmp_path / small_run.results.name)
    (numbers,) = numbers_in_table(path)
    entries = json.loads(Path(f"{path}.map.json").read_text())["cells"]
    index = [entry["column"] for entry in entries].index("ARI, ours")
    assert numbers[index] == entries[index]["printed"] == printed
    assert tex in path.read_text()
