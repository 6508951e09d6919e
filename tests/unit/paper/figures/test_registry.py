from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from matplotlib import image as matplotlib_image
from matplotlib import style as matplotlib_style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from cactus.config.sections.outputs import OutputSettings
from cactus.errors import ConfigError, DataError
from cactus.paper import style
from cactus.paper.figures import (
    accuracy_grid,
    paper_comparison,
    partitions,
    shots,
    tasks,
    training_curves,
)
from cactus.paper.figures.inputs import FigureInputs
from cactus.paper.figures.registry import FIGURES, PER_DATASET, draw
from cactus.paper.results import read_results
from tests.unit.paper.conftest import Run, make_run
from tests.unit.paper.fake_run import FakeRun

DRAW = {
    "accuracy_grid": accuracy_grid.draw,
    "paper_comparison": paper_comparison.draw,
    "shots": shots.draw,
    "training_curves": training_curves.draw,
    "tasks": tasks.draw,
    "partitions": partitions.draw,
}
BANNER = "ynthetic data, not the real data set"


def _figure(run: Run, name: str, dataset: str | None = None) -> Figure:
    settings = OutputSettings()
    numbers = {"acai": (100, 500, 0), "acai+p-1": (1, 500, 0), "bigan": (100, 500, 0)}
    inputs = FigureInputs(run.folder, read_results(run.results), settings, dataset, numbers)
    with matplotlib_style.context(style.rc_parameters(settings), after_reset=True):
        figure = DRAW[name](inputs)
        FigureCanvasAgg(figure).draw()
    return figure


def test_the_settings_offer_the_figures_that_exist():
    assert OutputSettings().figures == list(FIGURES) == list(DRAW)


@pytest.mark.slow
@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_drawn_twice_to_the_same_bytes(small_run: Run, tmp_path: Path, name: str):
    dataset = "omniglot" if name in PER_DATASET else None
    settings = OutputSettings(dpi=100)
    for stem in ("first", "second.try"):
        draw(name, small_run.folder, tmp_path / stem, settings, dataset)
    for suffix in ("pdf", "png"):
        first, second = (tmp_path / f"{stem}.{suffix}" for stem in ("first", "second.try"))
        assert first.read_bytes() == second.read_bytes()
    assert (tmp_path / "first.pdf").read_bytes().startswith(b"%PDF-")
    height, width = matplotlib_image.imread(tmp_path / "first.png").shape[:2]
    assert 200 < width < 1000
    assert 100 < height < 1000


def _tick_labels(axes: Axes) -> Iterator[Text]:
    """Yield the labels of the ticks that are in view."""
    for axis in (axes.xaxis, axes.yaxis):
        low, high = sorted(axis.get_view_interval())
        for tick in axis.get_major_ticks():
            if low <= tick.get_loc() <= high and tick.label1.get_visible():
                yield tick.label1


def _shown_texts(figure: Figure) -> list[Text]:
    texts = [*figure.texts]
    for legend in [*figure.legends, *filter(None, (axes.get_legend() for axes in figure.axes))]:
        texts += [legend.get_title(), *legend.get_texts()]
    for axes in figure.axes:
        texts += [axes.title, *axes.texts]
        texts += [text for text in axes.get_children() if isinstance(text, Text)]
        if axes.axison:
            texts += [axes.xaxis.label, axes.yaxis.label, *_tick_labels(axes)]
    return [text for text in dict.fromkeys(texts) if text.get_text().strip()]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("run", "name", "dataset"),
    [
        ("small_run", "accuracy_grid", None),
        ("small_run", "paper_comparison", None),
        ("small_run", "shots", None),
        ("small_run", "training_curves", "omniglot"),
        ("small_run", "tasks", "omniglot"),
        ("grid_run", "accuracy_grid", None),
        ("grid_run", "paper_comparison", None),
        ("grid_run", "shots", None),
        ("grid_run", "training_curves", "miniimagenet"),
        ("grid_run", "tasks", "celeba"),
        ("grid_run", "partitions", "omniglot"),
        ("grid_run", "partitions", "celeba"),
    ],
)
def test_texts_stay_apart_and_inside(
    request: pytest.FixtureRequest, run: str, name: str, dataset: str | None
):
    figure = _figure(request.getfixturevalue(run), name, dataset)
    texts = _shown_texts(figure)
    boxes = np.array([text.get_window_extent().extents for text in texts])
    low, high = boxes[:, :2], boxes[:, 2:]
    assert len(texts) >= 5
    outside = (low < -1).any(1) | (high > [figure.bbox.width + 1, figure.bbox.height + 1]).any(1)
    assert not [text for text, out in zip(texts, outside, strict=True) if out]
    # Texts overlap if they do in both directions by more than a pixel.
    apart = np.minimum(high[:, None], high[None]) - np.maximum(low[:, None], low[None]) <= 1
    pairs = np.argwhere(np.triu(~apart.any(2), 1))
    assert not [(texts[one].get_text(), texts[other].get_text()) for one, other in pairs]


@pytest.mark.parametrize("name", PER_DATASET)
@pytest.mark.parametrize("dataset", ["mnist", "miniimagenet"])
def test_the_banner_of_a_narrow_figure_stays_inside(tmp_path: Path, name: str, dataset: str):
    figure = _figure(make_run(FakeRun(tmp_path / "run", datasets=(dataset,))), name, dataset)
    banner = next(text for text in figure.texts if BANNER in text.get_text().replace("\n", " "))
    box = banner.get_bbox_patch().get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.width


def _suptitle(run: Run, name: str, dataset: str | None = None) -> str:
    return _figure(run, name, dataset).get_suptitle().replace("\n", " ")


@pytest.mark.parametrize("name", PER_DATASET)
def test_figures_of_a_data_set_are_headed_by_its_name(seeds_run: Run, name: str):
    assert _suptitle(seeds_run, name, "celeba") == f"CelebA: s{BANNER}"
    assert _suptitle(seeds_run, name, "omniglot") == "Omniglot"


@pytest.mark.parametrize("name", [name for name in FIGURES if name not in PER_DATASET])
def test_figures_of_a_run_are_marked_where_they_show_synthetic_data(
    small_run: Run, seeds_run: Run, grid_run: Run, name: str
):
    assert _suptitle(small_run, name) == ""
    assert _suptitle(seeds_run, name) == f"CelebA: s{BANNER}"
    assert _suptitle(grid_run, name) == f"S{BANNER}s"


@pytest.mark.parametrize(
    ("name", "dataset"), [("heat_map", None), ("tasks", None), ("shots", "omniglot")]
)
def test_wrong_requests_are_named(small_run: Run, tmp_path: Path, name: str, dataset: str | None):
    with pytest.raises(ConfigError) as caught:
        draw(name, small_run.folder, tmp_path / "figure", OutputSettings(), dataset)
    assert name in caught.value.got


@pytest.mark.parametrize("name", PER_DATASET)
def test_a_data_set_without_results_is_named(small_run: Run, tmp_path: Path, name: str):
    with pytest.raises(DataError) as caught:
        draw(name, small_run.folder, tmp_path / "figure", OutputSettings(), "mnist")
    assert "mnist" in caught.value.got
    assert not list(tmp_path.iterdir())


def test_a_run_without_results_is_named(tmp_path: Path):
    with pytest.raises(DataError) as caught:
        draw("shots", tmp_path, tmp_path / "figure", OutputSettings())
    assert "results.csv" in caught.value.where
