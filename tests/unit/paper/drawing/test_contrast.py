"""Colors of small text: readable on white, and still those of the lines that they name."""

import colorsys

import pytest
from matplotlib.colors import to_rgb

from cactus.paper import style
from cactus.paper.drawing.contrast import READABLE, contrast, readable


@pytest.mark.parametrize("color", [*style.PALETTE, style.GRAY, "yellow", "white", "black"])
def test_text_has_the_color_of_its_line_only_as_dark_as_it_has_to_be(color: str):
    shade = readable(color)
    assert contrast(shade, "white") >= READABLE
    hue, saturation, _ = colorsys.rgb_to_hsv(*to_rgb(color))
    other, same, value = colorsys.rgb_to_hsv(*to_rgb(shade))
    if value:
        assert (other, same) == pytest.approx((hue, saturation))
    if contrast(color, "white") >= READABLE:
        assert to_rgb(shade) == to_rgb(color)
    else:
        lighter = tuple(part + 0.06 for part in to_rgb(shade))
        assert contrast(lighter, "white") < READABLE


def test_contrast_is_that_of_the_guidelines():
    assert contrast("black", "white") == pytest.approx(21)
    assert contrast("#767676", "white") == pytest.approx(4.54, abs=0.01)
