"""Texts of figures are inside, apart, large enough and as wide as promised, whatever is drawn."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.text import Text

from cactus.config.sections.outputs import OutputSettings
from cactus.paper.figures import paper_comparison
from cactus.paper.style import MM
from tests.unit.paper.conftest import Run
from tests.unit.paper.fake_run import LONG
from tests.unit.paper.figures.drawing import drawn_figure, figure_inputs, shown_texts

SETTINGS = OutputSettings()
DRAWN = [
    ("small_run", None, ("accuracy_grid", "paper_comparison", "shots")),
    ("grid_run", None, ("accuracy_grid", "paper_comparison", "shots")),
    ("many_run", None, ("accuracy_grid", "paper_comparison")),
    ("small_run", "omniglot", ("training_curves", "tasks", "purity", "embedding_maps",
                               "neighbors", "differences", "confusion", "episodes",
                               "diagnostics")),
    ("seeds_run", "celeba", ("training_curves", "tasks", "neighbors")),
    ("matrix_run", "omniglot", ("confusion",)),
    ("pairs_run", "omniglot", ("confusion",)),
    ("grid_run", "mnist", ("confusion",)),
    ("grid_run", "omniglot", ("training_curves", "partitions", "purity", "differences",
                              "episodes", "diagnostics")),
    ("many_run", LONG, ("training_curves", "tasks", "partitions", "purity", "neighbors",
                        "confusion", "differences", "episodes", "diagnostics")),
    ("one_run", LONG, ("training_curves", "tasks", "purity", "neighbors", "confusion",
                       "episodes", "embedding_maps", "diagnostics")),
]  # fmt: skip
CASES = [(run, name, dataset) for run, dataset, names in DRAWN for name in names]


@pytest.mark.slow
@pytest.mark.parametrize(("run", "name", "dataset"), CASES)
def test_texts_stay_apart_and_inside(
    request: pytest.FixtureRequest, run: str, name: str, dataset: str | None
):
    figure = drawn_figure(request.getfixturevalue(run), name, dataset)
    texts = shown_texts(figure)
    assert len(texts) >= 2
    boxes = np.array([Text.get_window_extent(text).extents for text in texts])
    low, high = boxes[:, :2], boxes[:, 2:]
    outside = (low < -1).any(1) | (high > [figure.bbox.width + 1, figure.bbox.height + 1]).any(1)
    assert not [text for text, out in zip(texts, outside, strict=True) if out]
    # Texts overlap if they do in both directions by more than a pixel.
    apart = np.minimum(high[:, None], high[None]) - np.maximum(low[:, None], low[None]) <= 1
    pairs = np.argwhere(np.triu(~apart.any(2), 1))
    assert not [(texts[one].get_text(), texts[other].get_text()) for one, other in pairs]
    assert min(text.get_fontsize() for text in texts) >= 7
    widths = SETTINGS.column_width * MM, SETTINGS.page_width * MM
    assert any(figure.get_figwidth() == pytest.approx(width) for width in widths)


def test_a_message_is_as_wide_as_a_figure_of_one_column(small_run: Run):
    inputs = replace(figure_inputs(small_run), settings=OutputSettings(column_width=120))
    nothing = replace(inputs, results=inputs.results.assign(difference=np.nan))
    for figure in inputs.message("Nothing."), paper_comparison.draw(nothing):
        assert figure.get_figwidth() == pytest.approx(120 * MM)
