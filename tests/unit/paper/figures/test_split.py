"""Figures of accuracies say which of them are not on the test split."""

from collections.abc import Callable

import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from cactus.config.sections.outputs import OutputSettings
from cactus.paper.figures import accuracy_grid, paper_comparison, shots
from cactus.paper.figures.inputs import FigureInputs
from cactus.paper.results import read_results
from tests.unit.paper.conftest import Run

DRAW = [accuracy_grid.draw, paper_comparison.draw, shots.draw]


def texts(figure: Figure) -> str:
    return "\n".join(one.get_text() for one in figure.findobj(Text))


def inputs(run: Run, *validated: str) -> FigureInputs:
    results: pd.DataFrame = read_results(run.results)
    results.loc[results["dataset"].isin(validated), "split"] = "val"
    return FigureInputs(run.folder, results, OutputSettings())


@pytest.mark.parametrize("draw", DRAW, ids=lambda draw: draw.__module__)
def test_only_accuracies_on_validation_tasks_are_named(
    draw: Callable[[FigureInputs], Figure], seeds_run: Run
):
    assert "validation" not in texts(draw(inputs(seeds_run)))
    some = texts(draw(inputs(seeds_run, "omniglot")))
    assert "validation" in some
    everything = inputs(seeds_run).datasets
    assert "validation" in texts(draw(inputs(seeds_run, *everything)))


def test_a_scale_of_several_data_sets_names_those_of_validation_tasks(seeds_run: Run):
    one, *others = inputs(seeds_run).datasets
    assert inputs(seeds_run).accuracy_label() == "accuracy [%]"
    assert inputs(seeds_run, one).accuracy_label(one) == "validation accuracy [%]"
    assert inputs(seeds_run, one).accuracy_label(others[0]) == "accuracy [%]"
    assert (
        inputs(seeds_run, "omniglot").accuracy_label().endswith("of Omniglot: on validation tasks")
    )
