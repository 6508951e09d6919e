from pathlib import Path
from typing import get_args

import pytest
from matplotlib import image as matplotlib_image

from cactus.config.sections.outputs import FigureName, OutputSettings
from cactus.errors import ConfigError, DataError
from cactus.paper.draw.registry import FIGURES, PER_DATASET, draw
from cactus.paper.figures import inputs
from tests.unit.paper.conftest import Run, make_run
from tests.unit.paper.fake_run import FakeRun
from tests.unit.paper.figures.drawing import drawn_figure

BANNER = "ynthetic data, not the real data set"


def test_the_settings_offer_the_figures_that_exist():
    modules = {path.stem for path in Path(inputs.__file__).parent.glob("*.py")}
    assert set(FIGURES) == set(get_args(FigureName)) == modules - {"__init__", "inputs"}
    assert set(OutputSettings().figures) < set(FIGURES)


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
    pdf = (tmp_path / "first.pdf").read_bytes()
    assert pdf.startswith(b"%PDF-")
    assert b"/Type3" not in pdf  # publishers refuse such fonts
    assert b"/CIDFontType2" in pdf
    height, width = matplotlib_image.imread(tmp_path / "first.png").shape[:2]
    assert 200 < width < 1000
    assert 100 < height < 1000


@pytest.mark.parametrize("name", PER_DATASET)
@pytest.mark.parametrize("dataset", ["mnist", "miniimagenet"])
def test_the_banner_of_a_narrow_figure_stays_inside(tmp_path: Path, name: str, dataset: str):
    figure = drawn_figure(make_run(FakeRun(tmp_path / "run", datasets=(dataset,))), name, dataset)
    banner = next(text for text in figure.texts if BANNER in text.get_text().replace("\n", " "))
    box = banner.get_bbox_patch().get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.width


def _suptitle(run: Run, name: str, dataset: str | None = None) -> str:
    return drawn_figure(run, name, dataset).get_suptitle().replace("\n", " ")


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
