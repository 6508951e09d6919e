"""Which classes are taken for which, by the best CACTUs cell in the first setting."""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, OffsetImage

from cactus.config.sections.source import Source
from cactus.data.arrays import load_images, load_labels, load_manifest
from cactus.evaluate.confusion import CONFUSION_FILE, ConfusionRow, read_confusion
from cactus.paper import style
from cactus.paper.cells import confusion_entry, percent
from cactus.paper.drawing import tiles
from cactus.paper.drawing.contrast import text_color
from cactus.paper.drawing.text import shortened, text_height, text_width
from cactus.paper.figures.inputs import FigureInputs, records
from cactus.paper.results import ALL_SEEDS
from cactus.paper.vocabulary import setting_title

_MOST: Final = 30  # classes of a matrix
_PAIRS: Final = 12
_LEAST: Final = 10  # queries of a pair
_COLORS: Final = "cividis"  # even in lightness, and alike for the color-blind
_LONGEST_NAME: Final = 35 * style.MM
_AXIS_LABELS: Final = 9 * style.MM  # a line of text beside the names, and the margins
_LARGEST: Final = 11 * style.MM  # side of an entry
_AROUND: Final = 1.2 * style.MM  # around a number in its entry
_BAR: Final = 14 * style.MM  # what the colors mean
_TILE: Final = 7 * style.MM
_FRAME: Final = (150, 150, 150)


class _Shown(NamedTuple):
    """A cell as its row of the results, its counts, and the names of the split's classes."""

    result: dict[str, Any]
    counts: list[ConfusionRow]
    names: dict[int, str]

    @property
    def is_matrix(self) -> bool:
        """Whether there are few enough classes for a matrix."""
        return len(self.labels) <= _MOST

    @property
    def labels(self) -> list[int]:
        """The classes in the episodes."""
        return sorted({row.true for row in self.counts})

    @property
    def pairs(self) -> list[ConfusionRow]:
        """The most confused pairs of classes, of those that met often enough."""
        apart = [one for one in self.counts if one.true != one.predicted]
        met = [one for one in apart if one.queries >= _LEAST]
        return sorted(met, key=lambda one: (-one.share, -one.queries, *one))[:_PAIRS]


def draw(inputs: FigureInputs) -> Figure:
    """Draw a matrix of the classes if they are few, else the most confused pairs."""
    shown = _shown(inputs)
    if shown is None:
        return inputs.message(f"No CACTUs cell on classes of {inputs.title} was evaluated.")
    if shown.is_matrix:
        figure = _matrix(inputs, shown)
    elif shown.pairs:
        figure = _bars(inputs, shown)
    else:
        return inputs.message(
            f"{inputs.title} has {len(shown.labels)} classes in the episodes, and no two that were "
            f"confused met with {_LEAST} queries or more."
        )
    row = shown.result
    cell = f"{inputs.titles.pair(row['source'], row['method'])}, seed {row['seed']}"
    note = f"{cell}: {setting_title(row['way'], row['shot'])}"
    note += "" if shown.is_matrix else f"; pairs with {_LEAST} queries or more"
    style.legend_below(figure, [], 1, note)
    style.add_dataset_title(figure, inputs.title, synthetic=inputs.synthetic)
    return figure


def caption(inputs: FigureInputs) -> str:
    """Return what the figure shows."""
    shown = _shown(inputs)
    if shown is None:
        return f"No CACTUs cell on classes of {inputs.title} was evaluated."
    place = f"in tasks of {setting_title(shown.result['way'], shown.result['shot'])}"
    cell = inputs.titles.pair(shown.result["source"], shown.result["method"])
    if shown.is_matrix:
        return (
            f"Percent of the queries of the row's class that {cell} takes for the column's, "
            f"{place} with both. {_resting(shown.counts)} Light gray entries have none, or the two "
            "classes never met."
        )
    return (
        f"The classes that {cell} confuses most, {place}: an image of the class, and one of what "
        "it was taken for."
    )


def _resting(counts: list[ConfusionRow]) -> str:
    """Return on how many queries the entries rest: few can be bright by chance."""
    queries = sorted({one.queries for one in counts})
    many = f"{queries[0]} to {queries[-1]}" if len(queries) > 1 else f"{queries[0]}"
    return f"Each rests on {many} queries."


def numbers(inputs: FigureInputs) -> list[dict[str, Any]]:
    """Return the map entries of the percentages."""
    shown = _shown(inputs)
    if shown is None:
        return []
    entries = []
    for one in shown.counts if shown.is_matrix else shown.pairs:
        names = shown.names[one.true], shown.names[one.predicted]
        position = f"class {names[0]}", f"predicted as {names[1]}"
        row = {**shown.result, "true": one.true, "predicted": one.predicted}
        entries.append(confusion_entry(row, position, one.share, 0))
    return entries


def _shown(inputs: FigureInputs) -> _Shown | None:
    """Return the best CACTUs cell of the first seed in the first setting, if one has counts.

    Models that are trained and scored on tasks of one way are left out: their first setting may be
    another one. Of equal cells, the first in print order is shown.
    """
    sources = {name: Source.parse(name) for name in set(inputs.cells()["source"])}
    on = [name for name, one in sources.items() if one.embedding and one.way is None]
    rows = inputs.results[inputs.results["dataset"] == inputs.dataset]
    rows = rows[rows["source"].isin(on) & (rows["learner"] != "") & (rows["seed"] != ALL_SEEDS)]
    rows = rows[rows["seed"] == min(rows["seed"], key=int, default="")]
    best: tuple[dict[str, Any], list[ConfusionRow]] | None = None
    counts: dict[tuple[str, str], list[ConfusionRow]] = {}
    for row in records(rows):
        cell = row["source"], row["learner"]
        if cell not in counts:
            folder = f"evaluations/{inputs.dataset}/{cell[0]}/{cell[1]}/s{row['seed']}"
            counts[cell] = read_confusion(inputs.run_folder / folder / CONFUSION_FILE)
        own = counts[cell]
        first = bool(own) and (own[0].way, own[0].shot) == (row["way"], row["shot"])
        if first and (best is None or row["mean"] > best[0]["mean"]):
            best = row, own
    if best is None:
        return None
    split = load_manifest(inputs.run_folder / "data" / str(inputs.dataset)).splits[best[0]["split"]]
    known = dict(enumerate(split.classes))
    labels = {one for row in best[1] for one in (row.true, row.predicted)}
    return _Shown(*best, {one: known.get(one, str(one)) for one in labels})


def _matrix(inputs: FigureInputs, shown: _Shown) -> Figure:
    labels, small = shown.labels, inputs.small
    names = [shortened(shown.names[one], _LONGEST_NAME, small) for one in labels]
    widest = max(text_width(name, small) for name in names)
    number = text_width("100", small) + _AROUND
    room = widest + _AXIS_LABELS
    width = inputs.width(len(labels) * number + room)
    side = min((width - room) / len(labels), _LARGEST)
    turned = widest > side - _AROUND / 2
    below = widest if turned else text_height(["1"], small)
    figure = style.new_figure(width, len(labels) * side + below + _AXIS_LABELS + _BAR)
    axes = figure.subplots()
    values = _values(shown)
    known = values[~np.isnan(values)]
    norm = Normalize(known.min() - 1e-9, known.max() + 1e-9)
    scale = ScalarMappable(norm, _COLORS)
    look: dict[str, Any] = {"edgecolors": "white", "linewidth": 0.5}
    axes.pcolormesh(np.ma.masked_invalid(values), norm=norm, cmap=_COLORS, **look)
    axes.set(aspect="equal", ylim=(len(labels), 0), facecolor=style.BACKGROUND)
    places = np.arange(len(labels)) + 0.5
    axes.set_yticks(places, names)
    axes.set_xticks(places, names, rotation=90 if turned else 0)
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.set(xlabel="predicted class", ylabel="class of the query")
    if number <= side:
        _write_numbers(axes, values, scale, small)
    bar = figure.colorbar(scale, ax=axes, location="bottom", aspect=40, shrink=0.6, pad=0.01)
    bar.set_label("of the row's queries in episodes with both [%]")
    return figure


def _values(shown: _Shown) -> npt.NDArray[np.float64]:
    """Return percentages, classes by predicted classes; NaN where nothing was predicted so."""
    labels = shown.labels
    values = np.full((len(labels), len(labels)), np.nan)
    for one in shown.counts:
        values[labels.index(one.true), labels.index(one.predicted)] = 100 * one.share
    return values


def _write_numbers(
    axes: Axes, values: npt.NDArray[np.float64], scale: ScalarMappable, size: float
) -> None:
    for row, column in np.argwhere(~np.isnan(values)).tolist():
        value = float(values[row, column])
        red, green, blue = scale.to_rgba(np.array([value]))[0, :3].tolist()
        look: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": size}
        text, color = percent(value / 100, 0), text_color((red, green, blue))
        axes.text(column + 0.5, row + 0.5, text, color=color, **look)


def _bars(inputs: FigureInputs, shown: _Shown) -> Figure:
    pairs, small = shown.pairs, inputs.small
    labels = [
        "\n".join(
            shortened(text, _LONGEST_NAME, small)
            for text in (shown.names[one.true], f"as {shown.names[one.predicted]}")
        )
        for one in pairs
    ]
    line = max(_TILE, text_height(labels, small)) + style.MM
    figure = style.new_figure(inputs.column, len(pairs) * line + 12 * style.MM)
    rest = inputs.column - _LONGEST_NAME - 2 * _TILE - _AXIS_LABELS
    pictures, bars = figure.subplots(1, 2, sharey=True, width_ratios=[2 * _TILE, rest])
    _draw_images(pictures, inputs, shown)
    pictures.set_yticks(range(len(pairs)), labels)
    pictures.set_ylim(len(pairs) - 0.5, -0.5)
    shares = [100 * one.share for one in pairs]
    bars.barh(range(len(pairs)), shares, height=0.6, color=style.PALETTE[0])
    counts = [f"{one.predictions} of {one.queries}" for one in pairs]
    for place, (share, text) in enumerate(zip(shares, counts, strict=True)):
        look: dict[str, Any] = {"xytext": (2, 0), "textcoords": "offset points", "fontsize": small}
        bars.annotate(text, (share, place), va="center", **look)
    free = [max(rest - text_width(text, small) - _AROUND, rest / 2) for text in counts]
    bars.set_xlim(0, max(share * rest / one for share, one in zip(shares, free, strict=True)))
    bars.set_xticks([one for one in bars.get_xticks() if one <= min(100, bars.get_xlim()[1])])
    bars.tick_params(axis="y", length=0, labelleft=False)
    bars.grid(visible=False, axis="y")
    bars.set_xlabel("predicted so [%]")
    return figure


def _draw_images(axes: Axes, inputs: FigureInputs, shown: _Shown) -> None:
    """Draw an image of each class beside one of what it was taken for: the first of the split."""
    folder = inputs.run_folder / "data" / str(inputs.dataset)
    images = load_images(folder, shown.result["split"])
    labels = load_labels(folder, shown.result["split"])
    axes.set(xlim=(0, 2), xticks=[])
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    for place, pair in enumerate(shown.pairs):
        for column, label in enumerate((pair.true, pair.predicted)):
            picture = tiles.tile(images[int(np.argmax(labels == label))], _FRAME)
            size = 72 * _TILE / len(picture)
            image = OffsetImage(picture, zoom=size, interpolation="nearest")
            axes.add_artist(AnnotationBbox(image, (column + 0.5, place), pad=0, frameon=False))
