"""Drawing a figure of a fake run, and finding its texts."""

import warnings
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from matplotlib import style as matplotlib_style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from cactus.config.printed.titles import Titles
from cactus.config.sections.outputs import OutputSettings
from cactus.paper import style
from cactus.paper.figures.inputs import FigureInputs
from cactus.paper.results import read_results
from tests.unit.paper.conftest import Run
from tests.unit.paper.fake_run import LONG, LONG_TITLE


def figure_inputs(
    run: Run, dataset: str | None = None, titles: Titles | None = None
) -> FigureInputs:
    """Return the inputs of a figure, with P and k of each embedding; titles are long."""
    results = read_results(run.results)
    numbers = dict.fromkeys(set(results["source"]), (100, 500, 0)) | {"acai+p-1": (1, 500, 0)}
    numbers = {name: one for name, one in numbers.items() if name not in ("labels", "pixels",
               "random", "scratch") and "-" not in name.partition("+")[0]}  # fmt: skip
    names = sorted(one for one in numbers if one.startswith("embedding_with"))
    titles = titles or Titles(
        datasets={LONG: LONG_TITLE},
        embeddings={name: f"Ünsal's {name}, 50% & more_" for name in names[::2]},
        learners={"a_learner_with_a_very_long_name": "A 5% & learner_ with a very {long} title"},
    )
    augmented = sorted(set(results["learner"]))
    return FigureInputs(run.folder, results, OutputSettings(), dataset, numbers, titles, augmented)


def drawn_figure(
    run: Run, name: str, dataset: str | None = None, titles: Titles | None = None
) -> Figure:
    """Draw a figure with the style of all figures, and lay it out."""
    inputs = figure_inputs(run, dataset, titles)
    parameters = style.rc_parameters(inputs.settings)
    with warnings.catch_warnings(), matplotlib_style.context(parameters, after_reset=True):
        warnings.simplefilter("error")  # a layout that cannot be solved
        module: Any = import_module(f"cactus.paper.figures.{name}")
        figure: Figure = module.draw(inputs)
        style.lay_out(figure)
    return figure


def _tick_labels(axes: Axes) -> Iterator[Text]:
    """Yield the labels of the ticks that are in view."""
    for axis in (axes.xaxis, axes.yaxis):
        low, high = sorted(axis.get_view_interval())
        for tick in axis.get_major_ticks():
            if low <= tick.get_loc() <= high and tick.label1.get_visible():
                yield tick.label1


def shown_texts(figure: Figure) -> list[Text]:
    """Return the texts of a figure that can be seen."""
    texts = [*figure.texts]
    for legend in [*figure.legends, *filter(None, (axes.get_legend() for axes in figure.axes))]:
        texts += [legend.get_title(), *legend.get_texts()]
    for axes in figure.axes:
        texts += axes.texts
        texts += [text for text in axes.get_children() if isinstance(text, Text)]
        if axes.axison:
            texts += [axes.xaxis.label, axes.yaxis.label, *_tick_labels(axes)]
    return [text for text in dict.fromkeys(texts) if text.get_text().strip()]
