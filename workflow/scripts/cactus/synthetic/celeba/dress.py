"""What a drawn face wears: clothes, glasses, earrings, necklace and necktie."""

import numpy as np

from cactus.synthetic.celeba.features import EYE_X, SIDES
from cactus.synthetic.celeba.pen import Color, Pen, arc_points, oval_points
from cactus.synthetic.celeba.person import Person

_GOLD: Color = (240, 204, 74)
_PEARL: Color = (252, 248, 236)
_FRAME: Color = (24, 22, 26)
_GLASS: Color = (150, 180, 205)
_SHIRT: Color = (240, 240, 244)
_NECKLACE_Y = 76.0
_DARK_CLOTH = 140


def draw_clothes(pen: Pen, person: Person) -> None:
    """Draw shoulders in plain, striped, hooped or dotted clothes."""
    half, slope = (24.0, 78.0) if person.has("Male") else (18.0, 62.0)
    right = [[half, 82], [slope, 94], [slope + 24, 150]]
    pen.polygon([*right, *([-x, y] for x, y in right[::-1])], person.cloth)
    color = person.cloth, 1.6 if max(person.cloth) < _DARK_CLOTH else 0.5
    if person.pattern == "stripes":
        for x in range(-56, 57, 14):
            pen.line([(x, 96), (1.25 * x, 150)], 5, *color)
    elif person.pattern == "hoops":
        for y in range(98, 150, 13):
            reach = slope - 2 + 0.43 * (y - 94)
            pen.line([[-reach, y], [reach, y]], 5, *color)
    elif person.pattern == "dots":
        for row, y in enumerate(range(98, 150, 13)):
            for x in range(-60 + 8 * (row % 2), 61, 16):
                pen.oval((x, y), (4, 4), *color)


def draw_necktie(pen: Pen, person: Person) -> None:
    """Draw a white shirt's collar and a necktie in the hat's color."""
    if not person.has("Wearing_Necktie"):
        return
    for side in SIDES:
        pen.polygon(np.array([[0, 92], [30, 70], [36, 84], [14, 104]]) * [side, 1], _SHIRT)
    pen.polygon([[-8, 86], [8, 86], [5, 96], [12, 140], [-12, 140], [-5, 96]], person.hat)
    pen.line([[-6, 96], [6, 96]], 1.6, person.hat, 0.5)


def draw_necklace(pen: Pen, person: Person) -> None:
    """Draw beads around the neck."""
    if person.has("Wearing_Necklace"):
        for x, y in arc_points(0, 25, _NECKLACE_Y, 12, points=11):
            pen.oval((x, y), (3.4, 3.4), _PEARL, 0.6)
            pen.oval((x, y), (2.6, 2.6), _PEARL)


def draw_earrings(pen: Pen, person: Person) -> None:
    """Draw a golden drop below each ear."""
    if person.has("Wearing_Earrings"):
        for side in SIDES:
            x = side * (person.half_width + 2)
            pen.oval((x, 24), (3, 4), _GOLD)
            pen.oval((x, 34), (5, 7.5), _GOLD, 0.7)
            pen.oval((x, 34), (3.8, 6.2), _GOLD)


def draw_glasses(pen: Pen, person: Person) -> None:
    """Draw glasses with dark frames and bluish lenses."""
    if not person.has("Eyeglasses"):
        return
    for side in SIDES:
        x = side * EYE_X + person.turn
        rim = oval_points((x, 1.0), (15, 12))
        pen.polygon(rim, _GLASS, opacity=0.3)
        pen.line([*rim, *rim[:2]], 2.6, _FRAME)
        pen.line([[x + side * 15, -1], [side * person.half_width, 0]], 2.4, _FRAME)
    pen.line(arc_points(person.turn, 5, 0, -2), 2.4, _FRAME)
