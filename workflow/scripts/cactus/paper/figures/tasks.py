"""A contact sheet of constructed tasks: what the meta-learner learns to distinguish."""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cactus.data.arrays import load_images
from cactus.files import read_json
from cactus.paper import style
from cactus.paper.figures.inputs import FigureInputs
from cactus.paper.vocabulary import learner_title, source_rank, source_title
from cactus.seeding import numpy_generator
from cactus.tasks.episodes import EpisodeBatch, load_sampler
from cactus.tasks.storage import SUMMARY_FILE

_SUPPORT: Final = (0, 114, 178)
_QUERY: Final = (185, 185, 185)
_BLOCKS_PER_ROW: Final = 4
_BORDER: Final = 0.07  # of the side of an image

Image = npt.NDArray[np.uint8]


class _Cell(NamedTuple):
    """A task source, and the meta-learner and seed whose partitions are shown."""

    source: str
    learner: str
    seed: str


def draw(inputs: FigureInputs) -> Figure:
    """Draw tasks of each source as the meta-learner gets them: a row of images per class.

    The partitions are those for the source's first meta-learner and seed. CelebA's oracle draws
    tasks from attributes, not from partitions, and is left out.
    """
    cells = _cells(inputs)
    if not cells:
        return style.message_figure("No tasks are constructed from partitions here.")
    images = load_images(inputs.run_folder / "data" / str(inputs.dataset), "train")
    blocks = [_block(images, _episodes(inputs, cell)) for cell in cells]
    columns = min(len(cells), _BLOCKS_PER_ROW)
    rows = -(-len(cells) // columns)
    height, width = np.max([block.shape[:2] for block in blocks], axis=0)
    pixel = inputs.settings.contact_sheet.image_size * style.MM / images.shape[1]
    figure = style.new_figure(
        max(columns * (width * pixel + 3 * style.MM), 80 * style.MM),
        rows * (height * pixel + 7 * style.MM) + 20 * style.MM,
    )
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for panel, cell, block in zip(axes, cells, blocks, strict=False):
        _show(panel, block, cell)
    style.hide(axes[len(cells) :])
    style.legend_below(figure, _handles(), 2, _title(cells))
    style.add_dataset_title(figure, inputs.title, synthetic=inputs.synthetic)
    return figure


def numbers(_: FigureInputs) -> list[dict[str, Any]]:
    """Return nothing: the figure shows no number of the results."""
    return []


def _cells(inputs: FigureInputs) -> list[_Cell]:
    """Return one cell per source that has partitions."""
    first: dict[str, _Cell] = {}
    for row in inputs.cells().itertuples(index=False):
        no_partitions = not row.learner or row.source == "scratch"
        pools = inputs.dataset == "celeba" and row.source == "labels"
        if not (no_partitions or pools):
            first.setdefault(
                str(row.source), _Cell(str(row.source), str(row.learner), str(row.seed))
            )
    return sorted(first.values(), key=lambda cell: source_rank(cell.source))


def _episodes(inputs: FigureInputs, cell: _Cell) -> EpisodeBatch:
    """Draw tasks of a cell, with at most the classes and queries of meta-training."""
    folder = inputs.run_folder / "partitions" / str(inputs.dataset) / cell.source
    folder = folder / cell.learner / f"s{cell.seed}"
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
    tasks = []
    for task in indices:
        rows = [
            np.concatenate(
                [
                    _tile(images[index], _SUPPORT if place < shot else _QUERY)
                    for place, index in enumerate(row)
                ],
                axis=1,
            )
            for row in task
        ]
        picture = np.concatenate(rows)
        gap = np.full((images.shape[1] // 3, *picture.shape[1:]), 255, dtype=np.uint8)
        tasks += [picture, gap]
    return np.concatenate(tasks[:-1])


def _tile(image: Image, color: tuple[int, int, int]) -> Image:
    """Return an image (H, W, 1 or 3) as RGB, with a colored border and a white margin."""
    width = max(1, round(_BORDER * len(image)))
    height, breadth = image.shape[:2]
    tile = np.full((height + 4 * width, breadth + 4 * width, 3), 255, dtype=np.uint8)
    tile[width:-width, width:-width] = color
    tile[2 * width : -2 * width, 2 * width : -2 * width] = image
    return tile


def _show(axes: Axes, block: Image, cell: _Cell) -> None:
    axes.imshow(block, interpolation="nearest")
    axes.set_title(source_title(cell.source))
    axes.set_axis_off()


def _handles() -> list[Line2D]:
    named = {"support": _SUPPORT, "query": _QUERY}
    return [
        Line2D(
            [],
            [],
            linestyle="",
            marker="s",
            markersize=6,
            markerfacecolor="white",
            markeredgewidth=1.5,
            markeredgecolor="#{:02x}{:02x}{:02x}".format(*color),
            label=name,
        )
        for name, color in named.items()
    ]


def _title(cells: list[_Cell]) -> str:
    learners = " or ".join(dict.fromkeys(learner_title(cell.learner) for cell in cells))
    seeds = ", ".join(dict.fromkeys(cell.seed for cell in cells))
    return f"Tasks for {learners} (seed {seeds}), a row per class"
