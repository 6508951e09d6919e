"""Training curves as small SVG drawings, which take the colors of the page."""

import math
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from cactus.errors import DataError
from cactus.files import parse_json, read_text

WIDTH: Final = 240
HEIGHT: Final = 72
_POINTS: Final = 120


class Curve(NamedTuple):
    """One measure over the steps of a training.

    Attributes
    ----------
    title
        What was measured.
    points
        Coordinates of the line in the drawing, for SVG's ``polyline``.
    low, high
        The lowest and the highest value that is drawn.
    steps
        The last step.
    """

    title: str
    points: str
    low: str
    high: str
    steps: int


def read_curves(path: Path) -> list[Curve]:
    """Return the curves of a training; none if it has no steps or has not written any.

    Raises
    ------
    DataError
        The file is damaged.
    """
    if not path.is_file():
        return []
    series: dict[str, list[tuple[int, float]]] = defaultdict(list)
    try:
        for line in read_text(path).splitlines():
            entry = parse_json(line)
            for name, value in entry.items():
                if name != "step" and isinstance(value, int | float):
                    series[name].append((int(entry["step"]), float(value)))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            "A training curve cannot be read.",
            where=str(path),
            got=f"{type(error).__name__}: {error}",
            fix="delete the folder and run the same command again to recreate it",
        ) from error
    return [_curve(_title(name), points) for name, points in series.items()]


def _title(name: str) -> str:
    return re.sub(r"^val ", "validation ", name.replace("_", " "))


def _curve(title: str, points: list[tuple[int, float]]) -> Curve:
    shown = list(_thinned(points))
    shown = shown if len(shown) > 1 else 2 * shown  # a line of no length is a dot
    low, high = (f(value for _, value in shown) for f in (min, max))
    first, last = shown[0][0], shown[-1][0]
    x_scale = WIDTH / max(last - first, 1)
    y_scale = (HEIGHT - 4) / (high - low) if high > low else 0.0
    drawn = " ".join(
        f"{(step - first) * x_scale:.1f},{HEIGHT - 2 - (value - low) * y_scale:.1f}"
        for step, value in shown
    )
    return Curve(title, drawn, f"{low:.3g}", f"{high:.3g}", last)


def _thinned(points: list[tuple[int, float]]) -> Iterator[tuple[int, float]]:
    """Yield at most as many points as the drawing can show: means over windows."""
    size = math.ceil(len(points) / _POINTS)
    for start in range(0, len(points), size):
        window = points[start : start + size]
        yield window[-1][0], math.fsum(value for _, value in window) / len(window)
