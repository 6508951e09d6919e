"""Invented alphabets: characters made of strokes, and handwriting that redraws them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

_Points = npt.NDArray[np.float64]

SIDE = 105
# Strokes are drawn at this multiple of the size and averaged down before thresholding.
_OVERSAMPLING = 3
_CURVE_STEPS = 8
_MAX_STROKES = 4
_CURVE_POINTS = 6
_BOW_TERMS = 5
_HALF_GRAY = 127
# Characters fill the square [-1, 1], which spans this share of the frame.
_REACH = 0.62


@dataclass(frozen=True)
class Alphabet:
    """What the characters of an alphabet have in common.

    They are made of `primitives`, strokes (points, 2) that start at 0 and are either smooth curves
    or straight lines with corners. `stroke_weights` are the probabilities of 1, 2, 3 and 4 strokes,
    `attached` that of a stroke to touch an earlier one.
    """

    primitives: tuple[_Points, ...]
    smooth: bool
    stroke_weights: _Points
    attached: float


@dataclass(frozen=True)
class Hand:
    """A drawer's handwriting: a linear map (2, 2) and the width of the pen in pixels."""

    linear: _Points
    width: float


def invent_alphabet(generator: np.random.Generator) -> Alphabet:
    """Invent an alphabet with a style of its own."""
    smooth = bool(generator.random() < 0.7)
    invent = _invent_curve if smooth else _invent_corners
    primitives = tuple(invent(generator) for _ in range(generator.integers(5, 8)))
    favored = generator.choice(_MAX_STROKES, p=[0.1, 0.45, 0.35, 0.1])
    weights = np.exp(-1.2 * np.abs(np.arange(_MAX_STROKES) - favored))
    return Alphabet(
        primitives=primitives,
        smooth=smooth,
        stroke_weights=weights / weights.sum(),
        attached=generator.uniform(0.5, 0.95),
    )


def _invent_curve(generator: np.random.Generator) -> _Points:
    """Return a line, an arc, a loop or an S: its curvature changes linearly along it."""
    steps = _CURVE_POINTS - 1
    length = generator.uniform(1.2, 2.8)
    turn = generator.choice([0.0, 1.5, 3.0, 5.0], p=[0.3, 0.3, 0.25, 0.15])
    bend = generator.choice([0.0, 4.0], p=[0.65, 0.35])
    turns = (turn + bend * np.linspace(-1, 1, steps)) / steps
    return _walk(turns, np.full(steps, length / steps), generator)


def _invent_corners(generator: np.random.Generator) -> _Points:
    """Return one to three straight pieces with sharp corners between them."""
    steps = int(generator.integers(1, 4))
    turns = np.deg2rad(generator.choice([60, 90, 120], size=steps))
    turns *= generator.choice([-1, 1], size=steps, p=[0.35, 0.65])
    return _walk(turns, generator.uniform(0.6, 1.3, size=steps), generator)


def _walk(turns: _Points, lengths: _Points, generator: np.random.Generator) -> _Points:
    """Walk from 0 along turning headings; the first is near a multiple of 45 degrees."""
    heading = generator.integers(8) * np.pi / 4 + generator.normal(0.0, 0.15)
    headings = heading + np.cumsum(turns)
    moves = lengths[:, None] * np.stack([np.cos(headings), np.sin(headings)], axis=1)
    return np.concatenate([np.zeros((1, 2)), np.cumsum(moves, axis=0)])


def invent_character(alphabet: Alphabet, generator: np.random.Generator) -> tuple[_Points, ...]:
    """Compose 1 to 4 strokes, each (points, 2), scaled to fill the square [-1, 1]."""
    count = 1 + int(generator.choice(_MAX_STROKES, p=alphabet.stroke_weights))
    strokes: list[_Points] = []
    for _ in range(count):
        shape = alphabet.primitives[generator.integers(len(alphabet.primitives))]
        shape = shape * generator.choice([-1.0, 1.0], size=2) * generator.uniform(0.6, 1.3)
        joint = shape[generator.integers(len(shape))]
        strokes.append(shape - joint + _joint_place(strokes, alphabet.attached, generator))
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    # The longer side fills the square; a flat character stays flat.
    scale = 2 / (high - low).max()
    return tuple((stroke - (low + high) / 2) * scale for stroke in strokes)


def _joint_place(
    strokes: list[_Points], attached: float, generator: np.random.Generator
) -> _Points:
    if strokes and generator.random() < attached:
        earlier = strokes[generator.integers(len(strokes))]
        return np.asarray(earlier[generator.integers(len(earlier))])
    return generator.uniform(-0.7, 0.7, size=2)


def invent_hand(variation: float, generator: np.random.Generator) -> Hand:
    """Invent a drawer's slant, size, rotation and pen; `variation` scales all but the pen."""
    slant = variation * generator.normal(0.0, 0.2)
    angle = variation * generator.normal(0.0, 0.1)
    sizes = np.exp(variation * generator.normal(-0.05, [0.16, 0.16]))
    cosine, sine = np.cos(angle), np.sin(angle)
    linear = np.array([[cosine * sizes[0], slant - sine], [sine, cosine * sizes[1]]])
    return Hand(linear, generator.uniform(1.8, 4.2))


def draw_character(
    strokes: tuple[_Points, ...],
    smooth: bool,
    hand: Hand,
    variation: float,
    generator: np.random.Generator,
) -> npt.NDArray[np.bool_]:
    """Draw a character once; return its ink (105, 105), true where the pen drew."""
    side = SIDE * _OVERSAMPLING
    canvas = Image.new("L", (side, side))
    pen = ImageDraw.Draw(canvas)
    shift = variation * generator.normal(0.0, 0.07, size=2)
    bow = variation * generator.normal(0.0, 0.08, size=(_BOW_TERMS, 2))
    for stroke in strokes:
        slip = variation * generator.normal(0.0, 0.06, size=2)
        wobble = variation * generator.normal(0.0, 0.025, size=stroke.shape)
        path = _curve(stroke + wobble) if smooth else stroke + wobble
        placed = _apply(hand.linear, path + slip + _bowed(path, bow)) + shift
        _draw_path(pen, (1 + _REACH * placed) * side / 2, hand.width * _OVERSAMPLING)
    return np.asarray(canvas.reduce(_OVERSAMPLING)) > _HALF_GRAY


def _bowed(points: _Points, bow: _Points) -> _Points:
    """Return the displacement of points (N, 2) by a smooth field of quadratic terms."""
    x, y = points.T
    terms = np.stack([x * x, x * y, y * y, x, y])
    return np.asarray((bow[:, None, :] * terms[:, :, None]).sum(axis=0))


def _apply(linear: _Points, points: _Points) -> _Points:
    """Map points (N, 2) by a matrix (2, 2), without BLAS: the same bits on any thread count."""
    return np.asarray((linear[None] * points[:, None, :]).sum(axis=2))


def _draw_path(pen: ImageDraw.ImageDraw, path: _Points, width: float) -> None:
    corners = [(float(x), float(y)) for x, y in path]
    pen.line(corners, fill=255, width=round(width), joint="curve")
    for x, y in (corners[0], corners[-1]):
        pen.circle((x, y), width / 2, fill=255)


def _curve(points: _Points) -> _Points:
    """Return a Catmull-Rom spline through control points (N, 2)."""
    padded = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    before, start, end, after = (padded[i : len(padded) - 3 + i, None] for i in range(4))
    t = np.linspace(0.0, 1.0, _CURVE_STEPS)[None, :, None]
    curve = start + 0.5 * t * (
        (end - before)
        + t * (2 * before - 5 * start + 4 * end - after)
        + t**2 * (3 * (start - end) + after - before)
    )
    return np.asarray(curve).reshape(-1, 2)
