"""Paired differences between methods on the episodes that they share, with their intervals."""

from typing import Any, Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from cactus.paper import style
from cactus.paper.cells import paired_cell, paired_entry
from cactus.paper.drawing.text import text_height, wrapped
from cactus.paper.figures.inputs import FigureInputs, records
from cactus.paper.paired import LEVEL, PAIRED_FILE, read_paired
from cactus.paper.vocabulary import setting_title, source_rank

_DECIMALS: Final = 2
_POINT: Final = 2.0 * style.MM  # of a setting
_LINE: Final = 5 * style.MM
_PANEL_WIDTH: Final = 44 * style.MM
_LABEL_WIDTH: Final = 34 * style.MM
_GAP: Final = 3 * style.MM  # between panels, and to the labels
_HEADING: Final = 18 * style.MM
_MARGINS: Final = 4 * style.MM
_SPREAD: Final = 0.7

Setting = tuple[int, int]


def draw(inputs: FigureInputs) -> Figure:
    """Draw a panel per pair of methods and a line per embedding; a marker is a setting."""
    rows = _rows(inputs)
    if rows.empty:
        return inputs.message(f"No two methods are compared on {inputs.title}.")
    pairs = list(dict.fromkeys(zip(rows["method"], rows["other_method"], strict=True)))
    sources = sorted(set(rows["source"]), key=source_rank)
    settings = sorted(set(zip(rows["way"], rows["shot"], strict=True)))
    shown = map(inputs.titles.source, sources)
    labels = [wrapped(name, _LABEL_WIDTH, inputs.small, lines=3) for name in shown]
    width = inputs.width(_LABEL_WIDTH / 2 + len(pairs) * _PANEL_WIDTH)
    columns = style.balanced_columns(len(pairs), int((width - _LABEL_WIDTH / 2) / _PANEL_WIDTH))
    count = -(-len(pairs) // columns)
    line = max(_LINE, (len(settings) + 0.5) * _POINT, text_height(labels, inputs.small))
    height = count * (len(sources) * line + _HEADING) + _MARGINS
    figure = style.new_figure(width, height)
    axes = figure.subplots(count, columns, squeeze=False, sharey=True)
    looks = style.series_styles([setting_title(*one) for one in settings])
    for panel, pair in zip(axes.ravel(), pairs, strict=False):
        here = rows[(rows["method"] == pair[0]) & (rows["other_method"] == pair[1])]
        _draw_panel(panel, here, sources, looks)
        room = (width - _LABEL_WIDTH) / columns - _GAP
        first, other = map(inputs.titles.method, pair)
        names = first, f"{style.MINUS} {other}"
        size = inputs.settings.font_size
        title = "\n".join(wrapped(name, room, size, lines=1) for name in names)
        panel.set_title(title, loc="left")
        panel.tick_params(axis="y", length=0)
    axes[0, 0].set_yticks(range(len(sources)), labels)
    axes[0, 0].set_ylim(len(sources) - 0.5, -0.5)
    style.hide(axes.ravel()[len(pairs) :])
    title = "difference of accuracies on the same episodes, in percentage points"
    title += f"\nfilled: p < {LEVEL:g} after Holm's correction"
    style.legend_below(figure, _handles(looks), 4, title)
    style.add_dataset_title(figure, inputs.title, synthetic=inputs.synthetic)
    return figure


def numbers(inputs: FigureInputs) -> list[dict[str, Any]]:
    """Return the map entries of the differences."""
    entries = []
    for row in records(_rows(inputs)):
        name = inputs.titles.row(row["dataset"], row["source"], row["method"])
        setting = setting_title(row["way"], row["shot"])
        position = name, f"{setting}, minus {inputs.titles.method(row['other_method'])}"
        entries.append(paired_entry(paired_cell(row, _DECIMALS), row, position, _DECIMALS))
    return entries


def _rows(inputs: FigureInputs) -> pd.DataFrame:
    inputs.cells()  # refuses a data set without results
    rows = read_paired(inputs.run_folder / "tables" / PAIRED_FILE)
    return rows[rows["dataset"] == inputs.dataset]


def _draw_panel(
    axes: Axes, rows: pd.DataFrame, sources: list[str], looks: dict[str, dict[str, Any]]
) -> None:
    axes.axvline(0, color="0.3", linewidth=0.7, zorder=1)
    settings = list(looks)
    for row in records(rows):
        name = setting_title(row["way"], row["shot"])
        shift = _SPREAD * ((settings.index(name) + 0.5) / len(settings) - 0.5)
        color = looks[name]["color"]
        axes.errorbar(
            100 * row["difference"],
            sources.index(row["source"]) + shift,
            xerr=100 * row["ci95"],
            color=color,
            marker=looks[name]["marker"],
            markerfacecolor=color if row["p_holm"] < LEVEL else "white",
            elinewidth=0.9,
        )
    for line in range(1, len(sources)):
        axes.axhline(line - 0.5, color="0.9", linewidth=0.5)
    axes.grid(visible=False, axis="y")
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))


def _handles(looks: dict[str, dict[str, Any]]) -> list[Line2D]:
    return [Line2D([], [], label=name, **{**look, "linestyle": ""}) for name, look in looks.items()]
