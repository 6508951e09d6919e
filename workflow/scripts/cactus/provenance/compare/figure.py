"""The figure of a comparison: the accuracies of each cell, a color per run."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cactus.config.printed.titles import Titles
from cactus.paper import style
from cactus.paper.vocabulary import setting_title
from cactus.provenance.compare.rows import Row

_LINE = 4.2 * style.MM
_MARGINS = 24 * style.MM
_SPREAD = 0.5


def draw(rows: Sequence[Row], synthetic_datasets: Sequence[str], titles: Titles) -> Figure:
    """Draw a row of panels per data set and a panel per setting, with a line per cell.

    The points of a cell's runs are one below another, with the intervals of the table.
    """
    datasets = list(dict.fromkeys(row.key.dataset for row in rows))
    parts = [[row for row in rows if row.key.dataset == name] for name in datasets]
    heights = [len({row.cell for row in here}) + 2 for here in parts]
    width = max(len({row.setting for row in here}) for here in parts)
    figure = style.new_figure(style.PAGE_WIDTH, sum(heights) * _LINE + _MARGINS)
    grid = figure.subplots(len(parts), width, squeeze=False, height_ratios=heights, sharey="row")
    runs = list(dict.fromkeys(row.run for row in rows))
    handles = _handles(runs)
    for panels, here in zip(grid, parts, strict=True):
        cells = list(dict.fromkeys(row.cell for row in here))
        settings = sorted({row.setting for row in here})
        for panel, setting in zip(panels, settings, strict=False):
            _draw_panel(panel, [row for row in here if row.setting == setting], cells, handles)
            # On two lines, which fit above a narrow panel.
            panel.set_title(f"{titles.dataset(setting[0])}\n{setting_title(*setting[1:])}")
            panel.set_xlabel("accuracy [%]")
        names = [titles.pair(*cell[:2]) for cell in cells]
        panels[0].set_yticks(range(len(cells)), names)
        panels[0].set_ylim(len(cells) - 0.4, -0.6)
        style.hide(panels[len(settings) :])
    style.legend_below(figure, list(handles.values()), 4, "run")
    style.add_run_banner(figure, datasets, synthetic_datasets)
    return figure


def _handles(runs: Sequence[str]) -> dict[str, Line2D]:
    """Return the legend's entry of each run, and of runs that share results."""
    handles = {}
    # The spaces keep a run from a style of its own: one may be named `labels`.
    for place, (name, look) in enumerate(style.series_styles([f" {run}" for run in runs]).items()):
        marker = style.MARKERS[place % len(style.MARKERS)]
        run, color = name[1:], look["color"]
        handles[run] = Line2D([], [], label=run, color=color, marker=marker, linestyle="")
    return handles


def _draw_panel(
    axes: Axes, rows: Sequence[Row], cells: Sequence[object], handles: dict[str, Line2D]
) -> None:
    for row in rows:
        beside = [other.run for other in rows if other.cell == row.cell]
        shift = _SPREAD * ((beside.index(row.run) + 0.5) / len(beside) - 0.5)
        axes.errorbar(
            100 * row.summary.mean,
            cells.index(row.cell) + shift,
            xerr=100 * row.summary.ci95,
            color=handles[row.run].get_color(),
            marker=handles[row.run].get_marker(),
            elinewidth=0.7,
        )
