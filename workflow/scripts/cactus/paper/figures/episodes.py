"""How the accuracies of single episodes are distributed, for each method."""

from collections import defaultdict
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cactus.config.printed.titles import Titles
from cactus.paper import style
from cactus.paper.cells import drawn_entries
from cactus.paper.drawing.text import text_height, wrapped
from cactus.paper.figures.inputs import FigureInputs, records
from cactus.paper.results import ALL_SEEDS
from cactus.paper.scores import read_cell
from cactus.paper.vocabulary import method_rank, setting_title

_DECIMALS: Final = 2
_LINE: Final = 4 * style.MM
_PANEL_WIDTH: Final = 32 * style.MM
_LABEL_WIDTH: Final = 48 * style.MM
_HEADING: Final = 16 * style.MM
_MARGINS: Final = 9 * style.MM
_WHISKERS: Final = (5, 95)  # percentiles
_ALONE: Final = ("scratch", "labels")  # sources whose methods name them


class _Line(NamedTuple):
    """A method on a source of tasks."""

    source: str
    method: str
    learner: str

    def title(self, titles: Titles) -> str:
        """Return what names the line."""
        if self.source in _ALONE:
            return titles.method(self.method)
        method = titles.learner(self.learner) if self.learner else titles.method(self.method)
        return f"{titles.source(self.source)}, {method}"


Accuracies = dict[tuple[int, int], dict[_Line, npt.NDArray[np.float64]]]


def draw(inputs: FigureInputs) -> Figure:
    """Draw a panel per setting and a box per method: quartiles, and whiskers at 5 and 95 percent.

    The marker is the mean. With several seeds, each episode's accuracy is averaged over them.
    """
    accuracies = _accuracies(inputs)
    lines = list(dict.fromkeys(line for values in accuracies.values() for line in values))
    settings = sorted(accuracies)
    width = inputs.width(_LABEL_WIDTH + len(settings) * _PANEL_WIDTH)
    columns = style.balanced_columns(len(settings), int((width - _LABEL_WIDTH) / _PANEL_WIDTH))
    rows = -(-len(settings) // columns)
    names = [line.title(inputs.titles) for line in lines]
    labels = [wrapped(name, _LABEL_WIDTH, inputs.small) for name in names]
    line_height = max(_LINE, text_height(labels, inputs.small))
    height = rows * (len(lines) * line_height + _HEADING) + _MARGINS
    figure = style.new_figure(width, height)
    axes = figure.subplots(rows, columns, squeeze=False, sharey=True, sharex=True)
    looks = style.method_styles(sorted({line.method for line in lines}, key=method_rank))
    for panel, setting in zip(axes.ravel(), settings, strict=False):
        _draw_panel(panel, accuracies[setting], lines, looks)
        panel.set_title(setting_title(*setting), loc="left")
        panel.tick_params(axis="y", length=0)
        panel.tick_params(axis="x", labelbottom=True)
    axes[0, 0].set_yticks(range(len(lines)), labels)
    axes[0, 0].set_ylim(len(lines) - 0.5, -0.5)
    axes[0, 0].set_xlim(-2, 102)
    style.hide(axes.ravel()[len(settings) :])
    label = f"{inputs.accuracy_label(inputs.dataset).replace(' [%]', '')} of an episode [%]"
    figure.supxlabel(label, fontsize=inputs.settings.font_size)
    style.add_dataset_title(figure, inputs.title, synthetic=inputs.synthetic)
    return figure


def caption(_: FigureInputs) -> str:
    """Return what the figure shows."""
    return (
        "Accuracies of single tasks: quartiles, whiskers at 5 and 95 percent, and the mean of "
        "each method."
    )


def numbers(inputs: FigureInputs) -> list[dict[str, Any]]:
    """Return the map entries of the means."""
    return drawn_entries(_rows(inputs), _DECIMALS, inputs.titles, interval=False)


def _rows(inputs: FigureInputs) -> pd.DataFrame:
    rows = inputs.averaged
    return rows[rows["dataset"] == inputs.dataset]


def _accuracies(inputs: FigureInputs) -> Accuracies:
    """Return the accuracies of the episodes of each line, by setting."""
    cells = inputs.cells()
    scores = defaultdict(list)
    for cell in cells.drop_duplicates(["source", "learner", "seed"]).itertuples(index=False):
        folder = f"evaluations/{inputs.dataset}/{cell.source}/{cell.learner}/s{cell.seed}"
        if not cell.learner:
            folder = f"baselines/{inputs.dataset}/{cell.source}/s{cell.seed}"
        for score in read_cell(inputs.run_folder, folder):
            key = score.key
            line = _Line(key.source, key.method, key.learner)
            scores[key.way, key.shot, line].append(score.accuracies)
    found: Accuracies = defaultdict(dict)
    shown = inputs.results[inputs.results["seed"] == ALL_SEEDS]
    for row in records(shown[shown["dataset"] == inputs.dataset]):
        line, setting = (
            _Line(row["source"], row["method"], row["learner"]),
            (row["way"], row["shot"]),
        )
        found[setting][line] = np.stack(scores[*setting, line]).mean(axis=0)
    return found


def _draw_panel(
    axes: Axes,
    accuracies: dict[_Line, npt.NDArray[np.float64]],
    lines: list[_Line],
    looks: dict[str, dict[str, Any]],
) -> None:
    for line, values in accuracies.items():
        look = looks[line.method]
        low, first, middle, third, high = np.percentile(
            100 * values, (_WHISKERS[0], 25, 50, 75, _WHISKERS[1])
        )
        box = {"whislo": low, "q1": first, "med": middle, "q3": third, "whishi": high}
        thin = {"color": look["color"], "linewidth": 0.8}
        axes.bxp(
            [{**box, "mean": 100 * float(values.mean())}],
            positions=[lines.index(line)],
            orientation="horizontal",
            widths=0.6,
            showfliers=False,
            showmeans=True,
            manage_ticks=False,
            patch_artist=True,
            boxprops={"facecolor": "0.95", "edgecolor": look["color"], "linewidth": 0.8},
            whiskerprops=thin,
            capprops=thin,
            medianprops=thin,
            meanprops={
                "marker": look["marker"],
                "markerfacecolor": look["color"],
                "markeredgecolor": "none",
                "markersize": 4,
            },
        )
    axes.grid(visible=False, axis="y")
