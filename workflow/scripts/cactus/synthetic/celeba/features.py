"""Head, eyes, brows, nose, mouth and the marks on the skin of a drawn face."""

import numpy as np

from cactus.synthetic.celeba.pen import Color, Pen, Points, arc_points
from cactus.synthetic.celeba.person import Person

SIDES = (-1, 1)
EYE_X = 19.0
MOUTH_Y = 40.0
_DARK: Color = (30, 22, 22)
_WHITE: Color = (246, 244, 240)
_BLUSH: Color = (232, 84, 92)
_MIDDLE_Y = 4.0


def head_points(person: Person, grow: float = 0.0) -> Points:
    """Return the outline of the head (N, 2), from the right ear down around the chin and over."""
    angles = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    cosine, sine = np.cos(angles), np.sin(angles)
    roundness = np.where(sine > 0, person.jaw, 1.0)
    x = (person.half_width + grow) * np.sign(cosine) * np.abs(cosine) ** roundness
    below, above = person.chin - _MIDDLE_Y + grow, _MIDDLE_Y - person.top + grow
    return np.stack([x, _MIDDLE_Y + np.where(sine > 0, below, above) * sine], axis=1)


def skull_points(person: Person, grow: float = 0.0) -> Points:
    """Return the upper outline of the head (N, 2), from the left ear over the top to the right."""
    angles = np.linspace(np.pi, 2 * np.pi, 33)
    x = (person.half_width + grow) * np.cos(angles)
    y = _MIDDLE_Y + (_MIDDLE_Y - person.top + grow) * np.sin(angles)
    return np.stack([x, y], axis=1)


def draw_neck(pen: Pen, person: Person) -> None:
    """Draw the neck, and a double chin."""
    half = 25.0 if person.has("Male") else 19.0
    pen.polygon([[-half, 30], [half, 30], [half + 3, 100], [-half - 3, 100]], person.skin, 0.82)
    if person.has("Double_Chin"):
        pen.oval((0, person.chin + 1), (33, 14), person.skin, 0.93)
        pen.line(arc_points(0, 30, person.chin + 5, 10), 2.2, person.skin, 0.62)


def draw_head(pen: Pen, person: Person) -> None:
    """Draw ears and head, with a shade along the jaw."""
    for side in SIDES:
        ear = (side * (person.half_width - 1), 8.0)
        pen.oval(ear, (7, 12), person.skin, 0.9)
        pen.oval(ear, (3.5, 7), person.skin, 0.72)
    pen.polygon(head_points(person), person.skin, 0.88)
    pen.polygon(head_points(person, grow=-3.5), person.skin)


def draw_skin(pen: Pen, person: Person, generator: np.random.Generator) -> None:
    """Draw color, hollows, wrinkles, bags and spots of the skin."""
    dark = person.skin, 0.72
    for side in SIDES:
        x = side * 27 + person.turn
        if person.has("Rosy_Cheeks"):
            for radii in ((12, 9), (8, 6)):
                pen.oval((x, 22), radii, _BLUSH, opacity=0.3)
        if person.has("High_Cheekbones"):
            pen.oval((x + side * 3, 15), (10, 4), person.skin, 1.15, 0.8)
            hollow = [[x + side * 12, 22], [x - side * 7, 34], [x + side * 3, 40]]
            pen.polygon(hollow, *dark, 0.55)
        if person.has("Bags_Under_Eyes"):
            bag = arc_points(person.turn + side * EYE_X, 9, 7, 4)
            pen.polygon(bag, (110, 78, 98), opacity=0.4)
            pen.line(bag, 1.6, *dark)
        if not person.has("Young"):
            fold = np.array([[13, 26], [21, 33], [23, 44]]) * [side, 1] + [person.turn, 0]
            pen.line(fold, 1.6, *dark)
    if not person.has("Young"):
        for y in (-32.0, -26.0, -20.0):
            pen.line(arc_points(person.turn, 22, y, -3), 1.4, *dark)
    if not person.has("Attractive"):
        for x, y in generator.uniform([-34, -22], [34, 52], size=(14, 2)):
            pen.oval((x, y), (1.7, 1.7), person.skin, 0.6, 0.75)


def draw_eyes(pen: Pen, person: Person) -> None:
    """Draw eyes with makeup, lids and brows."""
    tall = 2.6 if person.has("Narrow_Eyes") else 5.6
    if person.has("Attractive"):
        tall *= 1.2
    iris = min(4.6, tall + 0.6)
    rise = 7.0 if person.has("Arched_Eyebrows") else 1.0
    for side in SIDES:
        x = side * EYE_X + person.turn
        if person.has("Heavy_Makeup"):
            pen.oval((x, -4), (13, 7.5), (126, 62, 142), opacity=0.65)
        pen.oval((x, 0), (10, tall + 1), person.skin, 0.7)
        pen.oval((x, 0), (9, tall), _WHITE)
        pen.oval((x + 0.3 * person.turn, 0), (iris, iris), person.eyes)
        pen.oval((x + 0.3 * person.turn, 0), (iris / 2, iris / 2), _DARK)
        lid = arc_points(x, 10, 0.5, -tall - 1)
        pen.line(lid, 3.0 if person.has("Heavy_Makeup") else 1.4, _DARK)
        brow = arc_points(x, 11, -12 + 0.3 * rise, -rise) - [side, 0]
        pen.line(brow, 6.0 if person.has("Bushy_Eyebrows") else 2.4, person.hair, 0.75)


def draw_nose(pen: Pen, person: Person) -> None:
    """Draw the nose: big or small, pointed or round."""
    half, length = (12.5, 29.0) if person.has("Big_Nose") else (7.5, 23.0)
    x, dark = 1.3 * person.turn, (person.skin, 0.68)
    if person.has("Pointy_Nose"):
        left, tip, right = [x - half, length - 3], [x, length + 4], [x + half, length - 3]
        pen.polygon([[x - 3, 0], right, tip], *dark, 0.6)
        pen.line([left, tip, right], 1.8, *dark)
    else:
        pen.oval((x, length - 3), (half, 0.7 * half), person.skin, 0.85)
        pen.oval((x, length - 5), (0.6 * half, 0.4 * half), person.skin, 1.1)
        pen.line([[x + 4, 2], [x + 5, length - 8]], 1.4, *dark)
    for side in SIDES:
        pen.oval((x + side * 0.5 * half, length), (0.22 * half, 1.5), person.skin, 0.45)


def draw_mouth(pen: Pen, person: Person) -> None:
    """Draw the mouth: smiling or not, open or shut, with big or small lips."""
    smiling, is_open = person.has("Smiling"), person.has("Mouth_Slightly_Open")
    half, lift = (19.0, 7.0) if smiling else (13.5, -1.5)
    lip = 6.5 if person.has("Big_Lips") else 3.0
    gap = 5.0 if is_open else 0.6
    x, corner = person.turn, MOUTH_Y - 0.6 * lift
    upper, inner_top, inner_bottom, lower = (
        arc_points(x, half, corner, sag)
        for sag in (
            0.8 * lift - lip,
            0.8 * lift - 0.4,
            0.8 * lift + gap,
            0.8 * lift + gap + 1.2 * lip,
        )
    )
    pen.polygon([*upper, *lower[::-1]], person.lips)
    pen.polygon([*inner_top, *inner_bottom[::-1]], (70, 20, 26))
    if smiling or is_open:
        teeth = arc_points(x, 0.8 * half, corner + 1, 0.8 * lift + 0.6 * gap)
        pen.polygon([*inner_top[2:-2], *teeth[::-1]], _WHITE)
