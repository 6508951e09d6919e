"""How pure the clusters of each task source are, beside what chance would give."""

from typing import Any, Final

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cactus.config.printed.titles import Titles
from cactus.paper import style
from cactus.paper.cells import quality_entry
from cactus.paper.drawing.text import text_height, wrapped
from cactus.paper.figures.inputs import FigureInputs, records
from cactus.paper.partition_quality import QUALITY_TABLE, read_quality_table
from cactus.paper.results import averaged_over_seeds
from cactus.paper.vocabulary import source_rank

_DECIMALS: Final = 2
_LINE: Final = 2.6 * style.MM  # of a meta-learner
_LEAST: Final = 5 * style.MM  # of a task source
_MARGINS: Final = 18 * style.MM
_LABEL_WIDTH: Final = 30 * style.MM
_SPREAD: Final = 0.6


def draw(inputs: FigureInputs) -> Figure:
    """Draw a line per task source, with a point per meta-learner and its mark of chance."""
    rows = _rows(inputs)
    means = rows[rows["measure"] == "purity"]
    if means.empty:
        return inputs.message(caption(inputs))
    sources = sorted(set(means["source"]), key=source_rank)
    learners = sorted(set(means["learner"]))
    names = [inputs.titles.source(name) for name in sources]
    labels = [wrapped(name, _LABEL_WIDTH, inputs.small, lines=3) for name in names]
    line = max(len(learners) * _LINE, _LEAST, text_height(labels, inputs.small))
    figure = style.new_figure(inputs.column, len(sources) * line + _MARGINS)
    axes = figure.subplots()
    methods = style.method_styles([f"cactus-{name}" for name in learners])
    looks = dict(zip(learners, methods.values(), strict=True))
    for row in records(rows):
        beside = sorted(set(means[means["source"] == row["source"]]["learner"]))
        shift = _SPREAD * ((beside.index(row["learner"]) + 0.5) / len(beside) - 0.5)
        place = sources.index(row["source"]) + shift
        if row["measure"] == "purity":
            look = {**looks[row["learner"]], "linestyle": "", "elinewidth": 0.9, "markersize": 4}
            axes.errorbar(100 * row["mean"], place, xerr=100 * row["ci95"], **look)
        else:
            axes.plot(100 * row["mean"], place, color="0.3", marker="|", markersize=5)
    axes.set_yticks(range(len(sources)), labels)
    axes.set_ylim(len(sources) - 0.5, -0.5)
    axes.set_xlim(0, 102)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("purity of the clusters [%]")
    style.legend_below(figure, _handles(learners, looks, inputs.titles), 3)
    style.add_dataset_title(figure, inputs.title, synthetic=inputs.synthetic)
    return figure


def caption(inputs: FigureInputs) -> str:
    """Return what the figure shows."""
    if _rows(inputs).empty:
        return f"{inputs.title} has no partitions to compare with classes."
    return (
        "The share of images that are of the most frequent true class of their cluster. Bars are "
        "±1.96 standard errors over the partitions. Small marks: the same clusters with classes "
        "at random."
    )


def numbers(inputs: FigureInputs) -> list[dict[str, Any]]:
    """Return the map entries of the purities, and of those by chance."""
    entries, titles = [], inputs.titles
    for row in records(_rows(inputs)):
        chance = row["measure"] != "purity"
        names = titles.source(row["source"]), titles.learner(row["learner"])
        position = ", ".join([inputs.title, *names]), "purity by chance" if chance else "purity"
        columns = ["mean"] if chance else ["mean", "ci95"]
        entries.append(quality_entry(row, position, columns, 100, _DECIMALS))
    return entries


def _rows(inputs: FigureInputs) -> pd.DataFrame:
    inputs.cells()  # refuses a data set without results
    rows = averaged_over_seeds(read_quality_table(inputs.run_folder / "tables" / QUALITY_TABLE))
    shown = rows["measure"].isin(["purity", "purity_chance"])
    return rows[shown & (rows["dataset"] == inputs.dataset)]


def _handles(learners: list[str], looks: dict[str, dict[str, Any]], titles: Titles) -> list[Line2D]:
    handles = [
        Line2D([], [], label=titles.learner(name), **{**looks[name], "linestyle": ""})
        for name in learners
    ]
    chance = Line2D([], [], label="by chance", color="0.3", marker="|", linestyle="")
    return [*handles, chance]
