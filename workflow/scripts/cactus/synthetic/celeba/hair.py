"""Hair, beards and hats of a drawn face."""

import numpy as np

from cactus.synthetic.celeba.features import MOUTH_Y, SIDES, head_points, skull_points
from cactus.synthetic.celeba.pen import Pen, Points, arc_points
from cactus.synthetic.celeba.person import Person

_EAR_Y = 4.0
_LONG_Y = 104.0
_SHORT_Y = 24.0


def draw_back_hair(pen: Pen, person: Person) -> None:
    """Draw the hair behind the head: long for women, short for men, none for the bald."""
    if person.has("Bald"):
        return
    low = _SHORT_Y if person.has("Male") else _LONG_Y
    heights = np.linspace(_EAR_Y, low, 4 + round((low - _EAR_Y) / 4))
    volume = _volume(person)
    widths = person.half_width + volume + 0.12 * (heights - _EAR_Y)
    right = np.stack([widths, heights], axis=1)
    top = skull_points(person, grow=volume)
    outline = np.concatenate([right[::-1] * [-1, 1], top, right])
    pen.polygon(_scalloped(outline, person), person.hair, 0.75)
    for side in SIDES:
        for offset in (3.0, 7.0, 11.0):
            _draw_strand(pen, person, (right - [offset, 0]) * [side, 1])


def draw_top_hair(pen: Pen, person: Person) -> None:
    """Draw the hair over the forehead with its hairline, and bangs."""
    if person.has("Bald"):
        pen.oval((-12, person.top + 16), (13, 6), person.skin, 1.2, 0.8)
        return
    half = person.half_width
    line: list[list[float]] = [[half, 4], [0.88 * half, -14], [0.6 * half, -34], [0, -39]]
    if person.has("Receding_Hairline"):
        line = [[half, 0], [0.9 * half, -22], [0.62 * half, -55], [0.3 * half, -52], [0, -45]]
    hairline = line + [[-x, y] for x, y in line[-2::-1]]
    outer = _scalloped(skull_points(person, grow=_volume(person) - 2.0), person)
    pen.polygon([*outer, *hairline], person.hair)
    inner, edge = skull_points(person, -9.0), skull_points(person, _volume(person) - 3.0)
    for place in range(3, len(edge) - 3, 4):
        share = np.linspace(0, 1, 10)[:, None]
        _draw_strand(pen, person, edge[place] + share * (inner[place] - edge[place]))
    if person.has("Bangs"):
        _draw_bangs(pen, person)


def _draw_bangs(pen: Pen, person: Person) -> None:
    x = np.linspace(-0.82, 0.82, 19) * person.half_width
    tips = np.stack([x, -15 + 3.5 * (np.arange(19) % 2) + 0.004 * x * x], axis=1)
    top = arc_points(0, -0.9 * person.half_width, -30, -18)
    pen.polygon([*tips, *top], person.hair, 1.08)
    for tip in tips[1::2]:
        pen.line([tip, tip * [0.9, 1] + [0, -22]], 1.0, person.hair, 0.72)


def _volume(person: Person) -> float:
    """Return how far hair stands out from the head: wavy hair is fuller."""
    return 13.0 if person.has("Wavy_Hair") else 6.0


def _scalloped(outline: Points, person: Person) -> Points:
    """Return the outline (N, 2) of hair, with bulges if it is wavy."""
    if not person.has("Wavy_Hair"):
        return outline
    swell = 1 + 0.07 * np.sin(np.arange(len(outline)) * 2 * np.pi / 5)
    return outline * np.stack([swell, 0.5 + 0.5 * swell], axis=1)


def _draw_strand(pen: Pen, person: Person, path: Points) -> None:
    """Draw a strand along a path (N, 2): straight or wavy; none if the hair is neither."""
    if person.has("Wavy_Hair"):
        path = path + 2.8 * np.sin(np.arange(len(path)) * 1.5)[:, None]
    if person.has("Wavy_Hair") or person.has("Straight_Hair"):
        pen.line(path, 1.5, person.hair, 1.35)


def draw_beard(pen: Pen, person: Person) -> None:
    """Draw a full beard or a goatee, and sideburns; the mustache comes after the mouth."""
    color, x, half = (person.hair, 0.85), person.turn, person.half_width
    if person.has("Goatee"):
        pen.oval((x, person.chin - 9), (14, 15), *color)
    elif not person.has("No_Beard"):
        lower = [point for point in head_points(person, grow=3.0) if point[1] > 14]
        cheeks = [[-0.72 * half, 24], [x - 20, 31], [x + 20, 31], [0.72 * half, 24]]
        pen.polygon([*lower, *cheeks], *color)
    if person.has("Sideburns"):
        for side in SIDES:
            near, far = side * (half - 11), side * (half + 1)
            pen.polygon([[near, -14], [far, -14], [far, 30], [near, 24]], *color)


def draw_mustache(pen: Pen, person: Person) -> None:
    """Draw the mustache between nose and mouth."""
    if person.has("Mustache"):
        above = arc_points(person.turn, 20, MOUTH_Y - 2, -5.5)
        below = arc_points(person.turn, 20, MOUTH_Y - 1, 0)
        pen.polygon([*above, *below[::-1]], person.hair, 0.8)


def draw_hat(pen: Pen, person: Person) -> None:
    """Draw a hat with a crown, a band and a brim."""
    if not person.has("Wearing_Hat"):
        return
    crown = skull_points(person, grow=10.0)
    crown = crown[crown[:, 1] < -26] * [1.0, 1.06]
    left, right = crown[[0, -1]]
    pen.polygon(crown, person.hat)
    pen.polygon([left, right, right - [0, 9], left - [0, 9]], person.hat, 0.55)
    pen.oval((0.0, float(left[1])), (person.half_width + 20, 6.5), person.hat, 0.8)
