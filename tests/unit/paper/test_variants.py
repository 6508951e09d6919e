"""Variants and ways of task sources in the table of results, the tables and the figures."""

import json
import re
import shutil
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from cactus.config.sections.outputs import OutputSettings
from cactus.errors import DataError
from cactus.paper.draw.registry import draw
from cactus.paper.results import averaged_over_seeds, read_results, rows_of_tables
from cactus.paper.summary import format_summary
from cactus.paper.tables.registry import write_table
from cactus.provenance.audit.reading.paper_numbers import published_key, read_paper_numbers
from cactus.provenance.audit.reading.tex import numbers_in_table
from tests.unit.paper.conftest import Run, make_run
from tests.unit.paper.fake_run import FakeRun

CONTROLS = ("random", "random+5-way", "pixels+20-way", "acai+k-50", "acai+p-1", "acai+k-5",
            "acai+5-way")  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("runs") / "variants"
    return make_run(FakeRun(folder, datasets=("omniglot",), controls=CONTROLS, synthetic=()))


@pytest.fixture
def table(run: Run, tmp_path: Path) -> Path:
    path = tmp_path / "omniglot.tex"
    write_table("accuracies", run.results, "omniglot", path, 2, "run")
    return path


def _entries(table: Path) -> dict[tuple[str, str], dict]:
    cells = json.loads(table.with_name(table.name + ".map.json").read_text())["cells"]
    return {(entry["row"], entry["column"]): entry for entry in cells}


def test_each_source_is_a_row_and_variants_are_in_numeric_order(table: Path):
    rows = list(dict.fromkeys(row.split(", CACTUs")[0] for row, _ in _entries(table)))
    assert [row for row in rows if "kNN" not in row and "," in row][-3:] == [
        "ACAI, k = 5", "ACAI, k = 50", "ACAI, P = 1",
    ]  # fmt: skip
    assert rows.index("Pixels, 20-way") == rows.index("Random assignment") + 1
    assert "Random assignment, 5-way" not in rows


def test_a_row_has_the_models_of_each_settings_own_way(run: Run, table: Path):
    entries = _entries(table)
    results = averaged_over_seeds(read_results(run.results)).set_index(["source", "way", "shot"])
    for way, shot, source in ((5, 1, "random+5-way"), (5, 5, "random+5-way"), (20, 1, "random")):
        ours = entries["Random assignment, CACTUs-MAML", f"{way}-way {shot}-shot, ours"]
        assert ours["results_row"]["source"] == source
        mean = 100 * results.loc[(source, way, shot), "mean"]
        assert ours["printed"].startswith(f"{round(mean, 9):.2f}")
    paper = entries["Random assignment, CACTUs-MAML", "5-way 5-shot, paper"]
    assert paper["printed"] == "25.74"
    assert entries["Random assignment, CACTUs-MAML", "20-way 1-shot, paper"]["printed"] == "6.51"
    assert "Random assignment: the numbers for 5-way tasks are of models that" in table.read_text()


def test_only_models_of_random_assignment_take_the_place_of_others(table: Path):
    entries = _entries(table)
    usual = entries["ACAI, CACTUs-MAML", "5-way 1-shot, ours"]
    assert usual["results_row"]["source"] == "acai"
    assert entries["ACAI, CACTUs-MAML", "5-way 1-shot, paper"]["printed"] == "68.84 ± 0.80"
    own = entries["ACAI, 5-way, CACTUs-MAML", "5-way 1-shot, ours"]
    assert own["results_row"]["source"] == "acai+5-way"
    assert ("ACAI, 5-way, CACTUs-MAML", "20-way 1-shot, ours") not in entries
    assert "ACAI, 5-way: the numbers for 5-way tasks are of models that" in table.read_text()


def test_models_of_the_originals_way_are_compared_with_the_paper(run: Run):
    rows = averaged_over_seeds(read_results(run.results))
    rows = rows[rows["learner"] == "maml"].set_index(["source", "way", "shot"])
    audited = read_paper_numbers(Path(__file__).parents[3])
    in_paper = {
        ("acai", 5, 1): True, ("acai+5-way", 5, 1): False,
        ("random", 5, 5): False, ("random+5-way", 5, 5): True, ("random", 20, 1): True,
        ("pixels+20-way", 20, 1): True,
    }  # fmt: skip
    for key, wanted in in_paper.items():
        assert rows.loc[key, "in_paper"] == wanted, key
        row = {**rows.loc[key], **dict(zip(("source", "way", "shot"), key, strict=True))}
        assert (published_key(row) in audited) == wanted, key


def test_the_verdicts_that_are_shown_are_counted_and_no_others(run: Run, tmp_path: Path):
    path = tmp_path / "verdicts.tex"
    write_table("verdicts", run.results, "omniglot", path, 2, "run")
    shown = [one["printed"] for one in _entries(path).values() if one["columns"] == ["verdict"]]
    rows = rows_of_tables(read_results(run.results))
    assert len(averaged_over_seeds(read_results(run.results))) == len(rows) + 2
    counted = Counter(rows["verdict"])
    assert {*(counted - Counter(shown))} == {"not in the paper"}
    assert not Counter(shown) - counted
    (line,) = re.findall(
        r"Verdicts on (\d+) numbers:\} (.*?)\.", " ".join(path.read_text().split())
    )
    assert line[0] == str(len(rows))
    summary = format_summary(read_results(run.results)).splitlines()[-1]
    for text in (line[1], summary.removeprefix("Against the paper: ")):
        counts = dict(one.split(" ", 1)[::-1] for one in text.replace(" only", "").split(", "))
        assert counts == {name: str(count) for name, count in counted.items()}


def test_settings_without_a_model_are_empty_and_the_text_fits_the_map(table: Path):
    entries = _entries(table)
    for side in ("ours", "paper"):
        assert ("Pixels, 20-way, CACTUs-MAML", f"5-way 1-shot, {side}") not in entries
    assert entries["Pixels, 20-way, CACTUs-MAML", "20-way 1-shot, ours"]["printed"]
    shown = [cell for row in numbers_in_table(table) for cell in row]
    assert shown == [entry["printed"] for entry in entries.values()]


def test_other_gaps_are_still_refused(run: Run, tmp_path: Path):
    results = pd.read_csv(run.results)
    gap = (results["source"] == "acai+k-50") & (results["way"] == 20) & (results["shot"] == 5)
    results[~gap].to_csv(tmp_path / "results.csv", index=False)
    shutil.copy(run.folder / "tables/paired_tests.csv", tmp_path)
    with pytest.raises(DataError, match="no result for a setting"):
        write_table(
            "accuracies", tmp_path / "results.csv", "omniglot", tmp_path / "t.tex", 2, "run"
        )


@pytest.mark.parametrize("figure", ["accuracy_grid", "tasks", "training_curves"])
def test_figures_show_variants(run: Run, tmp_path: Path, figure: str):
    dataset = None if figure == "accuracy_grid" else "omniglot"
    draw(figure, run.folder, tmp_path / figure, OutputSettings(dpi=40), dataset)
    assert (tmp_path / f"{figure}.pdf").stat().st_size > 1000


def _summary(folder: Path, source: str, seed: int, margin: float, asked: float = 0.6) -> Path:
    path = folder / f"{source}-{seed}.json"
    values = {"source": source, "learner": "maml", "margin": margin, "margin_asked": asked}
    path.write_text(json.dumps(values))
    return path


def test_a_note_names_margins_that_were_lowered(run: Run, tmp_path: Path):
    summaries = [
        _summary(tmp_path, "hyperplanes-acai", 0, 0.54),
        _summary(tmp_path, "hyperplanes-acai", 1, 0.48),
        _summary(tmp_path, "hyperplanes-bigan", 0, 0.6),
        _summary(tmp_path, "hyperplanes-acai+margin-1.2", 0, 0.12, asked=1.2),
    ]
    path = tmp_path / "omniglot.tex"
    write_table("accuracies", run.results, "omniglot", path, 2, "run", hyperplanes=summaries)
    text = " ".join(path.read_text().split())
    assert (
        "Hyperplanes (ACAI), MAML: too few hyperplanes keep a margin of 0.6; the widest that do "
        "keep 0.48 and 0.54."
    ) in text
    assert "Hyperplanes (ACAI), margin 1.2, MAML: too few" in text
    assert "BiGAN" not in text
    write_table("accuracies", run.results, "omniglot", path, 2, "run", hyperplanes=summaries[2:3])
    assert "too few hyperplanes" not in path.read_text()
