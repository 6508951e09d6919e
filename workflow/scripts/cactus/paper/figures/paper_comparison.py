"""Our accuracy against the paper's, with both intervals, for every cell that both have."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from cactus.paper import style
from cactus.paper.cells import drawn_entries
from cactus.paper.figures.inputs import FigureInputs
from cactus.paper.vocabulary import (
    dataset_title,
    method_rank,
    method_title,
    setting_title,
    source_rank,
    source_title,
)

_DECIMALS = 2
_PANEL = 44 * style.MM
_MARGINS = 38 * style.MM


def draw(inputs: FigureInputs) -> Figure:
    """Plot our accuracy against the paper's, a panel per setting; on the diagonal, they agree."""
    results = inputs.averaged
    shared = results[results["paper_mean"].notna()]
    datasets = list(dict.fromkeys(shared["dataset"]))
    if not datasets:
        figure = style.message_figure("The paper gives no number for any cell of this run.")
        style.add_run_banner(figure, inputs.datasets, inputs.synthetic_datasets)
        return figure
    settings = {name: _settings(shared[shared["dataset"] == name]) for name in datasets}
    width = max(map(len, settings.values()))
    figure = style.new_figure(
        max(width * _PANEL, 110 * style.MM), len(datasets) * _PANEL + _MARGINS
    )
    axes = figure.subplots(len(datasets), width, squeeze=False)
    for row, name in zip(axes, datasets, strict=True):
        for panel, (way, shot) in zip(row, settings[name], strict=False):
            cells = shared.query("dataset == @name and way == @way and shot == @shot")
            _draw_panel(panel, cells, sorted(set(shared["source"]), key=source_rank))
            panel.set_title(f"{dataset_title(name)}\n{setting_title(way, shot)}")
        style.hide(row[len(settings[name]) :])
        row[0].set_ylabel("ours: accuracy [%]")
    for column in axes.T:
        lowest = [panel for panel in column if panel.axison][-1]
        lowest.set_xlabel("paper: accuracy [%]")
    style.legend_below(figure, _handles(shared), 4 if width > 2 else 2)
    style.add_run_banner(figure, datasets, inputs.synthetic_datasets)
    return figure


def numbers(inputs: FigureInputs) -> list[dict[str, Any]]:
    """Return the map entries of our numbers in the figure."""
    results = inputs.averaged
    return drawn_entries(results[results["paper_mean"].notna()], _DECIMALS, interval=True)


def _settings(results: pd.DataFrame) -> list[tuple[int, int]]:
    return sorted(set(zip(results["way"], results["shot"], strict=True)))


def _draw_panel(axes: Axes, cells: pd.DataFrame, sources: list[str]) -> None:
    columns = ["mean", "ci95", "paper_mean", "paper_ci95"]
    percent = cells[columns].fillna(0.0).to_numpy() * 100
    for row, (ours, half, theirs, their_half) in zip(
        cells.itertuples(index=False), percent, strict=True
    ):
        color = style.method_style(str(row.method))["color"]
        axes.errorbar(
            theirs,
            ours,
            xerr=their_half,
            yerr=half,
            color=color,
            elinewidth=0.7,
            marker=_marker(str(row.source), sources),
            markerfacecolor="white" if row.paper_status == "recalled" else color,
            markersize=4,
        )
    low = (percent[:, [0, 2]] - percent[:, [1, 3]]).min() - 3
    high = (percent[:, [0, 2]] + percent[:, [1, 3]]).max() + 3
    axes.plot([low, high], [low, high], color="0.7", linewidth=0.7, zorder=0)
    ticks = MaxNLocator(4).tick_values(low, high)
    axes.set(xticks=ticks, yticks=ticks, xlim=(low, high), ylim=(low, high), aspect="equal")


def _marker(source: str, sources: list[str]) -> str:
    return style.MARKERS[sources.index(source) % len(style.MARKERS)]


def _handles(shared: pd.DataFrame) -> list[Line2D]:
    """Return legend entries: colors of methods, markers of sources, and what hollow means."""
    sources = sorted(set(shared["source"]), key=source_rank)
    handles = [
        Line2D(
            [], [], color=style.method_style(name)["color"], linewidth=3, label=method_title(name)
        )
        for name in sorted(set(shared["method"]), key=method_rank)
    ]
    handles += [
        _point(_marker(source, sources), "0.3", source_title(source))
        for source in sources
        if source not in ("scratch", "labels")
    ]
    if "recalled" in set(shared["paper_status"]):
        handles.append(_point("o", "white", "hollow: paper recalled"))
    return handles


def _point(marker: str, face: str, label: str) -> Line2D:
    return Line2D(
        [], [], linestyle="", marker=marker, color="0.3", markerfacecolor=face, label=label
    )
