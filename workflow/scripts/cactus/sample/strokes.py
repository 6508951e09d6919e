"""Invented alphabets: characters of smooth strokes, and hands that redraw them."""

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
# Characters live in the square [-1, 1]; this share of the frame's half side shows it.
_REACH = 0.62


@dataclass(frozen=True)
class Alphabet:
    """What the characters of an alphabet have in common.

    Attributes
    ----------
    primitives
        Stroke shapes that its characters are made of, each (points, 2), starting at 0.
    smooth
        Whether strokes are curves; else straight lines with corners.
    stroke_weights
        Probabilities of a character of 1, 2, 3 or 4 strokes.
    attached
        Probability that a stroke starts on an earlier one.
    """

    primitives: tuple[_Points, ...]
    smooth: bool
    stroke_weights: _Points
    attached: float


@dataclass(frozen=True)
class Hand:
    """How a drawer writes: a linear map (2, 2), a wobble and a pen's width in pixels."""

    linear: _Points
    wobble: float
    width: float


def invent_alphabet(generator: np.random.Generator) -> Alphabet:
    """Invent an alphabet with a style of its own."""
    turning = generator.uniform(0.3, 1.3)
    primitives = tuple(_invent_stroke(turning, generator) for _ in range(generator.integers(4, 7)))
    favoured = generator.choice(_MAX_STROKES, p=[0.1, 0.4, 0.35, 0.15])
    weights = np.exp(-1.2 * np.abs(np.arange(_MAX_STROKES) - favoured))
    return Alphabet(
        primitives=primitives,
        smooth=bool(generator.random() < 0.7),
        stroke_weights=weights / weights.sum(),
        attached=generator.uniform(0.4, 0.9),
    )


def _invent_stroke(turning: float, generator: np.random.Generator) -> _Points:
    """Walk with a steady and a random turn; return control points (points, 2) from 0 on."""
    steps = int(generator.integers(2, 6))
    steady = generator.normal(0.0, turning)
    turns = steady + generator.normal(0.0, 0.5 * turning, size=steps)
    headings = generator.uniform(0, 2 * np.pi) + np.cumsum(turns)
    lengths = generator.uniform(0.35, 0.8, size=steps)
    moves = lengths[:, None] * np.stack([np.cos(headings), np.sin(headings)], axis=1)
    return np.concatenate([np.zeros((1, 2)), np.cumsum(moves, axis=0)])


def invent_character(alphabet: Alphabet, generator: np.random.Generator) -> tuple[_Points, ...]:
    """Compose 1 to 4 strokes, each (points, 2), scaled to fill the square [-1, 1]."""
    count = 1 + int(generator.choice(_MAX_STROKES, p=alphabet.stroke_weights))
    strokes: list[_Points] = []
    for _ in range(count):
        shape = alphabet.primitives[generator.integers(len(alphabet.primitives))]
        shape = shape * generator.choice([-1.0, 1.0], size=2) * generator.uniform(0.6, 1.3)
        strokes.append(shape + _stroke_start(strokes, alphabet.attached, generator))
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    # The longer side fills the square; a flat character stays flat.
    scale = 2 / (high - low).max()
    return tuple((stroke - (low + high) / 2) * scale for stroke in strokes)


def _stroke_start(
    strokes: list[_Points], attached: float, generator: np.random.Generator
) -> _Points:
    if strokes and generator.random() < attached:
        earlier = strokes[generator.integers(len(strokes))]
        start: _Points = earlier[generator.integers(len(earlier))]
        return start
    return generator.uniform(-0.7, 0.7, size=2)


def invent_hand(variation: float, generator: np.random.Generator) -> Hand:
    """Invent a drawer's slant, size, turn, wobble and pen; `variation` scales all but the pen."""
    slant = variation * generator.normal(0.0, 0.2)
    angle = variation * generator.normal(0.0, 0.1)
    sizes = np.exp(variation * generator.normal(-0.05, [0.12, 0.12]))
    cosine, sine = np.cos(angle), np.sin(angle)
    linear = np.array([[cosine * sizes[0], slant - sine], [sine, cosine * sizes[1]]])
    return Hand(linear, variation * generator.uniform(0.05, 0.1), generator.uniform(2.0, 3.6))


def draw_character(
    strokes: tuple[_Points, ...],
    smooth: bool,
    hand: Hand,
    variation: float,
    generator: np.random.Generator,
) -> npt.NDArray[np.bool_]:
    """Draw a character once; return its ink (105, 105), true where the pen went."""
    shift = variation * generator.normal(0.0, 0.1, size=2)
    slip = np.eye(2) + variation * generator.normal(0.0, 0.06, size=(2, 2))
    side = SIDE * _OVERSAMPLING
    canvas = Image.new("L", (side, side))
    pen = ImageDraw.Draw(canvas)
    for stroke in strokes:
        wobbled = stroke + hand.wobble * generator.standard_normal(stroke.shape)
        path = _curve(wobbled) if smooth else wobbled
        placed = _apply(slip, _apply(hand.linear, path)) + shift
        _draw_path(pen, (1 + _REACH * placed) * side / 2, hand.width * _OVERSAMPLING)
    return np.asarray(canvas.reduce(_OVERSAMPLING)) > 127


def _apply(linear: _Points, points: _Points) -> _Points:
    """Map points (N, 2) by a matrix (2, 2), without BLAS: the same bits on any thread count."""
    return (linear[None] * points[:, None, :]).sum(axis=2)


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
