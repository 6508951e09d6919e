"""Some images, and their nearest neighbors in each embedding."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cactus.config.printed.words import listed
from cactus.data.arrays import load_images, load_labels
from cactus.evaluate.embeddings import load_embeddings
from cactus.paper import style
from cactus.paper.drawing import tiles
from cactus.paper.drawing.text import wrapped
from cactus.paper.drawing.tiles import Image
from cactus.paper.figures.inputs import FigureInputs
from cactus.seeding import numpy_generator

_QUERIES: Final = 6
_NEIGHBORS: Final = 7
_TILE: Final = 5 * style.MM
_GAP: Final = 4 * style.MM
_SPACE: Final = 8  # between an image and its neighbors, as so many parts of a tile
_QUERY: Final = (212, 90, 20)
_SAME: Final = (15, 109, 181)

Integers = npt.NDArray[np.integer[Any]]


def draw(inputs: FigureInputs) -> Figure:
    """Draw a block per embedding: in each row an image and its nearest neighbors.

    The neighbors are the nearest training images by Euclidean distance, the nearest first. The
    images are the same for all embeddings, of different classes where the data set has classes.
    """
    embeddings = inputs.embeddings()
    if not embeddings:
        return inputs.message(f"No embedding of {inputs.title} was trained.")
    folder = inputs.run_folder / "data" / str(inputs.dataset)
    images = load_images(folder, "train")
    labels = load_labels(folder, "train")
    queries = _queries(labels, str(inputs.dataset))
    blocks = []
    for name, seeds in embeddings.items():
        trained = inputs.run_folder / f"embeddings/{inputs.dataset}/{name}/s{seeds[0]}"
        found = nearest(load_embeddings(trained, "train"), queries, _NEIGHBORS)
        blocks.append(_block(images, queries, found, labels if labels.ndim == 1 else None))
    height, width = blocks[0].shape[:2]
    wide = (_NEIGHBORS + 1 + 1 / _SPACE) * _TILE * 1.15
    whole = inputs.width(len(blocks) * (wide + _GAP))
    columns = style.balanced_columns(len(blocks), int(whole / (wide + _GAP)))
    rows = -(-len(blocks) // columns)
    heading = 2 * style.LINE * inputs.settings.font_size / 72 + _GAP
    block_width = whole / columns - _GAP
    figure = style.new_figure(whole, rows * (block_width * height / width + heading) + 2 * style.MM)
    axes = figure.subplots(
        rows, columns, squeeze=False, gridspec_kw={"wspace": _GAP / block_width}
    ).ravel()
    for panel, name, block in zip(axes, embeddings, blocks, strict=False):
        panel.imshow(block, interpolation="nearest")
        panel.set_axis_off()
        title = wrapped(inputs.titles.source(name), block_width, inputs.settings.font_size)
        panel.set_title(title, loc="left")
    style.hide(axes[len(blocks) :])
    style.legend_below(figure, _handles(classes=labels.ndim == 1), 2)
    style.add_dataset_title(figure, inputs.title, synthetic=inputs.synthetic)
    return figure


def caption(inputs: FigureInputs) -> str:
    """Return what the figure shows."""
    names = listed([inputs.titles.source(name) for name in inputs.embeddings()])
    return f"Training images, and the nearest others in the space of {names}."


def numbers(_: FigureInputs) -> list[dict[str, Any]]:
    """Return nothing: the figure shows no number of the results."""
    return []


def nearest(vectors: npt.NDArray[np.float32], queries: Integers, count: int) -> Integers:
    """Return the indices (q, count) of the vectors that are nearest to some of them.

    A vector is not its own neighbor. Equal distances are in the order of the vectors.
    """
    found = []
    for query in queries:
        distances = ((vectors - vectors[query]) ** 2).sum(axis=1, dtype=np.float64)
        distances[query] = np.inf
        found.append(np.argsort(distances, kind="stable")[: min(count, len(vectors) - 1)])
    return np.stack(found)


def _queries(labels: Integers, dataset: str) -> Integers:
    """Return indices of images, of different classes if there are classes."""
    order = numpy_generator("neighbors", dataset).permutation(len(labels))
    if labels.ndim == 1:
        _, first = np.unique(labels[order], return_index=True)
        order = order[np.sort(first)]
    return order[:_QUERIES]


def _block(images: Image, queries: Integers, found: Integers, labels: Integers | None) -> Image:
    rows = []
    space = tiles.tile(np.full_like(images[0], tiles.WHITE))[:, ::_SPACE]
    for query, neighbors in zip(queries, found, strict=True):
        row = [tiles.tile(images[query], _QUERY), space]
        for one in neighbors:
            same = labels is not None and labels[one] == labels[query]
            row.append(tiles.tile(images[one], _SAME if same else None))
        rows.append(row)
    return tiles.rows(rows)


def _handles(*, classes: bool) -> list[Line2D]:
    named = {"image": _QUERY, **({"neighbor of the same class": _SAME} if classes else {})}
    return tiles.frame_handles(named)
