"""The diagnostic pictures of the embeddings, titled with what they show."""

from typing import Any, Final

from matplotlib.figure import Figure
from matplotlib.image import imread

from cactus.config.printed.words import listed
from cactus.config.sections.names import EMBEDDINGS
from cactus.errors import DataError
from cactus.paper import style
from cactus.paper.drawing.text import text_height, wrapped
from cactus.paper.figures.inputs import FigureInputs

_GAP: Final = 4 * style.MM
_MARGINS: Final = 2 * style.MM
# What each embedding draws in `diagnose`, see its module in `cactus.embed`.
_SHOWN: Final = {
    "acai": "a row: an image, the way from its reconstruction to that of another, and the other",
    "bigan": "samples; then pairs of rows: images, and what G makes of their codes",
    "contrastive": "a row: an image, views of it as in training, and its nearest neighbors",
    "deepcluster": "a row: a cluster, the images nearest to its center first",
    "infogan": "images; then samples, in each row of which one code varies",
}
_CUSTOM: Final = "as its own module draws it"


def draw(inputs: FigureInputs) -> Figure:
    """Draw the picture of each embedding's first seed below its name and what it shows."""
    embeddings = inputs.embeddings()
    if not embeddings:
        return inputs.message(f"No embedding of {inputs.title} was trained.")
    pictures = {name: _picture(inputs, name, seeds[0]) for name, seeds in embeddings.items()}
    columns = min(2, len(pictures))
    whole = inputs.column if columns == 1 else inputs.page
    names = list(pictures)
    rows = [names[start : start + columns] for start in range(0, len(names), columns)]
    wide = whole / columns - _GAP
    heights = [max(wide * _aspect(pictures[name]) for name in row) for row in rows]
    size, small = inputs.settings.font_size, inputs.small
    heading = 4.5 * style.LINE * size / 72
    height = sum(heights) + len(rows) * heading + _MARGINS
    figure = style.new_figure(whole, height)
    axes = figure.subplots(len(rows), columns, squeeze=False, height_ratios=heights).ravel()
    for panel, name in zip(axes, names, strict=False):
        panel.imshow(pictures[name], interpolation="nearest")
        panel.set_axis_off()
        panel.set_anchor("N")
        shown = _SHOWN[name] if name in EMBEDDINGS else _CUSTOM
        note = wrapped(shown, wide, small, lines=2)
        above = {"xytext": (0, 3), "textcoords": "offset points", "fontsize": small}
        panel.annotate(note, (0, 1), xycoords="axes fraction", va="bottom", **above)
        title = wrapped(inputs.titles.source(name), wide, size, lines=1, bold=True)
        room = 72 * text_height([note], small) + 3
        panel.set_title(title, loc="left", fontweight="bold", pad=room)
    style.hide(axes[len(names) :])
    style.add_dataset_title(figure, inputs.title, synthetic=inputs.synthetic)
    return figure


def caption(inputs: FigureInputs) -> str:
    """Return what the figure shows."""
    names = listed([inputs.titles.source(name) for name in inputs.embeddings()])
    return f"Diagnostic pictures of {names}; what a row has stands above them."


def numbers(_: FigureInputs) -> list[dict[str, Any]]:
    """Return nothing: the figure shows no number of the results."""
    return []


def _aspect(picture: Any) -> float:
    return float(picture.shape[0] / picture.shape[1])


def _picture(inputs: FigureInputs, embedding: str, seed: str) -> Any:
    path = inputs.run_folder / f"embeddings/{inputs.dataset}/{embedding}/s{seed}/diagnostic.png"
    try:
        return imread(path)
    except (OSError, ValueError, SyntaxError) as error:
        raise DataError(
            "The diagnostic picture of an embedding cannot be read.",
            where=str(path),
            got=str(error),
            fix="delete the folder of the embedding and run the same command again",
        ) from error
