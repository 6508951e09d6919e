"""Training curves of the embeddings and meta-learners of a data set."""

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from cactus.config.sections.source import Source
from cactus.errors import DataError
from cactus.paper import style
from cactus.paper.figures.inputs import FigureInputs
from cactus.paper.vocabulary import learner_title, source_rank, source_title

_PANEL_WIDTH: Final = 45 * style.MM
_PANEL_HEIGHT: Final = 45 * style.MM
_MARGINS: Final = 30 * style.MM
# Metric in a meta-learner's log, axis label, and factor to the label's unit.
_LEARNER_METRICS: Final = (
    ("loss", "training loss", 1.0),
    ("val_accuracy", "val. accuracy [%]", 100.0),
)


def draw(inputs: FigureInputs) -> Figure:
    """Draw the losses of each embedding, and each meta-learner's loss and validation accuracy.

    Seeds have the same color.
    """
    cells = inputs.cells()
    embeddings = _embeddings(cells)
    trained = cells[(cells["learner"] != "") & (cells["source"] != "scratch")]
    sources = sorted(set(trained["source"]), key=source_rank)
    learners = list(dict.fromkeys(trained["learner"]))
    columns = max(len(embeddings), len(_LEARNER_METRICS) * len(learners))
    if not columns:
        return style.message_figure(f"Nothing was trained on {inputs.title}.")
    figure = style.new_figure(
        max(columns * _PANEL_WIDTH, 110 * style.MM), 2 * _PANEL_HEIGHT + _MARGINS
    )
    axes = figure.subplots(2, columns, squeeze=False)
    _draw_embeddings(axes[0], inputs, embeddings)
    _draw_learners(axes[1], inputs, trained, sources)
    handles = _handles(sources, source_title)
    style.legend_below(figure, handles, 5 if columns > 2 else 3, "Meta-training on tasks from")
    style.add_dataset_title(figure, inputs.title, synthetic=inputs.synthetic)
    return figure


def numbers(_: FigureInputs) -> list[dict[str, Any]]:
    """Return nothing: the figure shows no number of the results."""
    return []


def _embeddings(cells: pd.DataFrame) -> dict[str, list[str]]:
    """Return the seeds of each embedding that a cell needs, in print order."""
    seeds = defaultdict(set)
    for source, seed in zip(cells["source"], cells["seed"], strict=True):
        embedding = Source.parse(source).embedding
        if embedding is not None:
            seeds[embedding].add(seed)
    return {name: sorted(seeds[name], key=int) for name in sorted(seeds, key=source_rank)}


def _draw_embeddings(
    row: Sequence[Axes], inputs: FigureInputs, embeddings: dict[str, list[str]]
) -> None:
    """Draw a panel per embedding, with a line per metric and seed."""
    for axes, (embedding, seeds) in zip(row, embeddings.items(), strict=False):
        folder = inputs.run_folder / "embeddings" / str(inputs.dataset) / embedding
        logs = [_read(folder / f"s{seed}", inputs) for seed in seeds]
        metrics = [name for name in dict.fromkeys(logs[0]["metric"]) if "loss" in name]
        for metric, look in style.series_styles(metrics).items():
            for log in logs:
                _draw_curve(axes, log, metric, **look)
        _label(axes, source_title(embedding), "loss")
        handles = _handles(metrics, lambda metric: metric.replace("_", " "))
        axes.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.3))
    style.hide(row[len(embeddings) :])


def _draw_learners(
    row: Sequence[Axes], inputs: FigureInputs, trained: pd.DataFrame, sources: Sequence[str]
) -> None:
    """Draw two panels per meta-learner, with a line per task source and seed."""
    looks = style.series_styles(sources)
    places = iter(row)
    for learner, cells in trained.groupby("learner", sort=False):
        logs = {
            (cell.source, cell.seed): _read(
                inputs.run_folder / f"models/{inputs.dataset}/{cell.source}/{learner}/s{cell.seed}",
                inputs,
            )
            for cell in cells.itertuples(index=False)
        }
        for metric, title, factor in _LEARNER_METRICS:
            axes = next(places)
            for (source, _), log in logs.items():
                _draw_curve(axes, log, metric, factor, **looks[str(source)])
            _label(axes, learner_title(str(learner)), title)
    style.hide(places)


def _read(folder: Path, inputs: FigureInputs) -> pd.DataFrame:
    return read_log(folder / "metrics.jsonl", inputs.settings.curve_points)


def read_log(path: Path, points: int) -> pd.DataFrame:
    """Read a metrics log, and reduce every metric to at most `points` means.

    Parameters
    ----------
    path
        JSON lines with a ``step`` and any metrics; a metric may be missing on some lines.
    points
        Maximum number of points of a curve. A longer one is divided into windows with equal
        numbers of lines, and each window is replaced by its mean step and mean value.

    Returns
    -------
    DataFrame
        Columns ``metric``, ``step`` and ``value``.

    Raises
    ------
    DataError
        The file is missing or is not such a log.
    """
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        frame = pd.DataFrame(lines or {"step": []}).astype(float)
        values = frame.melt("step", var_name="metric").dropna()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            "A training log cannot be read.",
            where=str(path),
            got=str(error),
            fix="delete the folder and run the same command again to recreate it",
        ) from error
    parts = [_shorten(rows, points) for _, rows in values.groupby("metric", sort=False)]
    return pd.concat(parts, ignore_index=True) if parts else values


def _shorten(rows: pd.DataFrame, points: int) -> pd.DataFrame:
    window = np.arange(len(rows)) * min(points, len(rows)) // len(rows)
    means = rows[["step", "value"]].groupby(window).mean()
    return means.assign(metric=rows["metric"].iloc[0])


def _draw_curve(
    axes: Axes, log: pd.DataFrame, metric: str, factor: float = 1.0, **look: Any
) -> None:
    rows = log[log["metric"] == metric]
    marker = "." if len(rows) == 1 else None  # a line through a single point is invisible
    axes.plot(
        rows["step"], factor * rows["value"], linewidth=0.9, alpha=0.85, marker=marker, **look
    )


def _handles(names: Sequence[str], title: Callable[[str], str]) -> list[Line2D]:
    looks = style.series_styles(names).items()
    return [Line2D([], [], label=title(name), **look) for name, look in looks]


def _label(axes: Axes, title: str, ylabel: str) -> None:
    axes.set(title=title, xlabel="training step", ylabel=ylabel)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    if not any(np.size(line.get_xdata()) for line in axes.lines):
        axes.text(0.5, 0.5, "not logged", ha="center", va="center", transform=axes.transAxes)
