import pytest

from cactus.paper.figures.purity import draw, numbers
from cactus.paper.partition_quality import read_quality_table
from tests.unit.paper.conftest import Run
from tests.unit.paper.figures.drawing import figure_inputs


def test_points_are_at_their_purities_beside_chance(seeds_run: Run):
    figure = draw(figure_inputs(seeds_run, "omniglot"))
    (axes,) = figure.axes
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["ACAI", "Pixels", "ACAI, P = 1", "True labels"]
    rows = read_quality_table(seeds_run.quality)
    rows = rows[(rows["dataset"] == "omniglot") & (rows["seed"] == "all")]
    shown = sorted(bars.lines[0].get_xdata()[0] for bars in axes.containers)
    assert shown == pytest.approx(sorted(100 * rows[rows["measure"] == "purity"]["mean"]))
    marks = [line for line in axes.lines if line.get_marker() == "|"]
    assert len(marks) == len(shown) == 8
    lines = sorted(round(float(bars.lines[0].get_ydata()[0])) for bars in axes.containers)
    assert lines == [0, 0, 1, 1, 2, 2, 3, 3]


def test_the_map_has_each_purity_and_that_by_chance(seeds_run: Run):
    entries = numbers(figure_inputs(seeds_run, "omniglot"))
    assert len(entries) == 2 * 8
    assert {entry["column"] for entry in entries} == {"purity, ours", "purity by chance, ours"}
    assert ["±" in entry["printed"] for entry in entries] == [True, False] * 8


def test_a_data_set_without_classes_says_so(seeds_run: Run):
    assert "no partitions" in draw(figure_inputs(seeds_run, "celeba")).axes[0].texts[0].get_text()
