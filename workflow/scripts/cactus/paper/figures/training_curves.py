"""Training curves of the embeddings and meta-learners of a data set."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import offset_copy

from cactus.config.printed.words import listed
from cactus.errors import DataError
from cactus.paper import style
from cactus.paper.drawing.text import wrapped
from cactus.paper.figures.inputs import FigureInputs
from cactus.paper.vocabulary import source_rank

_PANEL_WIDTH: Final = 44 * style.MM
_PANEL_HEIGHT: Final = 42 * style.MM
_LEGEND: Final = 7 * style.MM  # of the losses of an embedding
_BELOW: Final = 8 * style.MM  # of its place below the panel
_MARGINS: Final = 4 * style.MM
_MOST_LINES: Final = 6  # in a panel
_ACCURACY: Final = "val. accuracy [%]"
# Metric in a meta-learner's log, axis label, and factor to the label's unit.
_LEARNER_METRICS: Final = (
    ("loss", "training loss", 1.0),
    ("val_accuracy", _ACCURACY, 100.0),
)
_MARKED: Final = "val_accuracy"  # measured at few steps, which markers show

Logs = Sequence[pd.DataFrame]  # of seeds


def draw(inputs: FigureInputs) -> Figure:
    """Draw the losses of each embedding, and each meta-learner's loss and validation accuracy.

    A line is the mean over seeds, in a band from the lowest seed to the highest.
    """
    embeddings, cells = dict(_embedding_logs(inputs)), inputs.cells()
    trained = cells[(cells["learner"] != "") & (cells["source"] != "scratch")]
    sources = sorted(set(trained["source"]), key=source_rank)
    learners = list(_learner_panels(trained))
    count = len(embeddings) + 2 * len(learners)
    if not count:
        return inputs.message(caption(inputs))
    columns = _columns(inputs, len(embeddings), 2 * len(learners))
    rows = -(-len(embeddings) // columns), -(-2 * len(learners) // columns)
    width = inputs.width(columns * _PANEL_WIDTH)
    figure = style.new_figure(width, sum(rows) * _PANEL_HEIGHT + rows[0] * _LEGEND + _MARGINS)
    axes = figure.subplots(sum(rows), columns, squeeze=False)
    room = width / columns - 12 * style.MM
    _draw_embeddings(list(axes[: rows[0]].ravel()), inputs, embeddings, room)
    looks = style.source_styles(sources)
    places = iter(axes[rows[0] :].ravel())
    for learner, shown in learners:
        _draw_learner(places, inputs, trained, learner, {name: looks[name] for name in shown}, room)
    _share_accuracies(list(axes.ravel()))
    style.hide(places)
    names = map(inputs.titles.source, looks)
    handles = [_handle(*one, marked=True) for one in zip(names, looks.values(), strict=True)]
    seeds = max(trained.groupby(["source", "learner"]).size().max() if len(trained) else 0,
                max(map(len, embeddings.values()), default=0))  # fmt: skip
    title = "Meta-training on tasks from" if handles else ""
    title += "\n(bands: lowest to highest seed)" if seeds > 1 else ""
    style.legend_below(figure, handles, 4, title or None)
    style.add_dataset_title(figure, inputs.title, synthetic=inputs.synthetic)
    return figure


def caption(inputs: FigureInputs) -> str:
    """Return what the figure shows."""
    cells, logs = inputs.cells(), dict(_embedding_logs(inputs))
    trained = cells[(cells["learner"] != "") & (cells["source"] != "scratch")]
    learners = [inputs.titles.learner(name) for name in dict.fromkeys(trained["learner"])]
    parts = [f"losses of {listed([inputs.titles.source(name) for name in logs])}"] if logs else []
    if not len(trained) and not logs:
        return f"Nothing was trained on {inputs.title}."
    parts += [f"loss and validation accuracy of {listed(learners)}"] if learners else []
    text = f"{'; '.join(parts)}, over the steps of training."
    bands = " Bands span the training seeds." if cells["seed"].nunique() > 1 else ""
    return text[0].upper() + text[1:] + bands


def numbers(_: FigureInputs) -> list[dict[str, Any]]:
    """Return nothing: the figure shows no number of the results."""
    return []


def _columns(inputs: FigureInputs, *counts: int) -> int:
    """Return the number of panels side by side; two of a learner stay together."""
    fit = max(2, int(inputs.page / _PANEL_WIDTH) // 2 * 2)
    return min(fit, max(*counts, 2))


def _learner_panels(trained: pd.DataFrame) -> Iterator[tuple[str, list[str]]]:
    """Yield meta-learners, each with the task sources of one panel, few enough to read."""
    for learner, rows in trained.groupby("learner", sort=False):
        names = sorted(set(rows["source"]), key=source_rank)
        parts = -(-len(names) // _MOST_LINES)
        yield from ((str(learner), list(part)) for part in np.array_split(names, parts))


def _embedding_logs(inputs: FigureInputs) -> Iterator[tuple[str, Logs]]:
    """Yield embeddings and the logs of their seeds; untrained ones have none to draw."""
    for embedding, seeds in inputs.embeddings().items():
        folder = inputs.run_folder / "embeddings" / str(inputs.dataset) / embedding
        logs = [_read(folder / f"s{seed}", inputs) for seed in seeds]
        if any(map(len, logs)):
            yield embedding, logs


def _draw_embeddings(
    places: Sequence[Axes], inputs: FigureInputs, embeddings: dict[str, Logs], room: float
) -> None:
    """Draw a panel per embedding, with a line per metric."""
    for axes, (embedding, logs) in zip(places, embeddings.items(), strict=False):
        metrics = [name for name in dict.fromkeys(logs[0]["metric"]) if "loss" in name]
        looks = style.loss_styles(metrics)
        for metric, look in looks.items():
            _draw_curve(axes, logs, metric, look)
        _label(axes, inputs.titles.source(embedding), "loss", room, inputs)
        if len(metrics) > 1:
            names = [wrapped(metric.replace("_", " "), room, inputs.small) for metric in metrics]
            handles = map(_handle, names, looks.values())
            # Below the label of the axis, however high the panel is.
            below = offset_copy(axes.transAxes, axes.get_figure(root=True), y=-_BELOW)
            place: dict[str, Any] = {"bbox_to_anchor": (0.5, 0), "bbox_transform": below}
            axes.legend(handles=list(handles), loc="upper center", **place)
    style.hide(places[len(embeddings) :])


def _draw_learner(
    places: Iterator[Axes],
    inputs: FigureInputs,
    trained: pd.DataFrame,
    learner: str,
    looks: Mapping[str, dict[str, Any]],
    room: float,
) -> None:
    """Draw two panels of a meta-learner, with a line per task source."""
    logs = {}
    for source in looks:
        here = trained[(trained["learner"] == learner) & (trained["source"] == source)]
        folder = inputs.run_folder / f"models/{inputs.dataset}/{source}/{learner}"
        logs[source] = [_read(folder / f"s{seed}", inputs) for seed in here["seed"]]
    for metric, title, factor in _LEARNER_METRICS:
        axes = next(places)
        for source, look in looks.items():
            _draw_curve(axes, logs[source], metric, look, factor)
        _label(axes, inputs.titles.learner(learner), title, room, inputs)


def _share_accuracies(panels: Sequence[Axes]) -> None:
    """Give the panels of accuracies one scale."""
    alike = [panel for panel in panels if panel.get_ylabel() == _ACCURACY]
    for panel in alike[1:]:
        panel.sharey(alike[0])
    if alike:
        alike[0].autoscale(axis="y")


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
    axes: Axes, logs: Logs, metric: str, look: Mapping[str, Any], factor: float = 1.0
) -> None:
    """Draw the mean over seeds at the steps that all have, and the band between the seeds."""
    values = [log[log["metric"] == metric].set_index("step")["value"] for log in logs]
    seeds = factor * pd.concat(values, axis=1, join="inner")
    few = metric == _MARKED or len(seeds) == 1
    shown = {**look, "marker": look["marker"] if few else None}
    axes.plot(seeds.index, seeds.mean(axis=1), linewidth=1.0, markersize=2.5, **shown)
    if len(logs) > 1:
        band = {"color": look["color"], "alpha": 0.18, "linewidth": 0}
        axes.fill_between(seeds.index, seeds.min(axis=1), seeds.max(axis=1), **band)


def _handle(label: str, look: Mapping[str, Any], *, marked: bool = False) -> Line2D:
    return Line2D([], [], label=label, **{**look, "marker": look["marker"] if marked else None})


def _label(axes: Axes, title: str, ylabel: str, room: float, inputs: FigureInputs) -> None:
    text = wrapped(title, room, inputs.settings.font_size)
    axes.set_title(text, loc="left")
    axes.set(xlabel="training step", ylabel=ylabel)
    axes.set_xlim(left=0)
    axes.xaxis.set_major_locator(MaxNLocator(3, integer=True))
    if not any(np.size(line.get_xdata()) for line in axes.lines):
        axes.text(0.5, 0.5, "not logged", ha="center", va="center", transform=axes.transAxes)
