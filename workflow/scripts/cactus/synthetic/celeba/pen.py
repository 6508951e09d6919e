"""A pen that draws shapes of a face, in a random pose, on a larger canvas."""

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

Points = npt.NDArray[np.float64]
Color = tuple[int, int, int]

WIDTH, HEIGHT = 178, 218
# Place of the point between the eyes: a 178x178 crop about the center shows neck and hat.
_ORIGIN = (89.0, 92.0)
_SCALE = 0.88
# Shapes are drawn at this multiple of the size and averaged down, for smooth edges.
_OVERSAMPLING = 2
_ANGLES = np.linspace(0, 2 * np.pi, 32, endpoint=False)
_CIRCLE = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)


class Pen:
    """Draw filled shapes and lines over a background.

    Coordinates are pixels of the picture before the pose: x to the right and y down, with the
    origin between the eyes. A `shade` below 1 makes a color darker, one above 1 makes it lighter.
    The background is stretched smoothly over the canvas. `variation` is the strength of the random
    shift, size and rotation of the face.
    """

    def __init__(
        self, background: Image.Image, variation: float, generator: np.random.Generator
    ) -> None:
        self._canvas = background.resize(
            (WIDTH * _OVERSAMPLING, HEIGHT * _OVERSAMPLING), Image.Resampling.BILINEAR
        )
        self._draw = ImageDraw.Draw(self._canvas, "RGBA")
        self._origin = np.array(_ORIGIN) + variation * generator.uniform(-4, 4, size=2)
        self._scale = _SCALE * float(np.exp(variation * generator.uniform(-0.05, 0.05)))
        angle = variation * generator.uniform(-0.06, 0.06)
        self._cosine, self._sine = np.cos(angle) * self._scale, np.sin(angle) * self._scale
        self._mirror = -1 if generator.random() < 0.5 else 1

    def polygon(
        self, points: npt.ArrayLike, color: Color, shade: float = 1.0, opacity: float = 1.0
    ) -> None:
        """Fill a polygon with corners (N, 2)."""
        self._draw.polygon(self._place(points), fill=_rgba(color, shade, opacity))

    def oval(
        self,
        center: tuple[float, float],
        radii: tuple[float, float],
        color: Color,
        shade: float = 1.0,
        opacity: float = 1.0,
    ) -> None:
        """Fill an ellipse given by its center and its horizontal and vertical radius."""
        self.polygon(oval_points(center, radii), color, shade, opacity)

    def line(self, points: npt.ArrayLike, width: float, color: Color, shade: float = 1.0) -> None:
        """Draw a line of a width in pixels through points (N, 2)."""
        pixels = max(1, round(width * self._scale * _OVERSAMPLING))
        fill = _rgba(color, shade, 1.0)
        self._draw.line(self._place(points), fill=fill, width=pixels, joint="curve")

    def picture(self) -> Image.Image:
        """Return the drawing at its final size."""
        return self._canvas.reduce(_OVERSAMPLING)

    def _place(self, points: npt.ArrayLike) -> list[float]:
        x, y = np.asarray(points).T
        x = self._mirror * x
        placed_x = self._origin[0] + self._cosine * x - self._sine * y
        placed_y = self._origin[1] + self._sine * x + self._cosine * y
        placed = _OVERSAMPLING * np.stack([placed_x, placed_y], axis=1)
        return [float(value) for value in placed.ravel()]


def oval_points(center: tuple[float, float], radii: tuple[float, float]) -> Points:
    """Return points (32, 2) around an ellipse."""
    return np.asarray(np.array(center) + np.array(radii) * _CIRCLE)


def arc_points(middle: float, half: float, y: float, sag: float, points: int = 12) -> Points:
    """Return points of a parabola, from middle - half to middle + half, lower by `sag` midway."""
    t = np.linspace(0, 1, points)
    left, right = middle - half, middle + half
    return np.stack([left + (right - left) * t, y + 4 * sag * t * (1 - t)], axis=1)


def _rgba(color: Color, shade: float, opacity: float) -> tuple[int, int, int, int]:
    red, green, blue = (min(255, round(channel * shade)) for channel in color)
    return red, green, blue, round(255 * opacity)
