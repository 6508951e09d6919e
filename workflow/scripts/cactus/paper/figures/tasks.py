"""A contact sheet of constructed tasks: what the meta-learner learns to distinguish."""

from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cactus.config.printed.words import listed
from cactus.data.arrays import load_images
from cactus.files import read_json
from cactus.paper import style
from cactus.paper.drawing import tiles
from cactus.paper.drawing.text import wrapped
from cactus.paper.drawing.tiles import Image
from cactus.paper.figures.inputs import FigureInputs, SourceCell
from cactus.seeding import numpy_generator
from cactus.tasks.episodes import EpisodeBatch, load_sampler
from cactus.tasks.storage import SUMMARY_FILE

_SUPPORT: Final = (15, 109, 181)
_QUERY: Final = (190, 190, 190)
_BLOCKS_PER_ROW: Final = 4
_GAP: Final = 3 * style.MM


def draw(inputs: FigureInputs) -> Figure:
    """Draw tasks of each source as partitions make them: a row of images per class.

    The partitions are those for the source's first meta-learner and seed. The images are those of
    the data set: augmentation, which changes them anew in each episode, is said but not shown.
    CelebA's oracle draws tasks from attributes, not from partitions, and is left out.
    """
    cells = inputs.first_cells()
    if not cells:
        return inputs.message("No tasks are constructed from partitions here.")
    images = load_images(inputs.run_folder / "data" / str(inputs.dataset), "train")
    blocks = [_block(images, _episodes(inputs, cell)) for cell in cells]
    height, width = np.max([block.shape[:2] for block in blocks], axis=0)
    pixel = inputs.settings.contact_sheet.image_size * style.MM / images.shape[1]
    fit = int((inputs.page - style.MM) / (width * pixel + _GAP))
    columns = style.balanced_columns(len(cells), min(_BLOCKS_PER_ROW, fit))
    rows = -(-len(cells) // columns)
    whole = inputs.width(columns * (width * pixel + _GAP))
    pixel = min(pixel, (whole / columns - _GAP) / width)
    heading = 2 * style.LINE * inputs.settings.font_size / 72 + _GAP
    figure = style.new_figure(whole, rows * (height * pixel + heading) + 2 * style.MM)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for panel, cell, block in zip(axes, cells, blocks, strict=False):
        _show(panel, block)
        room, size = whole / columns - _GAP, inputs.settings.font_size
        panel.set_title(wrapped(inputs.titles.source(cell.source), room, size))
    style.hide(axes[len(cells) :])
    style.legend_below(figure, _handles(), 2, _title(inputs, cells))
    style.add_dataset_title(figure, inputs.title, synthetic=inputs.synthetic)
    return figure


def caption(inputs: FigureInputs) -> str:
    """Return what the figure shows."""
    names = dict.fromkeys(cell.learner for cell in inputs.first_cells())
    learners = listed([inputs.titles.learner(name) for name in names], "or")
    return f"Tasks of each source as {learners or 'a meta-learner'} gets them, a row per class."


def numbers(_: FigureInputs) -> list[dict[str, Any]]:
    """Return nothing: the figure shows no number of the results."""
    return []


def _episodes(inputs: FigureInputs, cell: SourceCell) -> EpisodeBatch:
    """Draw tasks of a cell, with at most the classes and queries of meta-training."""
    folder = inputs.run_folder / "partitions" / str(inputs.dataset) / cell.folder
    sheet, partitions = inputs.settings.contact_sheet, read_json(folder / SUMMARY_FILE)
    sampler = load_sampler(
        folder,
        min(sheet.classes, partitions["way"]),
        partitions["shot"],
        min(sheet.queries, partitions["query"]),
    )
    generator = numpy_generator("contact_sheet", str(inputs.dataset), *cell)
    return sampler.sample(generator, sheet.tasks)


def _block(images: Image, batch: EpisodeBatch) -> Image:
    """Return the tasks of a source, one below the other, as a picture (height, width, 3)."""
    indices = np.concatenate([batch.support, batch.query], axis=2)
    shot = batch.support.shape[2]
    tasks = [
        tiles.rows(
            [
                [
                    tiles.tile(images[index], _SUPPORT if place < shot else _QUERY)
                    for place, index in enumerate(row)
                ]
                for row in task
            ]
        )
        for task in indices
    ]
    return tiles.stacked(tasks, images.shape[1] // 3)


def _show(axes: Axes, block: Image) -> None:
    axes.imshow(block, interpolation="nearest")
    axes.set_axis_off()


def _handles() -> list[Line2D]:
    named = {"support": _SUPPORT, "query": _QUERY}
    return tiles.frame_handles(named)


def _title(inputs: FigureInputs, cells: list[SourceCell]) -> str:
    names = list(dict.fromkeys(cell.learner for cell in cells))
    learners = " or ".join(map(inputs.titles.learner, names))
    seeds = ", ".join(dict.fromkeys(cell.seed for cell in cells))
    title = f"Tasks for {learners} (seed {seeds}), a row per class"
    changed = [inputs.titles.learner(name) for name in names if name in inputs.augmented]
    return f"{title}; before the augmentation of {' and '.join(changed)}" if changed else title
