"""Accuracy against the partitions' number P, their clusters k and their purity."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from cactus.config.printed.titles import Titles
from cactus.config.printed.words import listed
from cactus.config.sections.source import Source
from cactus.paper import style
from cactus.paper.cells import drawn_entries, quality_entry
from cactus.paper.drawing.text import wrapped
from cactus.paper.figures.inputs import FigureInputs
from cactus.paper.partition_quality import QUALITY_TABLE, read_quality_table
from cactus.paper.results import ALL_SEEDS, averaged_over_seeds
from cactus.paper.vocabulary import setting_title, source_rank

_DECIMALS: Final = 2
_PANEL_HEIGHT: Final = 42 * style.MM
_MARGINS: Final = 4 * style.MM
# Distance of cells side by side, and of all of them, as parts of that of two values of P or k.
_STEP: Final = 0.08
_SPREAD: Final = 0.5
_AXES: Final = {
    "partitions": "the number of partitions",
    "clusters": "the clusters of a partition",
    "purity": "the purity of the clusters",
}
_OTHERS: Final = "open: other settings, too"


_Looks = dict[tuple[str, str], dict[str, Any]]  # by embedding and meta-learner


@dataclass(frozen=True)
class _Point:
    """A cell, averaged over its seeds; numbers in percent, with half the interval after each."""

    embedding: str
    learner: str
    partitions: int  # P
    clusters: int  # k
    others: int  # of the other settings, see `FigureInputs`
    accuracy: tuple[float, float]
    purity: tuple[float, float] | None


def draw(inputs: FigureInputs) -> Figure:
    """Plot each cell whose partitions are made by k-means, in the data set's first setting.

    The panel of P shows the cells with the most common k, that of k those with the most common P.
    A line joins cells that differ in nothing else; open markers are cells that do, because of a
    variant's other settings or of a model of one way. A panel in which all cells would have the
    same place is left out.
    """
    points = list(_points(inputs))
    panels = [one for one in _AXES if len(_places(points, one)) > 1]
    if not panels:
        return inputs.message(caption(inputs))
    looks = _looks(points)
    handles = _handles(looks, inputs.titles, others=any(point.others for point in points))
    figure = style.new_figure(inputs.column, len(panels) * _PANEL_HEIGHT + _MARGINS)
    axes = figure.subplots(len(panels), 1, squeeze=False, sharey=True)[:, 0]
    for panel, axis in zip(axes, panels, strict=True):
        if axis == "purity":
            _draw_purity(panel, points, looks)
        else:
            _draw_numbers(panel, points, axis, looks)
        label = inputs.accuracy_label(inputs.dataset)
        room = _PANEL_HEIGHT - 10 * style.MM
        panel.set_ylabel(wrapped(label, room, inputs.settings.font_size))
    axes[0].set_title(setting_title(*_setting(inputs)) + _unequal_seeds(inputs), loc="left")
    style.legend_below(figure, handles, 2)
    style.add_dataset_title(figure, inputs.title, synthetic=inputs.synthetic)
    return figure


def caption(inputs: FigureInputs) -> str:
    """Return what the figure shows."""
    points = list(_points(inputs))
    panels = [name for name in _AXES if len(_places(points, name)) > 1]
    if not panels:
        return "No two cells differ in P, in k, or in purity."
    against = listed([_AXES[name] for name in panels])
    text = f"Accuracy in tasks of {setting_title(*_setting(inputs))} against {against}."
    text += " Bars are 95 % intervals: of the accuracy, over the tasks"
    text += (
        "; of the purity, ±1.96 standard errors over the partitions." if "purity" in panels else "."
    )
    joined = {"partitions", "clusters"} & {*panels}
    return f"{text} Lines join cells that differ in nothing else." if joined else text


def numbers(inputs: FigureInputs) -> list[dict[str, Any]]:
    """Return the map entries of the accuracies and purities in the figure."""
    rows, purities = _shown(inputs), _purities(inputs)
    entries = drawn_entries(rows, _DECIMALS, inputs.titles, interval=True)
    for row in rows.itertuples(index=False):
        purity = purities.get((str(row.source), str(row.learner)))
        if purity is not None:
            title = inputs.titles.row(str(row.dataset), str(row.source), str(row.method))
            columns = ["mean", "ci95"]
            entries.append(quality_entry(purity, (title, "purity"), columns, 100, _DECIMALS))
    return entries


def _setting(inputs: FigureInputs) -> tuple[int, int]:
    """Return the lowest way of the data set's settings, and its lowest shot."""
    here = inputs.results[inputs.results["dataset"] == inputs.dataset]
    way, shot = min(zip(here["way"], here["shot"], strict=True))
    return int(way), int(shot)


def _shown(inputs: FigureInputs) -> pd.DataFrame:
    """Return the rows of results that are points."""
    inputs.cells()  # refuses a data set without results
    way, shot = _setting(inputs)
    rows = inputs.averaged
    here = (rows["dataset"] == inputs.dataset) & (rows["way"] == way) & (rows["shot"] == shot)
    return rows[here & (rows["learner"] != "") & rows["source"].isin(list(inputs.partitions))]


def _unequal_seeds(inputs: FigureInputs) -> str:
    """Say of how many training seeds the cells are means, if their numbers differ."""
    rows, shown = inputs.results, _shown(inputs)
    single = rows[(rows["dataset"] == inputs.dataset) & (rows["seed"] != ALL_SEEDS)]
    counts = single.groupby(["source", "learner"])["seed"].nunique()
    numbers = {counts[cell] for cell in zip(shown["source"], shown["learner"], strict=True)}
    return f", means of {min(numbers)} to {max(numbers)} seeds" if len(numbers) > 1 else ""


def _purities(inputs: FigureInputs) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the rows of purity, averaged over seeds, by source and learner."""
    file = inputs.run_folder / "tables" / QUALITY_TABLE
    rows = averaged_over_seeds(read_quality_table(file))
    rows = rows[(rows["dataset"] == inputs.dataset) & (rows["measure"] == "purity")]
    records = [{str(key): value for key, value in row.items()} for row in rows.to_dict("records")]
    return {(row["source"], row["learner"]): row for row in records}


def _points(inputs: FigureInputs) -> Iterator[_Point]:
    purities = _purities(inputs)
    for row in _shown(inputs).to_dict("records"):
        source, learner = row["source"], row["learner"]
        purity = purities.get((source, learner))
        yield _Point(
            str(Source.parse(source).embedding),
            learner,
            *inputs.partitions[source],
            (100 * row["mean"], 100 * row["ci95"]),
            (100 * purity["mean"], 100 * purity["ci95"]) if purity else None,
        )


def _comparable(points: list[_Point], axis: str) -> list[_Point]:
    """Return the points of a panel: for P those of one k, and for k those of one P."""
    if axis == "purity":
        return [point for point in points if point.purity]
    other = "clusters" if axis == "partitions" else "partitions"
    usual = Counter(getattr(point, other) for point in points).most_common(1)
    return [point for point in points if getattr(point, other) == usual[0][0]]


def _places(points: list[_Point], axis: str) -> list[Any]:
    """Return the places on the horizontal axis of a panel, in order."""
    return sorted({getattr(point, axis) for point in _comparable(points, axis)})


def _draw_numbers(
    axes: Axes,
    points: list[_Point],
    axis: str,
    looks: _Looks,
) -> None:
    """Draw the panel of P or k: its values at equal distances, the cells of each side by side."""
    places = _places(points, axis)
    numbers = sorted({point.others for point in points})
    series = [(*pair, others) for pair in looks for others in numbers]
    shown = _comparable(points, axis)
    step = min(_STEP, _SPREAD / len(series))
    for index, one in enumerate(series):
        own = [point for point in shown if (point.embedding, point.learner, point.others) == one]
        own.sort(key=lambda point: (getattr(point, axis), point.accuracy))
        shift = step * (index - (len(series) - 1) / 2)
        axes.errorbar(
            [places.index(getattr(point, axis)) + shift for point in own],
            [point.accuracy[0] for point in own],
            yerr=[point.accuracy[1] for point in own],
            **looks[one[:2]],
            markerfacecolor="white" if one[2] else looks[one[:2]]["color"],
            linewidth=0.6,
            elinewidth=0.7,
        )
    axes.set_xticks(range(len(places)), [str(place) for place in places])
    axes.set_xlim(-0.5, len(places) - 0.5)
    axes.grid(visible=False, axis="x")
    axes.set_xlabel(
        f"partitions P (k = {shown[0].clusters})"
        if axis == "partitions"
        else f"clusters k of a partition (P = {shown[0].partitions})"
    )


def _draw_purity(axes: Axes, points: list[_Point], looks: _Looks) -> None:
    for point in points:
        if point.purity:
            look = looks[point.embedding, point.learner]
            axes.errorbar(
                [point.purity[0]],
                [point.accuracy[0]],
                xerr=point.purity[1],
                yerr=point.accuracy[1],
                color=look["color"],
                marker=look["marker"],
                markerfacecolor="white" if point.others else look["color"],
                elinewidth=0.7,
            )
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.set_xlabel("purity of the clusters [%]")


def _looks(points: list[_Point]) -> _Looks:
    """Return a color per embedding, a line style per meta-learner, and a marker per pair."""
    embeddings = sorted({point.embedding for point in points}, key=source_rank)
    learners = sorted({point.learner for point in points})
    colors = {name: look["color"] for name, look in style.source_styles(embeddings).items()}
    return {
        (embedding, learner): {
            "color": colors[embedding],
            "marker": style.MARKERS[(place * len(learners) + number) % len(style.MARKERS)],
            "linestyle": style.LINES[number % len(style.LINES)],
        }
        for place, embedding in enumerate(embeddings)
        for number, learner in enumerate(learners)
        if any((one.embedding, one.learner) == (embedding, learner) for one in points)
    }


def _handles(looks: _Looks, titles: Titles, *, others: bool) -> list[Line2D]:
    """Return legend entries of embeddings with meta-learners, and of open markers."""
    handles = [
        Line2D([], [], label=f"{titles.source(embedding)}, {titles.learner(learner)}", **look)
        for (embedding, learner), look in looks.items()
    ]
    if others:
        handles.append(
            Line2D([], [], ls="", marker="o", color="0.3", markerfacecolor="white", label=_OTHERS)
        )
    return handles
