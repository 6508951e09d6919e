"""Ours minus the paper's accuracy, with its interval and verdict, for every cell that both have."""

import math
from typing import Any, Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from cactus.config.printed.titles import Titles
from cactus.paper import style
from cactus.paper.absent import NOT_AT_HAND, NOT_RUN, absent_cells, cell_name, reasons
from cactus.paper.cells import difference_cell, map_entry, verdict_cell
from cactus.paper.drawing.text import text_height, wrapped
from cactus.paper.figures.inputs import FigureInputs, records
from cactus.paper.vocabulary import setting_title

_DECIMALS: Final = 2
_LINE: Final = 3.6 * style.MM
_ROW: Final = 15 * style.MM  # titles and tick labels of a row of panels
_MARGINS: Final = 4 * style.MM
_LONGEST: Final = 52 * style.MM  # a name
_MOST_NAMED: Final = 6  # cells of a data set without a point
# Why a cell has none.
_ABSENT: Final = {
    NOT_AT_HAND: "no number of the paper at hand",
    NOT_RUN: "without a number in the paper",
}
# Colors of the palette, and a marker for each.
_LOOKS: Final = {
    "reproduced": (style.PALETTE[2], "o", "reproduced: the interval contains 0"),
    "above": (style.PALETTE[0], "^", "above the paper"),
    "below": (style.PALETTE[1], "v", "below the paper"),
    "compared": (style.GRAY, "D", "compared only: no verdict"),
}


def draw(inputs: FigureInputs) -> Figure:
    """Plot the differences, a panel per setting and a line per method; at 0, both agree.

    The panels of a data set fill the width of the page, and all have one scale. What the paper does
    not have is said below.
    """
    shared = _shared(inputs)
    datasets = list(dict.fromkeys(shared["dataset"]))
    if not datasets:
        figure = style.message_figure(_nothing(inputs), inputs.column)
        style.add_run_banner(figure, inputs.datasets, inputs.synthetic_datasets)
        return figure
    cells = {name: shared[shared["dataset"] == name] for name in datasets}
    settings = {name: _settings(rows) for name, rows in cells.items()}
    names = {name: list(dict.fromkeys(_names(rows, inputs.titles))) for name, rows in cells.items()}
    labels = {name: [wrapped(one, _LONGEST, inputs.small) for one in names[name]] for name in names}
    line = {name: max(_LINE, text_height(labels[name], inputs.small)) for name in names}
    heights = [(len(names[name]) + 1) * line[name] for name in datasets]
    height = sum(heights) + len(datasets) * (_ROW - _LINE) + _MARGINS
    figure = style.new_figure(inputs.page, height)
    parts = math.lcm(*map(len, settings.values()))
    grid = figure.add_gridspec(len(datasets), parts, height_ratios=heights)
    for row, name in enumerate(datasets):
        width = parts // len(settings[name])
        first = None
        for column, (way, shot) in enumerate(settings[name]):
            place = grid[row, column * width : (column + 1) * width]
            panel = figure.add_subplot(place, sharex=next(iter(figure.axes), None), sharey=first)
            rows = cells[name].query("way == @way and shot == @shot")
            _draw_panel(panel, rows, names[name], inputs.titles)
            panel.set_yticks(range(len(names[name])), labels[name])
            panel.tick_params(axis="y", length=0, labelleft=first is None)
            ran = inputs.averaged.query("dataset == @name and way == @way and shot == @shot")
            verdicts = dict(zip(_names(ran, inputs.titles), ran["verdict"], strict=True))
            _name_gaps(panel, names[name], _names(rows, inputs.titles), verdicts, inputs.small)
            title = wrapped(
                inputs.titles.dataset(name),
                (inputs.page - _LONGEST) / len(settings[name]),
                inputs.settings.font_size,
            )
            panel.set_title(f"{title}\n{setting_title(way, shot)}", loc="left")
            first = first or panel
    style.legend_below(figure, _handles(shared), 2, _note(inputs, shared))
    style.add_run_banner(figure, datasets, inputs.synthetic_datasets)
    return figure


def caption(inputs: FigureInputs) -> str:
    """Return what the figure shows."""
    if _shared(inputs).empty:
        return _nothing(inputs)
    return (
        "Our accuracy minus the paper's in percentage points, with the 95 % interval of the "
        "difference: a panel for each setting, a line for each method, the same range in all "
        "panels. At 0, both agree."
    )


def numbers(inputs: FigureInputs) -> list[dict[str, Any]]:
    """Return the map entries of the differences and verdicts in the figure."""
    entries = []
    for row in records(_shared(inputs)):
        title = inputs.titles.row(row["dataset"], row["source"], row["method"])
        position = title, setting_title(row["way"], row["shot"])
        shown = {"difference": difference_cell(row, _DECIMALS), "verdict": verdict_cell(row)}
        entries += [map_entry(cell, row, side, position, _DECIMALS) for side, cell in shown.items()]
    return entries


def _shared(inputs: FigureInputs) -> pd.DataFrame:
    results = inputs.averaged
    return results[results["difference"].notna()]


def _settings(results: pd.DataFrame) -> list[tuple[int, int]]:
    return sorted(set(zip(results["way"], results["shot"], strict=True)))


def _names(rows: pd.DataFrame, titles: Titles) -> list[str]:
    """Return the name of each row's line; a source without a choice of methods goes unnamed."""
    pairs = zip(rows["source"], rows["method"], strict=True)
    return [cell_name(str(source), str(method), titles) for source, method in pairs]


def _note(inputs: FigureInputs, shared: pd.DataFrame) -> str:
    """Return what the figure shows, on which tasks, and which cells have no point, and why."""
    lines = [f"ours {style.MINUS} paper, in percentage points"]
    validated = dict.fromkeys(shared[shared["split"] != "test"]["dataset"])
    if validated:
        titles = ", ".join(inputs.titles.dataset(name) for name in validated)
        lines.append(f"ours of {titles}: on validation tasks")
    for verdict, text in _ABSENT.items():
        named = (_absent(inputs, name, verdict) for name in inputs.datasets)
        if cells := "; ".join(filter(None, named)):
            lines.append(f"{text}: {cells}")
    return "\n".join(lines)


def _nothing(inputs: FigureInputs) -> str:
    """Return what the figure says if it has no point."""
    if NOT_AT_HAND in set(inputs.averaged["verdict"]):
        return "No number of the paper is at hand for the cells of this run."
    return "The paper gives no number for any cell of this run."


def _absent(inputs: FigureInputs, dataset: str, reason: str) -> str:
    """Return the cells of a data set that have no point for one reason, in one phrase."""
    rows = inputs.averaged
    rows = rows[rows["dataset"] == dataset]
    why, title = set(reasons(rows).values()), inputs.titles.dataset(dataset)
    if "" not in why:  # said once, even if the paper ran only some of them
        told = (reason == NOT_AT_HAND) == (NOT_AT_HAND in why)
        return f"{title} (all cells)" if told else ""
    missing = absent_cells(rows, reason, inputs.titles)
    more = len(missing) - _MOST_NAMED
    named = [*missing[:_MOST_NAMED], *([f"{more} more"] if more > 0 else [])]
    return f"{title}: {', '.join(named)}" if missing else ""


def _draw_panel(axes: Axes, cells: pd.DataFrame, names: list[str], titles: Titles) -> None:
    axes.axvline(0, color="0.3", linewidth=0.7, zorder=1)
    found = _names(cells, titles)
    for name, (_, row) in zip(found, cells.iterrows(), strict=True):
        color, marker, _ = _LOOKS[row["verdict"]]
        axes.errorbar(
            100 * row["difference"],
            names.index(name),
            xerr=100 * row["difference_ci95"],
            color=color,
            elinewidth=0.9,
            marker=marker,
            markerfacecolor="white" if row["verdict"] == "compared" else color,
            markersize=4,
        )
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))


def _name_gaps(
    axes: Axes, names: list[str], shown: list[str], verdicts: dict[str, str], size: float
) -> None:
    """Say of each line without a point why it has none."""
    for line, name in enumerate(names):
        if name not in shown:
            text = verdicts.get(name, "not run")
            look: dict[str, Any] = {"ha": "left", "va": "center", "color": "0.4", "fontsize": size}
            look |= {"bbox": {"facecolor": "white", "edgecolor": "none", "pad": 0.6}}
            axes.text(0.02, line, text, transform=axes.get_yaxis_transform(), **look)


def _handles(shared: pd.DataFrame) -> list[Line2D]:
    """Return legend entries of the verdicts in the figure."""
    used = set(shared["verdict"])
    return [
        Line2D(
            [],
            [],
            linestyle="",
            color=color,
            marker=marker,
            markerfacecolor="white" if verdict == "compared" else color,
            label=label,
        )
        for verdict, (color, marker, label) in _LOOKS.items()
        if verdict in used
    ]
