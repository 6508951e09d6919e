"""The figure of confused classes: which cell it shows, its numbers, and its pairs."""

import csv
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox

from cactus.data.arrays import load_images, load_labels
from cactus.errors import DataError
from cactus.evaluate.confusion import COLUMNS
from cactus.paper.drawing.contrast import contrast
from cactus.paper.figures import confusion
from cactus.paper.figures.inputs import FigureInputs
from tests.unit.paper.conftest import Run, make_run
from tests.unit.paper.fake_run import FakeRun
from tests.unit.paper.figures.drawing import drawn_figure, figure_inputs

Counts = dict[tuple[str, str], tuple[int, int]]


def counts(run: Run, cell: str) -> Counts:
    with (run.folder / f"evaluations/{cell}/confusion.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        (row["class"], row["predicted"]): (int(row["predictions"]), int(row["queries"]))
        for row in rows
    }


def note(figure: Figure) -> str:
    return figure.legends[0].get_title().get_text().replace("\n", " ")


def best(run: Run, dataset: str, setting: tuple[int, int], seed: str) -> Any:
    """Return the best row on an embedding by the table of results."""
    rows = pd.read_csv(run.results, dtype={"seed": str}, keep_default_na=False)
    rows = rows[(rows["dataset"] == dataset) & (rows["seed"] == seed)]
    rows = rows[(rows["way"] == setting[0]) & (rows["shot"] == setting[1])]
    rows = rows[rows["method"].str.startswith("cactus-") & rows["source"].str.contains("acai")]
    return rows.loc[rows["mean"].astype(float).idxmax()]


def test_the_best_cell_of_the_first_seed_is_shown(seeds_run: Run):
    row = best(seeds_run, "omniglot", (5, 1), "0")
    assert note(drawn_figure(seeds_run, "confusion", "omniglot")).endswith("seed 0: 5-way 1-shot")
    (entry, *_) = entries = confusion.numbers(figure_inputs(seeds_run, "omniglot"))
    shown = {(one["results_row"]["source"], one["results_row"]["learner"]) for one in entries}
    assert shown == {(row["source"], row["learner"])}
    assert entry["results_row"]["seed"] == "0"


def test_the_caption_says_on_how_many_queries_the_entries_rest(seeds_run: Run):
    row = best(seeds_run, "omniglot", (5, 1), "0")
    cell = f"omniglot/{row['source']}/{row['learner']}/s0"
    queries = sorted({queries for _, queries in counts(seeds_run, cell).values()})
    assert len(queries) > 1
    told = confusion.caption(figure_inputs(seeds_run, "omniglot"))
    assert f"Each rests on {queries[0]} to {queries[-1]} queries." in told


def test_another_cell_is_shown_once_it_is_better(seeds_run: Run):
    inputs = figure_inputs(seeds_run, "omniglot")
    results = inputs.results.copy()
    own = (results["source"] == "acai+p-1") & (results["method"] == "cactus-protonets")
    here = own & (results["dataset"] == "omniglot") & (results["way"] == 5)
    results.loc[here & (results["shot"] == 1) & (results["seed"] == "0"), "mean"] = 0.999
    # Neither another setting or seed nor a cell without an embedding counts.
    results.loc[here & (results["shot"] == 5), "mean"] = 1.0
    results.loc[~own & (results["seed"] == "2"), "mean"] = 1.0
    results.loc[results["source"].isin(["pixels", "labels", "scratch"]), "mean"] = 1.0
    results.loc[results["learner"] == "", "mean"] = 1.0
    changed = FigureInputs(seeds_run.folder, results, inputs.settings, "omniglot")
    rows = [one["results_row"] for one in confusion.numbers(changed)]
    assert {(row["source"], row["learner"], row["seed"]) for row in rows} == {
        ("acai+p-1", "protonets", "0")
    }


def test_a_matrix_shows_the_percentages_of_the_file(grid_run: Run):
    figure = drawn_figure(grid_run, "confusion", "mnist")
    inputs = figure_inputs(grid_run, "mnist")
    entries = confusion.numbers(inputs)
    row = entries[0]["results_row"]
    own = counts(grid_run, f"mnist/{row['source']}/{row['learner']}/s0")
    axes = figure.axes[0]
    values = np.ma.getdata(axes.collections[0].get_array()).reshape(12, 12)
    for true in range(12):
        for predicted in range(12):
            found = own.get((str(true), str(predicted)))
            shown = values[true, predicted]
            expected = np.nan if found is None else 100 * found[0] / found[1]
            assert shown == pytest.approx(expected, nan_ok=True)
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == [str(label) for label in range(12)]
    assert labels == [label.get_text() for label in axes.get_xticklabels()]
    printed = {
        (one["results_row"]["true"], one["results_row"]["predicted"]): one["printed"]
        for one in entries
    }
    assert printed == {
        (int(true), int(predicted)): f"{100 * one / of:.0f}"
        for (true, predicted), (one, of) in own.items()
    }
    texts = {
        (int(text.get_position()[1]), int(text.get_position()[0])): text for text in axes.texts
    }
    assert {place: text.get_text() for place, text in texts.items()} == printed


def test_the_numbers_of_a_matrix_can_be_read(grid_run: Run):
    figure = drawn_figure(grid_run, "confusion", "mnist")
    mesh = figure.axes[0].collections[0]
    known = np.ma.compressed(mesh.get_array())
    assert (mesh.norm.vmin, mesh.norm.vmax) == pytest.approx((known.min(), known.max()), abs=1e-6)
    values = np.ma.getdata(mesh.get_array()).reshape(12, 12)
    figure.draw_without_rendering()
    side = figure.axes[0].get_window_extent().width / 12
    for text in figure.axes[0].texts:
        column, row = (int(one) for one in text.get_position())
        background = tuple(mesh.cmap(mesh.norm(values[row, column]))[:3])
        assert contrast(to_rgb(text.get_color()), background) >= 4.5
        assert text.get_fontsize() >= 7
        assert text.get_window_extent().width < side


def test_a_matrix_of_many_classes_has_colors_alone(matrix_run: Run):
    figure = drawn_figure(matrix_run, "confusion", "omniglot")
    assert len(figure.axes[0].get_yticklabels()) == 30
    assert not figure.axes[0].texts
    assert len(confusion.numbers(figure_inputs(matrix_run, "omniglot"))) > 300


def test_of_more_classes_the_most_confused_pairs_are_shown(pairs_run: Run):
    inputs = figure_inputs(pairs_run, "omniglot")
    entries = confusion.numbers(inputs)
    row = entries[0]["results_row"]
    own = counts(pairs_run, f"omniglot/{row['source']}/{row['learner']}/s0")
    apart = {pair: one for pair, one in own.items() if pair[0] != pair[1]}
    assert min(queries for _, queries in apart.values()) < 10  # which are left out
    met = {pair: one for pair, one in apart.items() if one[1] >= 10}
    pairs = [(str(one["results_row"]["true"]), str(one["results_row"]["predicted"]))
             for one in entries]  # fmt: skip
    assert len(pairs) == len(set(pairs)) == 12
    shares = {pair: one / of for pair, (one, of) in met.items()}
    assert [shares[pair] for pair in pairs] == sorted(shares.values(), reverse=True)[:12]
    pictures, bars = drawn_figure(pairs_run, "confusion", "omniglot").axes
    assert [bar.get_width() for bar in bars.patches] == [100 * shares[pair] for pair in pairs]
    texts = [f"{one} of {of}" for one, of in (met[pair] for pair in pairs)]
    assert [text.get_text() for text in bars.texts] == texts
    assert [entry["printed"] for entry in entries] == [f"{100 * shares[one]:.0f}" for one in pairs]
    names = {str(one): f"Early_Alphabet_of_the_North/character{one}" if one % 3 == 0 else str(one)
             for one in range(31)}  # fmt: skip
    assert [(one["row"], one["column"]) for one in entries] == [
        (f"class {names[true]}", f"predicted as {names[other]}") for true, other in pairs
    ]
    for label, (true, other) in zip(pictures.get_yticklabels(), pairs, strict=True):
        first, second = label.get_text().split("\n")
        assert first == names[true] or ("…" in first and first.endswith(f"character{true}"[-8:]))
        assert second.startswith("as ")
        assert second.endswith(other)


def test_an_image_of_each_class_is_beside_its_pair(pairs_run: Run):
    pictures, _ = drawn_figure(pairs_run, "confusion", "omniglot").axes
    folder = pairs_run.folder / "data/omniglot"
    images, labels = load_images(folder, "test"), load_labels(folder, "test")
    known = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}
    shown = {}
    for box in pictures.artists:
        assert isinstance(box, AnnotationBbox)
        picture = np.asarray(box.offsetbox.get_data())
        inner = np.ascontiguousarray(picture[4:-4, 4:-4, :1])
        shown[int(box.xy[1]), int(box.xy[0])] = known[inner.tobytes()]
    entries = confusion.numbers(figure_inputs(pairs_run, "omniglot"))
    rows = [one["results_row"] for one in entries]
    assert shown == {
        (place, column): row[key]
        for place, row in enumerate(rows)
        for column, key in enumerate(("true", "predicted"))
    }


def test_pairs_that_met_too_seldom_are_not_shown(tmp_path: Path):
    fake = FakeRun(tmp_path / "run", baselines=False, tasks=10, test_classes=600)
    run = make_run(fake)
    figure = drawn_figure(run, "confusion", "omniglot")
    assert "10 queries or more" in figure.axes[0].texts[0].get_text().replace("\n", " ")
    assert confusion.numbers(figure_inputs(run, "omniglot")) == []


@pytest.mark.parametrize("dataset", ["celeba", "omniglot"])
def test_evaluations_without_counts_show_nothing(seeds_run: Run, tmp_path: Path, dataset: str):
    shutil.copytree(seeds_run.folder, tmp_path / "run")
    run = Run(tmp_path / "run", seeds_run.cells)
    for path in run.folder.glob("evaluations/*/*/*/*/confusion.csv"):
        path.write_text(",".join(COLUMNS) + "\n")
    figure = drawn_figure(run, "confusion", dataset)
    assert figure.axes[0].texts[0].get_text().startswith("No CACTUs cell on classes")
    assert confusion.numbers(figure_inputs(run, dataset)) == []


def test_a_damaged_file_is_named(seeds_run: Run, tmp_path: Path):
    shutil.copytree(seeds_run.folder, tmp_path / "run")
    run = Run(tmp_path / "run", seeds_run.cells)
    path = run.folder / "evaluations/omniglot/acai/maml/s0/confusion.csv"
    path.unlink()
    with pytest.raises(DataError) as caught:
        confusion.draw(figure_inputs(run, "omniglot"))
    assert caught.value.where == str(path)
