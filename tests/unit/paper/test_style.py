"""Series can be told apart: by everyone, with deuteranopia, in gray, and by shape alone."""

from itertools import combinations, pairwise

import numpy as np
import numpy.typing as npt
import pytest
from matplotlib.colors import to_rgb

from cactus.config.sections.names import METHODS
from cactus.config.sections.outputs import OutputSettings
from cactus.paper.drawing.contrast import contrast, text_color
from cactus.paper.style import (
    PALETTE,
    balanced_columns,
    loss_styles,
    method_styles,
    series_styles,
    source_styles,
)

Colors = npt.NDArray[np.float64]
# Machado, Oliveira and Fernandes (2009), severity 1, for linear RGB.
DEUTERANOPIA = np.array([
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.011820, 0.042940, 0.968881],
])  # fmt: skip
TO_XYZ = np.array([
    [0.4124564, 0.3575761, 0.1804375],
    [0.2126729, 0.7151522, 0.0721750],
    [0.0193339, 0.1191920, 0.9503041],
])  # fmt: skip
WHITE = np.array([0.95047, 1.0, 1.08883])


def linear(colors: list[str]) -> Colors:
    values = np.array([to_rgb(color) for color in colors])
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(rgb: Colors) -> Colors:
    """Return CIE L*a*b* of linear RGB colors."""
    x, y, z = np.cbrt(np.clip(rgb, 0, 1) @ TO_XYZ.T / WHITE).T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


def smallest_distance(colors: Colors) -> float:
    return min(float(np.linalg.norm(a - b)) for a, b in combinations(colors, 2))


def test_colors_are_apart_for_everyone_and_with_deuteranopia():
    rgb = linear(list(PALETTE))
    assert smallest_distance(lab(rgb)) > 30
    assert smallest_distance(lab(rgb @ DEUTERANOPIA.T)) > 20


def test_colors_differ_in_lightness():
    assert smallest_distance(lab(linear(list(PALETTE)))[:, :1]) > 5


def test_the_measure_finds_colors_that_look_alike():
    red_and_green = linear(["#c04040", "#6a7a2a"])
    assert smallest_distance(lab(red_and_green)) > 30
    assert smallest_distance(lab(red_and_green @ DEUTERANOPIA.T)) < 20


def test_methods_differ_in_shape_and_in_color():
    methods = [*METHODS, "cactus-mine", "cactus-other"]
    looks = list(method_styles(methods).values())
    assert len({look["marker"] for look in looks}) == len(methods)
    drawn = [name for name in METHODS if not name.startswith("oracle-")]
    colors = [method_styles(drawn)[name]["color"] for name in drawn]
    assert smallest_distance(lab(linear(colors) @ DEUTERANOPIA.T)) > 10


def test_series_differ_in_color_or_line_and_neighbors_in_all():
    looks = list(series_styles([*map(str, range(32)), "labels"]).values())
    assert len({(look["color"], look["linestyle"]) for look in looks}) == 33
    for before, after in pairwise(looks):
        assert all(before[key] != after[key] for key in ("color", "marker", "linestyle"))
    assert [look["color"] == "black" for look in looks] == [False] * 32 + [True]


def test_an_embedding_looks_alike_whatever_is_beside_it():
    alone = source_styles(["deepcluster"])["deepcluster"]
    beside = source_styles(["acai", "mine", "deepcluster", "deepcluster+k-500", "labels"])
    assert beside["deepcluster"] == alone
    assert len({(look["color"], look["linestyle"]) for look in beside.values()}) == 5
    assert beside["labels"]["color"] == "black"


def test_losses_are_gray_and_differ_in_their_lines():
    for count in 1, 2, 3:
        looks = list(loss_styles([f"loss {place}" for place in range(count)]).values())
        assert len({look["linestyle"] for look in looks}) == count
        grays = linear([look["color"] for look in looks])
        assert np.ptp(grays, axis=1).max() == 0
        assert all(contrast(look["color"], "white") >= 3 for look in looks)


@pytest.mark.parametrize("name", ["cividis", "gray", "jet"])
def test_text_on_any_color_can_be_read(name: str):
    from matplotlib import colormaps

    for value in np.linspace(0, 1, 101):
        red, green, blue, _ = colormaps[name](value)
        assert contrast(text_color((red, green, blue)), (red, green, blue)) >= 4.5
    assert contrast("black", "white") == pytest.approx(21)


@pytest.mark.parametrize(
    ("panels", "most", "columns"), [(4, 3, 2), (9, 4, 3), (3, 4, 3), (11, 3, 3), (0, 3, 1)]
)
def test_rows_of_panels_are_even(panels: int, most: int, columns: int):
    assert balanced_columns(panels, most) == columns


def test_small_text_has_seven_points_by_default():
    assert OutputSettings().font_size * 7 / 8 >= 7
