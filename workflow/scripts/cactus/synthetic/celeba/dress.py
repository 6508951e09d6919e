"""What a drawn face wears: glasses, earrings, necklace and necktie."""

import numpy as np

from cactus.synthetic.celeba.features import EYE_X, SIDES
from cactus.synthetic.celeba.pen import Colour, Pen, arc_points, oval_points, shaded
from cactus.synthetic.celeba.person import Person

_GOLD: Colour = (240, 204, 74)
_PEARL: Colour = (252, 248, 236)
_FRAME: Colour = (24, 22, 26)
_GLASS: Colour = (150, 180, 205)
_SHIRT: Colour = (240, 240, 244)
_COLLAR_Y = 80.0
_DARK_CLOTH = 140


def draw_clothes(pen: Pen, person: Person) -> None:
    """Draw shoulders in plain, striped, hooped or dotted clothes."""
    half, slope = (24.0, 78.0) if person.has("Male") else (18.0, 62.0)
    right = np.array([[half, 82], [slope, 94], [slope + 24, 150]])
    pen.polygon(np.concatenate([right, right[::-1] * [-1, 1]]), person.cloth)
    colour = shaded(person.cloth, 1.6 if max(person.cloth) < _DARK_CLOTH else 0.5)
    if person.pattern == "stripes":
        for x in np.arange(-56, 57, 14):
            pen.line(np.array([[x, 96], [1.25 * x, 150]]), colour, 5)
    elif person.pattern == "hoops":
        for y in np.arange(98, 150, 13):
            reach = slope - 2 + 0.43 * (y - 94)
            pen.line(np.array([[-reach, y], [reach, y]]), colour, 5)
    elif person.pattern == "dots":
        for row, y in enumerate(np.arange(98, 150, 13)):
            for x in np.arange(-60 + 8 * (row % 2), 61, 16):
                pen.oval((float(x), float(y)), (4, 4), colour)


def draw_necktie(pen: Pen, person: Person) -> None:
    """Draw a white shirt's collar and a necktie in the hat's colour."""
    if not person.has("Wearing_Necktie"):
        return
    for side in SIDES:
        collar = np.array([[0, 92], [30, 70], [36, 84], [14, 104]]) * [side, 1]
        pen.polygon(collar, _SHIRT)
    blade = np.array([[-8, 86], [8, 86], [5, 96], [12, 140], [-12, 140], [-5, 96]])
    pen.polygon(blade, person.hat)
    pen.line(np.array([[-6, 96], [6, 96]]), shaded(person.hat, 0.5), 1.6)


def draw_necklace(pen: Pen, person: Person) -> None:
    """Draw beads around the neck."""
    if person.has("Wearing_Necklace"):
        for x, y in arc_points(-25, 25, _COLLAR_Y - 4, 12, points=11):
            pen.oval((x, y), (3.4, 3.4), shaded(_PEARL, 0.6))
            pen.oval((x, y), (2.6, 2.6), _PEARL)


def draw_earrings(pen: Pen, person: Person) -> None:
    """Draw a golden drop below each ear."""
    if person.has("Wearing_Earrings"):
        for side in SIDES:
            x = side * (person.half_width + 2)
            pen.oval((x, 24), (3, 4), _GOLD)
            pen.oval((x, 34), (5, 7.5), shaded(_GOLD, 0.7))
            pen.oval((x, 34), (3.8, 6.2), _GOLD)


def draw_glasses(pen: Pen, person: Person) -> None:
    """Draw glasses with dark frames and bluish lenses."""
    if not person.has("Eyeglasses"):
        return
    for side in SIDES:
        centre = (side * EYE_X + person.turn, 1.0)
        rim = oval_points(centre, (15, 12))
        pen.polygon(rim, _GLASS, 0.3)
        pen.line(np.concatenate([rim, rim[:2]]), _FRAME, 2.6)
        temple = np.array([[centre[0] + side * 15, -1], [side * person.half_width, 0]])
        pen.line(temple, _FRAME, 2.4)
    pen.line(arc_points(person.turn - 5, person.turn + 5, 0, -2), _FRAME, 2.4)
