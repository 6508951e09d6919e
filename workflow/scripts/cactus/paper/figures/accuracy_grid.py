"""The accuracy grid: a heat map of every cell and setting, one block per meta-learner."""

from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cactus.paper import style
from cactus.paper.cells import drawn_entries, percent
from cactus.paper.figures.inputs import FigureInputs
from cactus.paper.vocabulary import (
    Titles,
    dataset_title,
    learner_title,
    source_rank,
    source_title,
)

_DECIMALS = 1
_ROW_HEIGHT = 7 * style.MM
_COLUMN_WIDTH = 11.5 * style.MM
_LABEL_WIDTH = 45 * style.MM
_HEAD_HEIGHT = 24 * style.MM
_MARGINS = 28 * style.MM


def draw(inputs: FigureInputs) -> Figure:
    """Draw the mean accuracy of task sources (rows) in each setting (columns), in percent."""
    results = inputs.averaged
    results = results[results["learner"] != ""]
    if results.empty:
        return style.message_figure("The run has no meta-learner: there is no grid to show.")
    tables = {learner: _table(results, learner) for learner in dict.fromkeys(results["learner"])}
    rows, columns = sum(map(len, tables.values())), len(next(iter(tables.values())).columns)
    figure = style.new_figure(
        max(_LABEL_WIDTH + columns * _COLUMN_WIDTH, 90 * style.MM),
        rows * _ROW_HEIGHT + len(tables) * _HEAD_HEIGHT + _MARGINS,
    )
    axes = figure.subplots(
        len(tables),
        1,
        squeeze=False,
        gridspec_kw={"height_ratios": list(map(len, tables.values()))},
    )[:, 0]
    for panel, (learner, table) in zip(axes, tables.items(), strict=True):
        _draw_block(panel, table, inputs.titles)
        panel.set_title(learner_title(learner), loc="left", fontweight="bold", pad=20)
    scale = axes[0].collections[0]
    label = inputs.accuracy_label()
    figure.colorbar(scale, ax=list(axes), label=label, location="bottom", aspect=40, shrink=0.6)
    style.add_run_banner(figure, inputs.datasets, inputs.synthetic_datasets)
    return figure


def numbers(inputs: FigureInputs) -> list[dict[str, Any]]:
    """Return the map entries of the printed numbers."""
    results = inputs.averaged
    return drawn_entries(
        results[results["learner"] != ""], _DECIMALS, inputs.titles, interval=False
    )


def _table(results: pd.DataFrame, learner: str) -> pd.DataFrame:
    """Return mean accuracies in percent, sources by (data set, way, shot)."""
    setting = ["dataset", "way", "shot"]
    columns = pd.MultiIndex.from_frame(results[setting].drop_duplicates())
    rows = results[results["learner"] == learner]
    table = 100 * rows.pivot(index="source", columns=setting, values="mean")
    return table.reindex(index=sorted(table.index, key=source_rank), columns=columns)


def _draw_block(axes: Axes, table: pd.DataFrame, titles: Titles) -> None:
    values = table.to_numpy()
    columns: list[Any] = table.columns.to_list()
    sns.heatmap(
        values,
        ax=axes,
        vmin=0,
        vmax=100,
        cmap="cividis",
        annot=np.vectorize(_annotation)(values),
        fmt="",
        cbar=False,
        linewidths=0.5,
        xticklabels=[f"{way}-way\n{shot}-shot" for _, way, shot in columns],
        yticklabels=[_row_label(source) for source in table.index],
    )
    axes.set_facecolor("0.93")
    axes.grid(visible=False)
    axes.tick_params(axis="both", length=0)
    axes.tick_params(axis="x", rotation=0)
    axes.tick_params(axis="y", rotation=0)
    _name_datasets(axes, [dataset_title(dataset, titles) for dataset, _, _ in columns])


def _annotation(value: float) -> str:
    return "" if np.isnan(value) else percent(value / 100, _DECIMALS)


def _row_label(source: str) -> str:
    special = {"scratch": "From scratch", "labels": "True labels (oracle)"}
    return special.get(source, source_title(source))


def _name_datasets(axes: Axes, names: list[str]) -> None:
    """Write each data set's name above its columns, and separate it from the next."""
    for name in dict.fromkeys(names):
        first, count = names.index(name), names.count(name)
        axes.annotate(
            name,
            (first + count / 2, 0),
            xytext=(0, 4),
            textcoords="offset points",
            ha="center",
            va="bottom",
        )
        if first:
            axes.axvline(first, color="white", linewidth=4)
