"""Patterns of objects and backgrounds, as functions of coordinates."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

_Field = npt.NDArray[np.float64]

# Sharpness of the edges between the two colors of a pattern.
_SHARPNESS = 4.0


@dataclass(frozen=True)
class Texture:
    """A pattern of a class: its kind, its repeats across the object, its angle in radians."""

    kind: str
    repeats: float
    angle: float

    def at(self, u: _Field, v: _Field, phase: float) -> _Field:
        """Return the share of the second color, in [0, 1], at points of the unit square."""
        cosine, sine = np.cos(self.angle), np.sin(self.angle)
        along = 2 * np.pi * self.repeats * ((u - 0.5) * cosine + (v - 0.5) * sine) + phase
        across = 2 * np.pi * self.repeats * ((v - 0.5) * cosine - (u - 0.5) * sine) + phase
        # A smooth step about 0, so that pictures have no jagged edges.
        return np.asarray(0.5 + 0.5 * np.tanh(_SHARPNESS * PATTERNS[self.kind](along, across)))


def _bricks(along: _Field, across: _Field) -> _Field:
    row = np.floor(along / np.pi)
    joint = np.minimum(np.abs(np.sin(along)), np.abs(np.sin(across / 2 + np.pi / 2 * (row % 2))))
    return np.asarray(3 * (0.25 - joint))


def _marble(along: _Field, across: _Field) -> _Field:
    veins = 1.5 * np.sin(0.7 * across + 1.3) + 1.1 * np.sin(1.7 * along + 0.4 * across)
    return np.asarray(np.sin(0.8 * along + veins))


# Below 0 where a pattern has the first color, above 0 where it has the second.
PATTERNS: dict[str, Callable[[_Field, _Field], _Field]] = {
    "plain": lambda along, across: 0.03 * (along + across),
    "stripes": lambda along, _across: np.sin(along),
    "checks": lambda along, across: 2 * np.sin(along) * np.sin(across),
    "dots": lambda along, across: np.cos(along) + np.cos(across) - 0.6,
    "rings": lambda along, across: np.sin(1.3 * np.hypot(along, across)),
    "zigzag": lambda along, across: np.sin(along + 1.2 * np.arcsin(np.sin(across))),
    "bricks": _bricks,
    "marble": _marble,
}


def cloud(side: int, cells: int, generator: np.random.Generator) -> _Field:
    """Return smooth noise (side, side) in [0, 1] with about `cells` blobs along each side."""
    coarse = Image.fromarray(generator.random((cells, cells), dtype=np.float32))
    smooth = coarse.resize((side, side), Image.Resampling.BILINEAR)
    return np.asarray(smooth, dtype=np.float64)
