"""Figures of the embeddings themselves: maps, neighbors and diagnostic pictures."""

import numpy as np
import pytest

from cactus.data.arrays import load_images, load_labels
from cactus.errors import DataError
from cactus.paper.figures import diagnostics, embedding_maps, neighbors
from cactus.paper.style import PALETTE
from tests.unit.paper.conftest import Run
from tests.unit.paper.fake_run import LONG
from tests.unit.paper.figures.drawing import figure_inputs


def test_a_map_shows_the_same_images_by_class_and_by_cluster(seeds_run: Run):
    figure = embedding_maps.draw(figure_inputs(seeds_run, "omniglot"))
    by_class, by_cluster = figure.axes
    assert [axes.get_title() for axes in figure.axes] == ["ACAI\nby class", "ACAI\nby cluster"]
    points = [np.concatenate([part.get_offsets() for part in axes.collections])
              for axes in figure.axes]  # fmt: skip
    assert len(points[0]) == len(PALETTE) * 20
    assert set(map(tuple, points[0])) == set(map(tuple, points[1]))
    drawn = [part for part in by_class.collections if len(part.get_offsets())]
    assert [len(part.get_offsets()) for part in drawn] == [20] * len(PALETTE)
    assert len(by_cluster.collections) <= len(PALETTE) + 1
    for _ in range(2):  # a pass of the layout does not widen the view
        figure.draw_without_rendering()
    extents = np.ptp(np.array(points[0]), axis=0)
    views = [abs(high - low) for low, high in (by_class.get_xlim(), by_class.get_ylim())]
    assert (extents / views > 0.6).all()
    box = by_class.get_window_extent()
    assert views[0] / views[1] == pytest.approx(box.width / box.height, rel=0.01)


def test_images_of_a_class_lie_together():
    random = np.random.default_rng(0)
    centers = 20 * random.normal(size=(3, 10))
    vectors = (centers[:, None] + random.normal(size=(3, 15, 10))).reshape(45, 10)
    places = embedding_maps.project(vectors, 1).reshape(3, 15, 2)
    spread = np.linalg.norm(places - places.mean(axis=1, keepdims=True), axis=2).max()
    gaps = [np.linalg.norm(places[a].mean(0) - places[b].mean(0)) for a, b in ((0, 1), (1, 2))]
    assert min(gaps) > spread
    assert np.array_equal(embedding_maps.project(vectors, 1).reshape(3, 15, 2), places)


@pytest.mark.parametrize("shape", [(1, 4), (4, 1), (30, 1), (30, 2)])
def test_few_images_and_dimensions_have_places(shape: tuple[int, int]):
    vectors = np.random.default_rng(0).normal(size=shape)
    for values in (vectors, np.zeros(shape)):
        places = embedding_maps.project(values, 0)
        assert places.shape == (shape[0], 2)
        assert np.isfinite(places).all()


def test_neighbors_are_the_nearest_others():
    vectors = np.array([[0.0], [1.0], [1.0], [5.0], [-0.5]], dtype=np.float32)
    assert neighbors.nearest(vectors, np.array([0, 3]), 3).tolist() == [[4, 1, 2], [1, 2, 0]]
    assert neighbors.nearest(vectors, np.array([0]), 9).tolist() == [[4, 1, 2, 3]]


@pytest.mark.parametrize("dataset", ["omniglot", "celeba"])
def test_the_first_image_of_a_row_is_the_one_searched_for(seeds_run: Run, dataset: str):
    (panel,) = neighbors.draw(figure_inputs(seeds_run, dataset)).axes
    picture = np.asarray(panel.images[0].get_array())
    folder = seeds_run.folder / "data" / dataset
    images, labels = load_images(folder, "train"), load_labels(folder, "train")
    border = max(1, round(0.07 * images.shape[1]))
    tile = images.shape[1] + 4 * border
    known = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}
    found = []
    for top in range(0, len(picture), tile):
        inner = picture[top + 2 * border : top + tile - 2 * border, 2 * border : tile - 2 * border]
        inner = inner if images.shape[3] == 3 else inner[..., :1]
        found.append(known[np.ascontiguousarray(inner).tobytes()])
    assert len(found) == len(set(found)) == 6


def test_an_image_is_nearer_to_its_neighbors_than_to_another_embedding(grid_run: Run):
    figure = neighbors.draw(figure_inputs(grid_run, "omniglot"))
    figure.draw_without_rendering()
    left, right = (axes.images[0] for axes in figure.axes[:2])
    height, width = left.get_array().shape[:2]
    tile = height // 6
    own = (width - 8 * tile) * left.get_window_extent().width / width
    between = right.get_window_extent().x0 - left.get_window_extent().x1
    assert 0 < own < 0.7 * between


def test_diagnostic_pictures_say_what_they_show(grid_run: Run, many_run: Run):
    figure = diagnostics.draw(figure_inputs(grid_run, "omniglot"))
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == ["ACAI", "BiGAN", "DeepCluster", "InfoGAN"]
    notes = [axes.texts[0].get_text() for axes in figure.axes]
    assert len(set(notes)) == 4
    custom = diagnostics.draw(figure_inputs(many_run, LONG)).axes[0]
    assert custom.texts[0].get_text() == "as its own module draws it"


def test_a_damaged_picture_is_named(small_run: Run, tmp_path):
    inputs = figure_inputs(small_run, "omniglot")
    path = tmp_path / "embeddings/omniglot/acai/s0/diagnostic.png"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no picture")
    changed = type(inputs)(tmp_path, inputs.results, inputs.settings, "omniglot")
    with pytest.raises(DataError) as caught:
        diagnostics.draw(changed)
    assert caught.value.where == str(path)
