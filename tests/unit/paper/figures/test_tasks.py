import numpy as np
import numpy.typing as npt

from cactus.config.printed.titles import UNTITLED
from cactus.config.sections.outputs import ContactSheetSettings, OutputSettings
from cactus.data.arrays import load_images
from cactus.paper.figures.inputs import FigureInputs
from cactus.paper.figures.tasks import draw
from cactus.paper.results import read_results
from cactus.tasks.storage import read_partitions
from tests.unit.paper.conftest import Run

SUPPORT, QUERY = (15, 109, 181), (190, 190, 190)
SHEET = ContactSheetSettings(tasks=2, classes=3, queries=4)


def _sheet(run: Run, dataset: str) -> dict[str, npt.NDArray[np.uint8]]:
    """Return the picture of every source by its title."""
    settings = OutputSettings(contact_sheet=SHEET)
    figure = draw(FigureInputs(run.folder, read_results(run.results), settings, dataset))
    return {axes.get_title(): np.asarray(axes.images[0].get_array()) for axes in figure.axes
            if axes.images}  # fmt: skip


def test_rows_are_classes_of_a_partition_and_borders_tell_support_from_query(small_run: Run):
    picture = _sheet(small_run, "omniglot")["ACAI"]
    images = load_images(small_run.folder / "data/omniglot", "train")
    partitions = read_partitions(small_run.folder / "partitions/omniglot/acai/maml/s0")
    border, side = 2, 28
    tile, gap = side + 4 * border, side // 3
    assert picture.shape == (2 * 3 * tile + gap, 5 * tile, 3)
    known = {image.tobytes(): index for index, image in enumerate(images)}
    for task in range(2):
        shown = []
        for row in range(3):
            for column in range(5):
                top, left = task * (3 * tile + gap) + row * tile, column * tile
                block = picture[top : top + tile, left : left + tile]
                color = SUPPORT if column == 0 else QUERY
                assert (block[border, border:-border] == color).all()
                inner = block[2 * border : -2 * border, 2 * border : -2 * border]
                assert (inner == inner[..., :1]).all()
                shown.append(known[inner[..., 0].tobytes()])
        indices = np.array(shown).reshape(3, 5)
        assert len(set(shown)) == 15
        fits = [
            (labels[indices] == labels[indices[:, :1]]).all()
            and len(set(labels[indices[:, 0]])) == 3
            for labels in partitions
        ]
        assert any(fits)


def test_a_task_has_no_more_classes_than_meta_training(seeds_run: Run):
    pictures = _sheet(seeds_run, "celeba")
    assert list(pictures) == ["ACAI", "Pixels", "ACAI, P = 1"]
    tile, gap = 84 + 4 * 6, 84 // 3
    assert pictures["ACAI"].shape == (2 * 2 * tile + gap, 5 * tile, 3)


def test_oracle_tasks_are_shown_where_they_have_a_partition(seeds_run: Run):
    assert list(_sheet(seeds_run, "omniglot"))[-1] == "True labels"


def test_a_run_without_partitions_says_so(small_run: Run):
    results = read_results(small_run.results)
    baselines = results[results["learner"] == ""]
    inputs = FigureInputs(small_run.folder, baselines, OutputSettings(), "omniglot")
    assert "No tasks" in draw(inputs).axes[0].texts[0].get_text()


def test_images_before_augmentation_are_called_so(seeds_run: Run):
    results = read_results(seeds_run.results)

    def title(*augmented: str) -> str:
        own = OutputSettings(), "celeba", {}, UNTITLED, augmented
        (legend,) = draw(FigureInputs(seeds_run.folder, results, *own)).legends
        return legend.get_title().get_text().replace("\n", " ")

    assert "augmentation" not in title()
    assert title("maml").endswith("a row per class; before the augmentation of MAML")
