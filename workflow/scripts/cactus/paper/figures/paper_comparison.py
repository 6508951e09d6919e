"""Ours minus the paper's accuracy, with its interval and verdict, for every cell that both have."""

from typing import Any, Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from cactus.paper import style
from cactus.paper.cells import difference_cell, map_entry, verdict_cell
from cactus.paper.figures.inputs import FigureInputs
from cactus.paper.vocabulary import (
    dataset_title,
    method_title,
    setting_title,
    source_title,
)

_DECIMALS = 2
_LINE = 4.2 * style.MM
_ROW = 17 * style.MM  # titles and tick labels of a row of panels
_MARGINS = 16 * style.MM
_LONGEST = 40  # letters of a name
# Colors of the palette "colorblind" that also differ in lightness, and a marker for each.
_LOOKS: Final = {
    "reproduced": ("#029e73", "o", "reproduced: the interval contains 0"),
    "above": ("#0173b2", "^", "above the paper"),
    "below": ("#d55e00", "v", "below the paper"),
    "compared": ("0.55", "D", "compared only: no verdict"),
}


def draw(inputs: FigureInputs) -> Figure:
    """Plot the differences, a panel per setting and a line per method; at 0, both agree."""
    shared = _shared(inputs)
    datasets = list(dict.fromkeys(shared["dataset"]))
    if not datasets:
        figure = style.message_figure("The paper gives no number for any cell of this run.")
        style.add_run_banner(figure, inputs.datasets, inputs.synthetic_datasets)
        return figure
    cells = {name: shared[shared["dataset"] == name] for name in datasets}
    settings = {name: _settings(rows) for name, rows in cells.items()}
    names = {name: list(dict.fromkeys(_names(rows))) for name, rows in cells.items()}
    lines = [len(names[name]) for name in datasets]
    width = max(map(len, settings.values()))
    height = sum(lines) * _LINE + len(datasets) * _ROW + _MARGINS
    figure = style.new_figure(style.PAGE_WIDTH, height)
    axes = figure.subplots(
        len(datasets), width, squeeze=False, sharey="row", height_ratios=[n + 1 for n in lines]
    )
    for row, name in zip(axes, datasets, strict=True):
        for panel, (way, shot) in zip(row, settings[name], strict=False):
            _draw_panel(panel, cells[name].query("way == @way and shot == @shot"), names[name])
            panel.set_title(f"{dataset_title(name, inputs.titles)}\n{setting_title(way, shot)}")
        style.hide(row[len(settings[name]) :])
    others = [
        dataset_title(name, inputs.titles)
        for name in dict.fromkeys(shared[shared["split"] != "test"]["dataset"])
    ]
    title = "ours $-$ paper, in percentage points"
    if others:
        title += f"\nours of {', '.join(others)}: on validation tasks"
    style.legend_below(figure, _handles(shared), 2, title)
    style.add_run_banner(figure, datasets, inputs.synthetic_datasets)
    return figure


def numbers(inputs: FigureInputs) -> list[dict[str, Any]]:
    """Return the map entries of the differences and verdicts in the figure."""
    entries = []
    for values in _shared(inputs).to_dict("records"):
        row = {str(key): value for key, value in values.items()}
        names = dataset_title(row["dataset"], inputs.titles), source_title(row["source"])
        title = ", ".join([*names, method_title(row["method"])])
        position = title, setting_title(row["way"], row["shot"])
        shown = {"difference": difference_cell(row, _DECIMALS), "verdict": verdict_cell(row)}
        entries += [map_entry(cell, row, side, position, _DECIMALS) for side, cell in shown.items()]
    return entries


def _shared(inputs: FigureInputs) -> pd.DataFrame:
    results = inputs.averaged
    return results[results["difference"].notna()]


def _settings(results: pd.DataFrame) -> list[tuple[int, int]]:
    return sorted(set(zip(results["way"], results["shot"], strict=True)))


def _names(rows: pd.DataFrame) -> list[str]:
    """Return the name of each row's line; a source without a choice of methods goes unnamed."""
    pairs = zip(rows["source"], rows["method"], strict=True)
    return [_name(str(source), str(method)) for source, method in pairs]


def _name(source: str, method: str) -> str:
    if source in ("scratch", "labels"):
        return method_title(method)
    title = source_title(source)
    short = title if len(title) <= _LONGEST else f"{title[: _LONGEST - 1]}…"
    return f"{short}, {method_title(method)}"


def _draw_panel(axes: Axes, cells: pd.DataFrame, names: list[str]) -> None:
    axes.axvline(0, color="0.3", linewidth=0.7, zorder=1)
    for name, (_, row) in zip(_names(cells), cells.iterrows(), strict=True):
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
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.tick_params(axis="y", length=0)


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
