"""The random proportions and colors of a drawn face, and of kinds of people."""

import numpy as np

from cactus.synthetic.celeba.pen import Color

_PATTERNS = ("plain", "stripes", "hoops", "dots")
_HAIR_COLORS: dict[str, Color] = {
    "Black_Hair": (46, 38, 38),
    "Brown_Hair": (105, 66, 38),
    "Blond_Hair": (212, 176, 104),
    "Gray_Hair": (172, 172, 176),
}
_OTHER_HAIR: Color = (158, 72, 34)
_SKINS: tuple[Color, ...] = ((222, 172, 138), (198, 142, 104), (158, 104, 72), (214, 158, 118))
_PALE_SKIN: Color = (240, 212, 194)
_EYES: tuple[Color, ...] = ((72, 50, 30), (70, 110, 150), (82, 112, 66), (40, 40, 46))
_SUIT: Color = (38, 42, 58)
_LIPS: Color = (186, 104, 96)
_LIPSTICK: Color = (190, 16, 52)


class Kind:
    """What people of a kind share besides attributes: colors, and the pattern of their clothes."""

    def __init__(self, generator: np.random.Generator) -> None:
        self.skin = _SKINS[generator.integers(len(_SKINS))]
        self.eyes = _EYES[generator.integers(len(_EYES))]
        self.cloth = _any_color(generator)
        self.hat = _any_color(generator)
        self.pattern = str(generator.choice(_PATTERNS))


class Person:
    """A face to draw: random colors, and proportions in pixels from a point between the eyes.

    `traits` names the attributes that hold. `variation` is the strength of the changes in the
    kind's colors and in the proportions.
    """

    def __init__(
        self, traits: frozenset[str], kind: Kind, variation: float, generator: np.random.Generator
    ) -> None:
        def about(value: float, spread: float) -> float:
            return value + variation * spread * float(generator.uniform(-1, 1))

        self.has = traits.__contains__
        oval, chubby, suited = map(self.has, ("Oval_Face", "Chubby", "Wearing_Necktie"))
        self.half_width = about(42.0 if oval else 47.0, 2.0) + 7.0 * chubby
        # Heights: the top of the head is above the origin, below 0.
        self.top = about(-64.0, 3.0)
        self.chin = about(70.0 if oval else 60.0, 2.5)
        # Roundness: 1 is an ellipse, less is squarer.
        self.jaw = about(1.0 if oval else 0.75, 0.05) - 0.12 * self.has("Male") - 0.15 * chubby
        # Shift of the features to one side, as if the head were turned a little.
        self.turn = about(0.0, 5.0)
        skin = _PALE_SKIN if self.has("Pale_Skin") else kind.skin
        hair = next((c for name, c in _HAIR_COLORS.items() if self.has(name)), _OTHER_HAIR)
        self.skin = _tinted(skin, variation, generator)
        self.hair = _tinted(hair, variation, generator)
        self.eyes = kind.eyes
        self.lips = _LIPSTICK if self.has("Wearing_Lipstick") else _LIPS
        self.cloth = _SUIT if suited else _tinted(kind.cloth, variation, generator)
        self.hat = _tinted(kind.hat, variation, generator)
        self.pattern = "plain" if suited else kind.pattern


def _tinted(color: Color, variation: float, generator: np.random.Generator) -> Color:
    change = variation * generator.uniform(-12, 12) + variation * generator.uniform(-5, 5, size=3)
    red, green, blue = np.clip(np.array(color) + change, 0, 255).astype(int).tolist()
    return red, green, blue


def _any_color(generator: np.random.Generator) -> Color:
    red, green, blue = generator.integers(40, 216, size=3).tolist()
    return red, green, blue
