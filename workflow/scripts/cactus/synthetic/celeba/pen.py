"""A pen that draws shapes, given in coordinates of a face, on a larger canvas."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

Points = npt.NDArray[np.float64]
Colour = tuple[int, int, int]

# Shapes are drawn at this multiple of the size and averaged down, for smooth edges.
_OVERSAMPLING = 2
_ANGLES = np.linspace(0, 2 * np.pi, 32, endpoint=False)
_CIRCLE = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)


@dataclass(frozen=True)
class Placement:
    """Where a face lies in its picture: origin in pixels, size, turn in radians, mirroring."""

    origin: tuple[float, float]
    scale: float
    angle: float
    mirrored: bool


class Pen:
    """Draw filled shapes and lines over a background.

    Coordinates are pixels of the final picture before placement, x to the right and y down,
    with the origin between the eyes.

    Parameters
    ----------
    size
        Width and height of the final picture in pixels.
    background
        A picture of any size, stretched smoothly over the canvas.
    placement
        Where the face lies.
    """

    def __init__(
        self, size: tuple[int, int], background: Image.Image, placement: Placement
    ) -> None:
        larger = (size[0] * _OVERSAMPLING, size[1] * _OVERSAMPLING)
        self._canvas = background.resize(larger, Image.Resampling.BILINEAR)
        self._draw = ImageDraw.Draw(self._canvas, "RGBA")
        self._placement = placement

    def polygon(self, points: Points, colour: Colour, opacity: float = 1.0) -> None:
        """Fill a polygon with corners (N, 2)."""
        self._draw.polygon(self._place(points), fill=_rgba(colour, opacity))

    def oval(
        self,
        centre: tuple[float, float],
        radii: tuple[float, float],
        colour: Colour,
        opacity: float = 1.0,
    ) -> None:
        """Fill an ellipse given by its centre and its horizontal and vertical radius."""
        self.polygon(oval_points(centre, radii), colour, opacity)

    def line(self, points: Points, colour: Colour, width: float, opacity: float = 1.0) -> None:
        """Draw a line of a width in pixels through points (N, 2)."""
        pixels = max(1, round(width * self._placement.scale * _OVERSAMPLING))
        self._draw.line(
            self._place(points), fill=_rgba(colour, opacity), width=pixels, joint="curve"
        )

    def picture(self) -> Image.Image:
        """Return the drawing at its final size."""
        return self._canvas.reduce(_OVERSAMPLING)

    def _place(self, points: Points) -> list[tuple[float, float]]:
        place = self._placement
        cosine, sine = np.cos(place.angle) * place.scale, np.sin(place.angle) * place.scale
        x, y = points.T
        if place.mirrored:
            x = -x
        placed_x = _OVERSAMPLING * (place.origin[0] + cosine * x - sine * y)
        placed_y = _OVERSAMPLING * (place.origin[1] + sine * x + cosine * y)
        return list(zip(placed_x.tolist(), placed_y.tolist(), strict=True))


def oval_points(centre: tuple[float, float], radii: tuple[float, float]) -> Points:
    """Return points (32, 2) around an ellipse."""
    return np.asarray(np.array(centre) + np.array(radii) * _CIRCLE)


def arc_points(left: float, right: float, y: float, sag: float, points: int = 12) -> Points:
    """Return points of a parabola from (left, y) to (right, y) that sags by `sag` midway."""
    t = np.linspace(0, 1, points)
    return np.stack([left + (right - left) * t, y + 4 * sag * t * (1 - t)], axis=1)


def shaded(colour: Colour, factor: float) -> Colour:
    """Return a colour made lighter (`factor` above 1) or darker."""
    red, green, blue = (min(255, round(channel * factor)) for channel in colour)
    return red, green, blue


def _rgba(colour: Colour, opacity: float) -> tuple[int, int, int, int]:
    return (*colour, round(255 * opacity))
