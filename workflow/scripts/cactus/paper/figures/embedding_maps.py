"""Maps of the embeddings: images as points, by true class and by cluster, side by side."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from cactus.data.arrays import load_labels
from cactus.evaluate.embeddings import load_embeddings
from cactus.paper import style
from cactus.paper.drawing.text import wrapped
from cactus.paper.figures.inputs import FigureInputs, SourceCell
from cactus.seeding import derive_seed, numpy_generator
from cactus.tasks.storage import DROPPED, read_partitions

_CLASSES: Final = len(style.PALETTE)
_IMAGES: Final = 30  # per class, at most
_DIMENSIONS: Final = 50  # that t-SNE starts from
_NEIGHBORHOOD: Final = 20.0  # perplexity, at most
_FEWEST: Final = 5  # images that t-SNE can map
_PANEL: Final = 33 * style.MM
_ROOM: Final = 1.16  # the view, as a multiple of what the points take
_SLIMMEST: Final = 0.5  # height of a panel, as a part of its width
_HEADING: Final = 9 * style.MM
_MARGINS: Final = 2 * style.MM
_NOTE: Final = (
    "t-SNE of the images of {classes} classes after PCA, of each embedding on its own\n"
    "by class: colors and markers are true classes\n"
    "by cluster: those of one partition; colors and markers are the largest clusters among "
    "these images, gray dots all others"
)

Integers = npt.NDArray[np.integer[Any]]
Floats = npt.NDArray[np.floating[Any]]


def draw(inputs: FigureInputs) -> Figure:
    """Draw two panels per embedding: the same points by true class and by cluster.

    The clusters are those of the first partition for the first meta-learner and seed.
    """
    cells = inputs.embedded_cells()
    if not cells:
        return inputs.message(f"No embedding of {inputs.title} is clustered as it is.")
    labels = load_labels(inputs.run_folder / "data" / str(inputs.dataset), "train")
    chosen = _sample(labels, str(inputs.dataset))
    width = inputs.width(2 * len(cells) * _PANEL)
    beside = style.balanced_columns(len(cells), int(width / (2 * _PANEL)))
    rows = -(-len(cells) // beside)
    side = width / (2 * beside)
    maps = [_points(inputs, cell, chosen) for cell in cells]
    shape = max(_shape(points) for points, _ in maps)
    figure = style.new_figure(width, rows * (side * shape + _HEADING) + _MARGINS)
    axes = figure.subplots(rows, 2 * beside, squeeze=False).reshape(rows * beside, 2)
    for panels, cell, (points, clusters) in zip(axes, cells, maps, strict=False):
        for panel, groups, name in zip(
            panels, (labels[chosen], clusters), ("by class", "by cluster"), strict=True
        ):
            _draw_panel(panel, points, groups, shape)
            size = inputs.settings.font_size
            title = wrapped(inputs.titles.source(cell.source), side - 4 * style.MM, size, lines=1)
            panel.set_title(f"{title}\n{name}")
    style.hide(axes[len(cells) :].ravel())
    classes = len(np.unique(labels[chosen]))
    style.legend_below(figure, [], 1, _NOTE.format(classes=classes))
    style.add_dataset_title(figure, inputs.title, synthetic=inputs.synthetic)
    return figure


def caption(_: FigureInputs) -> str:
    """Return what the figure shows."""
    return (
        "Training images of some classes in two dimensions by t-SNE, colored by true class and by "
        "cluster."
    )


def numbers(_: FigureInputs) -> list[dict[str, Any]]:
    """Return nothing: the figure shows no number of the results."""
    return []


def _sample(labels: Integers, dataset: str) -> Integers:
    """Return the indices of images of some classes, up to `_IMAGES` of each."""
    generator = numpy_generator("embedding_maps", dataset)
    classes, counts = np.unique(labels, return_counts=True)
    classes = classes[counts > 1] if (counts > 1).any() else classes
    classes = np.sort(generator.permutation(classes)[:_CLASSES])
    members = [generator.permutation(np.flatnonzero(labels == one))[:_IMAGES] for one in classes]
    return np.concatenate(members)


def _points(inputs: FigureInputs, cell: SourceCell, chosen: Integers) -> tuple[Floats, Integers]:
    """Return the (n, 2) places of the chosen images, and their clusters."""
    run, dataset = inputs.run_folder, str(inputs.dataset)
    vectors = load_embeddings(run / "embeddings" / dataset / cell.source / f"s{cell.seed}", "train")
    partitions = read_partitions(run / "partitions" / dataset / cell.folder)
    places = project(vectors[chosen], derive_seed("embedding_maps", dataset, *cell))
    return _turned(places), np.asarray(partitions[0])[chosen]


def _turned(places: Floats) -> Floats:
    """Return places turned to be widest across, around 0: t-SNE gives them any direction."""
    x, y = (places - places.mean(axis=0)).T
    angle = 0.5 * np.arctan2(2 * (x * y).mean(), (x * x).mean() - (y * y).mean())
    turned: Floats = np.column_stack(
        [x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)]
    )
    middle: Floats = turned - (turned.min(axis=0) + turned.max(axis=0)) / 2
    return middle


def _shape(places: Floats) -> float:
    """Return the height of a panel that some places fill, as a part of its width."""
    across, up = np.ptp(places, axis=0)
    return float(np.clip(up / across, _SLIMMEST, 1.0)) if across else 1.0


def project(vectors: Floats, seed: int) -> Floats:
    """Return (n, 2) places of (n, d) vectors by PCA and then t-SNE, the same for the same seed."""
    vectors = vectors.astype(np.float64)
    dimensions = min(_DIMENSIONS, *vectors.shape)
    start = seed % 2**32
    with threadpool_limits(limits=1):  # sums of several threads may differ in their last bits
        if len(vectors) < _FEWEST or not vectors.std(axis=0).any():
            return np.pad(vectors, ((0, 0), (0, 1)))[:, :2]
        reduced = PCA(dimensions, svd_solver="full").fit_transform(vectors)
        perplexity = min(_NEIGHBORHOOD, (len(vectors) - 1) / 3)
        if dimensions < 2:
            reduced = np.pad(reduced, ((0, 0), (0, 1)))
        model = TSNE(perplexity=perplexity, init="pca", random_state=start, n_jobs=1)
        places: Floats = model.fit_transform(reduced)
    return places


def _draw_panel(axes: Axes, points: Floats, groups: Integers, shape: float) -> None:
    """Draw the points; the largest groups have colors and markers.

    A unit is as long up as across. Matplotlib would widen the view at each pass of the layout.
    """
    names, counts = np.unique(groups[groups != DROPPED], return_counts=True)
    largest = names[np.argsort(-counts, kind="stable")][:_CLASSES]
    shown = np.sort(largest[[int((groups == one).sum()) > 1 for one in largest]])
    rest = points[~np.isin(groups, shown)]
    axes.scatter(rest[:, 0], rest[:, 1], s=3, color="0.7", linewidths=0)
    for place, name in enumerate(shown):
        own = points[groups == name]
        color, marker = style.PALETTE[place], style.MARKERS[place]
        axes.scatter(own[:, 0], own[:, 1], s=11, color=color, marker=marker, linewidths=0)
    across, up = np.ptp(points, axis=0)
    half = _ROOM * max(across, up / shape) / 2 or 1.0
    axes.set(xticks=[], yticks=[], xlim=(-half, half), ylim=(-half * shape, half * shape))
    axes.set_box_aspect(shape)
    axes.spines[:].set_visible(True)
    axes.spines[:].set_color("0.8")
