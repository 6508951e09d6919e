"""The figure of accuracy against P, k and purity."""

import dataclasses
from collections import Counter
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from cactus.config.sections.outputs import OutputSettings
from cactus.files import write_json
from cactus.paper.figures.inputs import FigureInputs
from cactus.paper.figures.partitions import draw, numbers
from cactus.paper.partition_quality import QUALITY_COLUMNS
from cactus.paper.results import COLUMNS
from cactus.provenance.audit.printed import map_entries

BASE = dict.fromkeys(("acai", "bigan", "deepcluster", "infogan"), (100, 500))
VARIANTS = {
    **BASE,
    **{f"acai+p-{count}": (count, 500) for count in (1, 10, 50)},
    **{f"{name}+k-{k}": (100, k) for name in ("acai", "bigan") for k in (50, 1000)},
    "acai+small": (1, 50),
}


def inputs(
    folder: Path,
    sources: dict[str, tuple[int, ...]],
    *,
    missing: tuple[str, ...] = (),
    purity: bool = True,
) -> FigureInputs:
    """Return the inputs of a made-up run; `missing` sources have no MAML cell.

    Sources have P, k and, unless it is 0, the number of their other settings.
    """
    random, rows, quality = np.random.default_rng(0), [], []
    for source, learner in product((*sources, "labels", "random"), ("maml", "protonets")):
        if source in missing and learner == "maml":
            continue
        cell = {"run": "made-up", "dataset": "omniglot", "source": source, "learner": learner}
        for way, shot in ((20, 1), (5, 5), (5, 1)):
            setting = {"method": f"cactus-{learner}", "way": way, "shot": shot, "tasks": 10}
            row = {
                **cell,
                **setting,
                "mean": random.random(),
                "ci95": 0.01,
                "std": 0.1,
                "split": "test",
            }
            rows += [{**row, "seed": seed, "synthetic": False} for seed in ("0", "all")]
        if purity:
            row = {**cell, "measure": "purity", "mean": random.random(), "ci95": 0.02}
            quality += [{**row, "seed": seed} for seed in ("0", "all")]
    (folder / "tables").mkdir(parents=True)
    table = pd.DataFrame(quality, columns=QUALITY_COLUMNS)
    table.to_csv(folder / "tables/partition_quality.csv", index=False)
    results = pd.DataFrame(rows, columns=COLUMNS)
    numbered = {name: (*one, 0) if len(one) == 2 else one for name, one in sources.items()}
    return FigureInputs(folder, results, OutputSettings(), "omniglot", numbered)


def labels(figure: Figure) -> list[str]:
    return [axes.get_xlabel() for axes in figure.axes]


def test_each_panel_shows_the_cells_that_it_compares(tmp_path: Path):
    given = inputs(tmp_path, VARIANTS)
    figure = draw(given)
    assert labels(figure) == [
        "partitions P (k = 500)", "clusters k of a partition (P = 100)",
        "purity of the clusters [%]",
    ]  # fmt: skip
    ticks = [[tick.get_text() for tick in axes.get_xticklabels()] for axes in figure.axes[:2]]
    assert ticks == [["1", "10", "50", "100"], ["50", "500", "1000"]]
    points = [
        sum(len(bars.lines[0].get_xdata()) for bars in axes.containers) for axes in figure.axes
    ]
    assert points == [2 * 7, 2 * 8, 2 * 12]
    assert figure.axes[0].get_title(loc="left") == "5-way 1-shot"


def test_points_are_at_their_numbers_and_near_their_ticks(tmp_path: Path):
    given = inputs(tmp_path, VARIANTS)
    rows = given.averaged.query("way == 5 and shot == 1 and learner == 'maml'")
    accuracy = rows.set_index("source")["mean"]
    count, _, purity = draw(given).axes
    acai = next(bars for bars in count.containers if len(bars.lines[0].get_xdata()) == 4)
    wanted = [accuracy[name] for name in ("acai+p-1", "acai+p-10", "acai+p-50", "acai")]
    assert acai.lines[0].get_ydata() == pytest.approx([100 * value for value in wanted])
    assert [round(place) for place in acai.lines[0].get_xdata()] == [0, 1, 2, 3]
    table = pd.read_csv(tmp_path / "tables/partition_quality.csv").query("seed == 'all'")
    shown = {bars.lines[0].get_xdata()[0] for bars in purity.containers}
    assert sorted(shown) == pytest.approx(
        sorted(100 * table[table["source"].isin(VARIANTS)]["mean"])
    )
    assert all(bars.has_xerr and bars.has_yerr for bars in purity.containers)


def test_cells_at_one_place_lie_side_by_side(tmp_path: Path):
    count = draw(inputs(tmp_path, VARIANTS)).axes[0]
    places = [x for bars in count.containers for x in bars.lines[0].get_xdata() if x > 2.5]
    assert len(set(places)) == len(places) == 8
    assert all(2.5 < place < 3.5 for place in places)


@pytest.mark.parametrize(
    ("sources", "purity", "panels"),
    [
        (BASE, True, ["purity of the clusters [%]"]),
        ({"acai": (100, 500), "acai+p-1": (1, 500)}, False, ["partitions P (k = 500)"]),
        ({"acai": (5, 10), "acai+k-3": (5, 3)}, False, ["clusters k of a partition (P = 5)"]),
        (BASE, False, [""]),
        ({}, True, [""]),
    ],
    ids=["no variants", "two P", "two k", "no classes, no variants", "no k-means"],
)
def test_a_panel_without_spread_is_left_out(tmp_path: Path, sources, purity: bool, panels):
    figure = draw(inputs(tmp_path, sources, purity=purity))
    assert labels(figure) == panels
    assert figure.get_suptitle() == "Omniglot"
    if panels == [""]:
        assert figure.axes[0].texts[0].get_text() == "No two cells differ in P, in k, or in purity."


def test_lines_join_cells_that_differ_in_nothing_else(tmp_path: Path):
    sources = {
        "acai": (100, 500), "acai+p-1": (1, 500), "acai+reference": (100, 500, 1),
        "acai+p-1+5-way": (1, 500, 2), "acai+fixed": (10, 500, 3),
    }  # fmt: skip
    given = inputs(tmp_path, sources)
    figure = draw(given)
    lengths = Counter(len(bars.lines[0].get_xdata()) for bars in figure.axes[0].containers)
    assert {size: lengths[size] for size in (1, 2, 3)} == {1: 2 * 3, 2: 2, 3: 0}
    for axes in figure.axes:
        open_ones = [bars.lines[0].get_markerfacecolor() == "white" for bars in axes.containers
                     if len(bars.lines[0].get_xdata())]  # fmt: skip
        assert sum(open_ones) == 2 * 3
    (legend,) = figure.legends
    assert "open: other settings, too" in [text.get_text() for text in legend.get_texts()]


def test_the_title_says_that_cells_have_unequal_numbers_of_seeds(tmp_path: Path):
    made = inputs(tmp_path, {"acai": (10, 500), "acai+p-1": (1, 500)})
    assert draw(made).axes[0].get_title(loc="left") == "5-way 1-shot"
    rows = made.results
    base = rows[(rows["source"] == "acai") & (rows["seed"] == "0")]
    more = [rows, *(base.assign(seed=seed) for seed in ("1", "2"))]
    unequal = dataclasses.replace(made, results=pd.concat(more, ignore_index=True))
    title = draw(unequal).axes[0].get_title(loc="left")
    assert title == "5-way 1-shot, means of 1 to 3 seeds"


def test_a_single_cell_has_nothing_to_compare(tmp_path: Path):
    figure = draw(inputs(tmp_path, {"acai": (100, 500)}, missing=("acai",)))
    assert labels(figure) == [""]


def test_missing_cells_leave_gaps(tmp_path: Path):
    figure = draw(inputs(tmp_path, VARIANTS, missing=("acai+p-10", "bigan")))
    counts = [
        sum(len(bars.lines[0].get_xdata()) for bars in axes.containers) for axes in figure.axes
    ]
    assert counts == [2 * 7 - 2, 2 * 8 - 1, 2 * 12 - 2]


def test_embeddings_have_colors_and_their_learners_markers(tmp_path: Path):
    (panel,) = draw(inputs(tmp_path, BASE)).axes
    looks = [(bars.lines[0].get_color(), bars.lines[0].get_marker()) for bars in panel.containers]
    assert len(set(looks)) == 8
    assert len({color for color, _ in looks}) == 4
    assert len({marker for _, marker in looks}) == 8


def test_the_map_has_the_accuracy_and_the_purity_of_each_point(tmp_path: Path):
    write_json(tmp_path / "map.json", {"cells": numbers(inputs(tmp_path, BASE))})
    entries = map_entries(tmp_path / "map.json")
    assert len(entries) == 2 * 8
    assert {entry["column"] for entry in entries} == {"5-way 1-shot, ours", "purity, ours"}
    assert {entry["row"].split(", ")[1] for entry in entries} == {
        "ACAI", "BiGAN", "DeepCluster", "InfoGAN",
    }  # fmt: skip
    assert all("±" in entry["printed"] for entry in entries)
