import pytest

from cactus.paper.figures.differences import draw, numbers
from cactus.paper.paired import read_paired
from tests.unit.paper.conftest import Run
from tests.unit.paper.figures.drawing import figure_inputs


def test_a_panel_shows_one_pair_of_methods_filled_where_it_is_significant(seeds_run: Run):
    figure = draw(figure_inputs(seeds_run, "omniglot"))
    paired = read_paired(seeds_run.folder / "tables/paired_tests.csv")
    paired = paired[paired["dataset"] == "omniglot"]
    panels = {axes.get_title(loc="left"): axes for axes in figure.axes if axes.axison}
    assert len(panels) == len(set(zip(paired["method"], paired["other_method"], strict=True)))
    axes = panels["CACTUs-MAML\n\N{MINUS SIGN} kNN"]
    rows = paired[(paired["method"] == "cactus-maml") & (paired["other_method"] == "knn")]
    lines = [bars.lines[0] for bars in axes.containers]
    wanted = {round(100 * row.difference, 9): row.p_holm < 0.05 for row in rows.itertuples()}
    shown = {round(float(line.get_xdata()[0]), 9): line.get_markerfacecolor() != "white"
             for line in lines}  # fmt: skip
    assert shown == wanted
    assert len({line.get_marker() for line in lines}) == 4  # settings


def test_the_map_leads_to_both_methods(seeds_run: Run):
    entries = numbers(figure_inputs(seeds_run, "omniglot"))
    paired = read_paired(seeds_run.folder / "tables/paired_tests.csv")
    assert len(entries) == (paired["dataset"] == "omniglot").sum()
    sides = [(entry["results_row"], entry["against"]) for entry in entries]
    assert all((one["source"], one["method"]) != (two["source"], two["method"])
               for one, two in sides)  # fmt: skip
    based = [one["source"] for one, two in sides if one["method"] == two["method"]]
    assert set(based) == {"acai+p-1"}
    starred = [entry["printed"].endswith("*") for entry in entries]
    assert 0 < sum(starred) == (paired[paired["dataset"] == "omniglot"]["p_holm"] < 0.05).sum()


def test_panels_have_lines_only_of_sources_that_are_compared(seeds_run: Run):
    figure = draw(figure_inputs(seeds_run, "omniglot"))
    lines, labels = {}, []
    for axes in (one for one in figure.axes if one.axison):
        if axes.get_subplotspec().is_first_col():
            labels = [label.get_text() for label in axes.get_yticklabels()]
        lines[axes.get_title(loc="left")] = labels
    minus = "\N{MINUS SIGN}"
    for method in ("CACTUs-MAML", "CACTUs-ProtoNets"):
        assert lines[f"{method}\n{minus} Training from scratch"] == [
            "ACAI",
            "Pixels",
            "ACAI, P = 1",
        ]
        assert lines[f"{method}\n{minus} kNN"] == ["ACAI"]
        assert lines[f"{method}\n{minus} Base"] == ["ACAI, P = 1"]
    assert "\nBase: the same meta-learner" in figure.legends[0].get_title().get_text()


def test_without_a_variant_there_is_no_word_of_a_base(small_run: Run):
    figure = draw(figure_inputs(small_run, "omniglot"))
    assert "Base" not in figure.legends[0].get_title().get_text()


def test_a_run_without_competitors_says_so(one_run: Run):
    inputs = figure_inputs(one_run, one_run.cells[0].split("/")[1])
    assert "No two methods" in draw(inputs).axes[0].texts[0].get_text()
    assert numbers(inputs) == []


@pytest.mark.parametrize("dataset", ["omniglot", "celeba"])
def test_zero_is_in_view(seeds_run: Run, dataset: str):
    for axes in draw(figure_inputs(seeds_run, dataset)).axes:
        low, high = axes.get_xlim()
        assert low <= 0 <= high or not axes.axison
