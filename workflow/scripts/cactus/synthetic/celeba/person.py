"""The sampled proportions and colours of a drawn face, and of kinds of people."""

from dataclasses import dataclass

import numpy as np

from cactus.synthetic.celeba.pen import Colour

CLOTH_PATTERNS = ("plain", "stripes", "hoops", "dots")
_HAIR_COLOURS: dict[str, Colour] = {
    "Black_Hair": (46, 38, 38),
    "Brown_Hair": (105, 66, 38),
    "Blond_Hair": (212, 176, 104),
    "Gray_Hair": (172, 172, 176),
}
_OTHER_HAIR: Colour = (158, 72, 34)
_SKINS: tuple[Colour, ...] = ((222, 172, 138), (198, 142, 104), (158, 104, 72), (214, 158, 118))
_PALE_SKIN: Colour = (240, 212, 194)
_EYES: tuple[Colour, ...] = ((72, 50, 30), (70, 110, 150), (82, 112, 66), (40, 40, 46))
_SUIT: Colour = (38, 42, 58)
_LIPS: Colour = (186, 104, 96)
_LIPSTICK: Colour = (190, 16, 52)


@dataclass(frozen=True)
class Kind:
    """What people of a kind share besides attributes: colours, and the pattern of their clothes."""

    skin: Colour
    eyes: Colour
    cloth: Colour
    hat: Colour
    pattern: str


@dataclass(frozen=True)
class Person:
    """A face to draw; lengths in pixels, the origin between the eyes.

    Attributes
    ----------
    traits
        Names of the attributes that hold.
    half_width, top, chin
        Half the width of the head, and the heights of its top (below 0) and chin.
    jaw
        Roundness of the jaw: 1 is an ellipse, less is squarer.
    turn
        Shift of the features towards one side, as of a head turned a little.
    """

    traits: frozenset[str]
    half_width: float
    top: float
    chin: float
    jaw: float
    turn: float
    skin: Colour
    hair: Colour
    eyes: Colour
    lips: Colour
    cloth: Colour
    hat: Colour
    pattern: str

    def has(self, trait: str) -> bool:
        """Tell whether an attribute holds."""
        return trait in self.traits


def invent_kind(generator: np.random.Generator) -> Kind:
    """Draw what the people of a kind have in common."""
    return Kind(
        skin=_SKINS[generator.integers(len(_SKINS))],
        eyes=_EYES[generator.integers(len(_EYES))],
        cloth=_any_colour(generator),
        hat=_any_colour(generator),
        pattern=str(generator.choice(CLOTH_PATTERNS)),
    )


def invent_person(
    traits: frozenset[str], kind: Kind, variation: float, generator: np.random.Generator
) -> Person:
    """Draw the proportions and colours of a face of a kind with the given attributes."""

    def about(value: float, spread: float) -> float:
        return value + variation * spread * float(generator.uniform(-1, 1))

    oval, chubby = "Oval_Face" in traits, "Chubby" in traits
    suited = "Wearing_Necktie" in traits
    skin = _PALE_SKIN if "Pale_Skin" in traits else kind.skin
    hair = next((c for name, c in _HAIR_COLOURS.items() if name in traits), _OTHER_HAIR)
    return Person(
        traits=traits,
        half_width=about(42.0 if oval else 47.0, 2.0) + 7.0 * chubby,
        top=about(-64.0, 3.0),
        chin=about(70.0 if oval else 60.0, 2.5),
        jaw=about(1.0 if oval else 0.75, 0.05) - 0.12 * ("Male" in traits) - 0.15 * chubby,
        turn=about(0.0, 5.0),
        skin=_tinted(skin, variation, generator),
        hair=_tinted(hair, variation, generator),
        eyes=kind.eyes,
        lips=_LIPSTICK if "Wearing_Lipstick" in traits else _LIPS,
        cloth=_SUIT if suited else _tinted(kind.cloth, variation, generator),
        hat=_tinted(kind.hat, variation, generator),
        pattern="plain" if suited else kind.pattern,
    )


def _tinted(colour: Colour, variation: float, generator: np.random.Generator) -> Colour:
    change = variation * generator.uniform(-12, 12) + variation * generator.uniform(-5, 5, size=3)
    red, green, blue = np.clip(np.array(colour) + change, 0, 255).astype(int).tolist()
    return red, green, blue


def _any_colour(generator: np.random.Generator) -> Colour:
    red, green, blue = generator.integers(40, 216, size=3).tolist()
    return red, green, blue
