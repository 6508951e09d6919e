"""Images as tiles of a picture."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from matplotlib.lines import Line2D

Image = npt.NDArray[np.uint8]
Color = tuple[int, int, int]

_BORDER: Final = 0.07  # of the side of an image
WHITE: Final = 255


def tile(image: npt.NDArray[Any], color: Color | None = None) -> Image:
    """Return an image (H, W, 1 or 3) as RGB, with a colored border, if any, and a white margin."""
    width = max(1, round(_BORDER * len(image)))
    height, breadth = image.shape[:2]
    picture = np.full((height + 4 * width, breadth + 4 * width, 3), WHITE, dtype=np.uint8)
    if color is not None:
        picture[width:-width, width:-width] = color
    picture[2 * width : -2 * width, 2 * width : -2 * width] = image
    return picture


def rows(tiles: Sequence[Sequence[Image]]) -> Image:
    """Join rows of equally many tiles of one height."""
    return np.concatenate([np.concatenate(list(row), axis=1) for row in tiles])


def stacked(pictures: Sequence[Image], gap: int) -> Image:
    """Put pictures of one width below each other, with white gaps of some pixels."""
    space = np.full((gap, *pictures[0].shape[1:]), WHITE, dtype=np.uint8)
    parts = [part for picture in pictures for part in (picture, space)]
    return np.concatenate(parts[:-1])


def frame_handles(colors: Mapping[str, Color]) -> list[Line2D]:
    """Return what a legend shows of images with colored borders, by the names of the colors."""
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
        for name, color in colors.items()
    ]
