"""Paired differences between methods on the episodes that they share, with their intervals."""

from collections import defaultdict
from typing import Any, Final, NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from cactus.config.printed.words import inline, listed
from cactus.paper import style
from cactus.paper.cells import paired_cell, paired_entry
from cactus.paper.drawing.text import text_height, wrapped
from cactus.paper.figures.inputs import FigureInputs, records
from cactus.paper.paired import (
    BASE,
    BASE_MEANS,
    LEVEL,
    PAIRED_FILE,
    competitor,
    competitors,
    read_paired,
)
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


class _Band(NamedTuple):
    """Panels side by side, which have the same lines."""

    sources: list[str]
    pairs: list[tuple[str, str]]  # a method, and what it is compared with


def draw(inputs: FigureInputs) -> Figure:
    """Draw a panel per pair of methods, all of one scale, and a line per source.

    A marker is a setting.
    """
    rows = _rows(inputs)
    if rows.empty:
        return inputs.message(caption(inputs))
    pairs = rows.groupby(["method", "competitor"]).ngroups
    settings = sorted(set(zip(rows["way"], rows["shot"], strict=True)))
    width = inputs.width(_LABEL_WIDTH / 2 + pairs * _PANEL_WIDTH)
    bands = _bands(rows, int((width - _LABEL_WIDTH / 2) / _PANEL_WIDTH))
    columns = max(len(band.pairs) for band in bands)
    titles = {name: inputs.titles.source(name) for name in rows["source"]}
    labels = {name: wrapped(titles[name], _LABEL_WIDTH, inputs.small, lines=3) for name in titles}
    tallest = text_height(list(labels.values()), inputs.small)
    line = max(_LINE, (len(settings) + 0.5) * _POINT, tallest)
    heights = [len(band.sources) * line for band in bands]
    figure = style.new_figure(width, sum(heights) + len(bands) * _HEADING + _MARGINS)
    grid: dict[str, Any] = {"squeeze": False, "sharex": True, "height_ratios": heights}
    axes = figure.subplots(len(bands), columns, sharey="row", **grid)
    looks = style.series_styles([setting_title(*one) for one in settings])
    room = (width - _LABEL_WIDTH) / columns - _GAP
    for band, panels in zip(bands, axes, strict=True):
        for panel, (method, other) in zip(panels, band.pairs, strict=False):
            here = rows[(rows["method"] == method) & (rows["competitor"] == other)]
            _draw_panel(panel, here, band.sources, looks)
            names = inputs.titles.method(method), f"{style.MINUS} {inputs.titles.method(other)}"
            size = inputs.settings.font_size
            title = "\n".join(wrapped(name, room, size, lines=1) for name in names)
            panel.set_title(title, loc="left")
            panel.tick_params(axis="y", length=0)
            panel.tick_params(axis="x", labelbottom=True)
        panels[0].set_yticks(range(len(band.sources)), map(labels.get, band.sources))
        panels[0].set_ylim(len(band.sources) - 0.5, -0.5)
        style.hide(panels[len(band.pairs) :])
    style.legend_below(figure, _handles(looks), 4, _legend_title(rows))
    style.add_dataset_title(figure, inputs.title, synthetic=inputs.synthetic)
    return figure


def _bands(rows: pd.DataFrame, most: int) -> list[_Band]:
    """Return the panels in bands of at most `most`; those of the same sources are together."""
    sources: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in records(rows):
        sources[row["method"], row["competitor"]].add(row["source"])
    alike: dict[tuple[str, ...], list[tuple[str, str]]] = defaultdict(list)
    for pair, found in sources.items():
        alike[tuple(sorted(found, key=source_rank))].append(pair)
    bands = []
    for names, pairs in alike.items():
        columns = style.balanced_columns(len(pairs), most)
        bands += [
            _Band(list(names), pairs[start : start + columns])
            for start in range(0, len(pairs), columns)
        ]
    return bands


def _legend_title(rows: pd.DataFrame) -> str:
    title = "difference of accuracies on the same episodes, in percentage points"
    title += f"\nfilled: p < {LEVEL:g} after Holm's correction"
    return title + (f"\n{BASE}: {BASE_MEANS}" if BASE in set(rows["competitor"]) else "")


def caption(inputs: FigureInputs) -> str:
    """Return what the figure shows."""
    rows = _rows(inputs)
    if rows.empty:
        return f"No two methods are compared on {inputs.title}."
    titles = {name: inline(inputs.titles.method(name)) for name in competitors(rows)}
    others = listed([*(titles | ({BASE: BASE} if BASE in titles else {})).values()])
    significant = rows["p_holm"] < LEVEL
    said = "All" if significant.all() else "Filled markers" if significant.any() else "None"
    return (
        f"Accuracy of each CACTUs cell minus that of {others}, task by task, with 95 % intervals. "
        f"{said} {'is' if said == 'None' else 'are'} significant after Holm's correction."
    )


def numbers(inputs: FigureInputs) -> list[dict[str, Any]]:
    """Return the map entries of the differences."""
    entries = []
    for row in records(_rows(inputs)):
        name = inputs.titles.row(row["dataset"], row["source"], row["method"])
        setting = setting_title(row["way"], row["shot"])
        position = name, f"{setting}, minus {inputs.titles.method(row['competitor'])}"
        entries.append(paired_entry(paired_cell(row, _DECIMALS), row, position, _DECIMALS))
    return entries


def _rows(inputs: FigureInputs) -> pd.DataFrame:
    inputs.cells()  # refuses a data set without results
    rows = read_paired(inputs.run_folder / "tables" / PAIRED_FILE)
    rows = rows[rows["dataset"] == inputs.dataset]
    return rows.assign(competitor=list(map(competitor, records(rows))))


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
