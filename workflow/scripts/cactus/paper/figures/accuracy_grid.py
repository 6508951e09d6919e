"""The accuracy grid: a heat map of every cell and setting, one block per meta-learner."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from cactus.paper import style
from cactus.paper.cells import drawn_entries, percent
from cactus.paper.drawing.contrast import Color, text_color
from cactus.paper.drawing.text import text_width, wrapped
from cactus.paper.figures.inputs import FigureInputs
from cactus.paper.vocabulary import source_rank

_DECIMALS: Final = 1
_ROW_HEIGHT: Final = 7.5 * style.MM
_COLUMN_WIDTH: Final = 12 * style.MM
_LONGEST_LABEL: Final = 40 * style.MM
_HEAD_HEIGHT: Final = 21 * style.MM
_MARGINS: Final = 16 * style.MM
_COLORS: Final = "cividis"  # even in lightness, and alike for the color-blind

Setting = tuple[str, int, int]


class _Block(NamedTuple):
    """Percentages of a meta-learner, sources by settings, and half the intervals."""

    learner: str
    means: pd.DataFrame
    halves: pd.DataFrame


def draw(inputs: FigureInputs) -> Figure:
    """Draw the mean accuracy of task sources (rows) in each setting (columns), in percent."""
    results = inputs.averaged
    results = results[results["learner"] != ""]
    if results.empty:
        return style.message_figure(
            "The run has no meta-learner: there is no grid to show.", inputs.column
        )
    labels = _labels(results, inputs)
    label_width = max(text_width(line, inputs.small) for one in labels.values()
                      for line in one.split("\n")) + 4 * style.MM  # fmt: skip
    settings = list(results[["dataset", "way", "shot"]].drop_duplicates().itertuples(index=False))
    width = inputs.width(label_width + len(settings) * _COLUMN_WIDTH)
    parts = _parts(settings, max(1, int((width - label_width) / _COLUMN_WIDTH)))
    blocks = list(_blocks(results, parts))
    rows = [len(block.means) for block in blocks]
    height = sum(rows) * _ROW_HEIGHT + len(blocks) * _HEAD_HEIGHT + _MARGINS
    figure = style.new_figure(width, height)
    axes = figure.subplots(len(blocks), 1, squeeze=False, height_ratios=rows)[:, 0]
    shown = 100 * results["mean"]
    scale = ScalarMappable(Normalize(shown.min() - 1e-9, shown.max() + 1e-9), _COLORS)
    for panel, block in zip(axes, blocks, strict=True):
        column = (width - label_width) / len(block.means.columns)
        _draw_block(panel, block, scale, labels, inputs, column)
    bar = figure.colorbar(scale, ax=list(axes), location="bottom", aspect=40, shrink=0.6, pad=0.01)
    bar.set_label(wrapped(inputs.accuracy_label(), width, inputs.settings.font_size, lines=6))
    style.add_run_banner(figure, inputs.datasets, inputs.synthetic_datasets)
    return figure


def caption(inputs: FigureInputs) -> str:
    """Return what the figure shows."""
    learners = inputs.averaged[inputs.averaged["learner"] != ""]["learner"].nunique()
    blocks = ", a block for each meta-learner" if learners > 1 else ""
    return (
        "Mean accuracy in percent, and half its 95 % interval, of task sources (rows) in each "
        f"setting (columns){blocks}."
    )


def numbers(inputs: FigureInputs) -> list[dict[str, Any]]:
    """Return the map entries of the printed numbers."""
    results = inputs.averaged
    return drawn_entries(results[results["learner"] != ""], _DECIMALS, inputs.titles, interval=True)


def _labels(results: pd.DataFrame, inputs: FigureInputs) -> dict[str, str]:
    special = {"scratch": "From scratch", "labels": "True labels (oracle)"}
    names = {one: special.get(one, inputs.titles.source(one)) for one in set(results["source"])}
    return {one: wrapped(name, _LONGEST_LABEL, inputs.small) for one, name in names.items()}


def _parts(settings: Sequence[Setting], most: int) -> list[list[Setting]]:
    """Divide the columns into parts that fit on the page, between data sets where possible."""
    parts: list[list[Setting]] = [[]]
    for dataset in dict.fromkeys(name for name, _, _ in settings):
        own = [one for one in settings if one[0] == dataset]
        if parts[-1] and len(parts[-1]) + len(own) > most:
            parts.append([])
        for one in own:
            if len(parts[-1]) == most:
                parts.append([])
            parts[-1].append(one)
    return parts


def _blocks(results: pd.DataFrame, parts: Sequence[list[Setting]]) -> Iterator[_Block]:
    keys: list[Any] = ["dataset", "way", "shot"]
    for learner in dict.fromkeys(results["learner"]):
        rows = results[results["learner"] == learner]
        for part in parts:
            here = rows[[one in part for one in rows[keys].itertuples(index=False, name=None)]]
            if here.empty:
                continue
            columns = pd.MultiIndex.from_tuples(part, names=keys)
            tables = [
                100 * here.pivot(index="source", columns=keys, values=value)
                for value in ("mean", "ci95")
            ]
            order = sorted(tables[0].index, key=source_rank)
            tables = [table.reindex(index=order, columns=columns) for table in tables]
            yield _Block(str(learner), *tables)


def _draw_block(
    axes: Axes,
    block: _Block,
    scale: ScalarMappable,
    labels: dict[str, str],
    inputs: FigureInputs,
    column: float,
) -> None:
    settings: list[Any] = block.means.columns.to_list()
    sns.heatmap(
        block.means.to_numpy(),
        ax=axes,
        norm=scale.norm,
        cmap=scale.cmap,
        cbar=False,
        linewidths=0.5,
        xticklabels=[f"{way}-way\n{shot}-shot" for _, way, shot in settings],
        yticklabels=[labels[source] for source in block.means.index],
    )
    _write_numbers(axes, block, scale, inputs.small)
    axes.set_facecolor(style.BACKGROUND)
    axes.grid(visible=False)
    axes.tick_params(axis="both", length=0)
    axes.tick_params(axis="x", rotation=0)
    axes.tick_params(axis="y", rotation=0)
    size = inputs.settings.font_size
    lines = _name_datasets(axes, [dataset for dataset, _, _ in settings], inputs, column)
    title = wrapped(inputs.titles.learner(block.learner), inputs.column, size, lines=1, bold=True)
    axes.set_title(title, loc="left", fontweight="bold", pad=8 + lines * style.LINE * size)


def _write_numbers(axes: Axes, block: _Block, scale: ScalarMappable, size: float) -> None:
    means, halves = block.means.to_numpy(), block.halves.to_numpy()
    for row, column in np.ndindex(*means.shape):
        mean, half = float(means[row, column]), float(halves[row, column])
        if not np.isnan(mean):
            text = f"{percent(mean / 100, _DECIMALS)}\n±{percent(half / 100, _DECIMALS)}"
            color, place = text_color(_color(scale, mean)), (column + 0.5, row + 0.5)
            look: dict[str, Any] = {
                "ha": "center",
                "va": "center",
                "fontsize": size,
                "linespacing": 1.0,
            }
            axes.text(*place, text, color=color, **look)


def _color(scale: ScalarMappable, value: float) -> Color:
    red, green, blue = scale.to_rgba(np.array([value]))[0, :3].tolist()
    return red, green, blue


def _name_datasets(axes: Axes, names: Sequence[str], inputs: FigureInputs, column: float) -> int:
    """Write each data set's name above its columns, and separate it from the next.

    Returns
    -------
    int
        The most lines of a name.
    """
    most = 0
    for name in dict.fromkeys(names):
        first, count = names.index(name), names.count(name)
        title, width = inputs.titles.dataset(name), count * column - style.MM
        text = wrapped(title, width, inputs.small, lines=4)
        look: dict[str, Any] = {"ha": "center", "va": "bottom", "textcoords": "offset points"}
        axes.annotate(text, (first + count / 2, 0), xytext=(0, 4), fontsize=inputs.small, **look)
        most = max(most, 1 + text.count("\n"))
        if first:
            axes.axvline(first, color="white", linewidth=4)
    return most
