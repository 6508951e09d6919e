"""CelebA's 40 attributes, and random combinations of them that are plausible."""

import numpy as np
import numpy.typing as npt

from cactus.config.sections.data.section import CELEBA_NAMES as ATTRIBUTES

_Flags = npt.NDArray[np.bool_]

# Attributes that do not depend on others, by their probability.
_INDEPENDENT = {
    0.3: "Blurry Wearing_Hat",
    0.35: "Chubby Eyeglasses Pale_Skin Rosy_Cheeks",
    0.4: "Big_Lips Big_Nose Bushy_Eyebrows Narrow_Eyes Pointy_Nose",
    0.45: "Arched_Eyebrows High_Cheekbones Mouth_Slightly_Open Oval_Face",
    0.5: "Attractive Male Smiling",
    0.55: "Young",
}

# Probabilities for (men, women) of what mostly one sex wears or grows.
_BY_SEX = {
    "Bald": (0.3, 0.0),
    "Heavy_Makeup": (0.02, 0.7),
    "Mustache": (0.55, 0.0),
    "No_Beard": (0.35, 1.0),
    "Sideburns": (0.7, 0.0),
    "Wearing_Earrings": (0.06, 0.7),
    "Wearing_Lipstick": (0.04, 0.8),
    "Wearing_Necklace": (0.04, 0.65),
    "Wearing_Necktie": (0.65, 0.04),
}

# Both, in the order of the draws.
_EQUAL = {name: (rate, rate) for rate, names in _INDEPENDENT.items() for name in names.split()}
_RATES = dict(sorted(_EQUAL.items())) | _BY_SEX

# Attributes on which others depend.
_CONSTRAINING = {"Male", "Bald", "No_Beard"}

# Cumulative probabilities of the hair colors of (the young, the old); the rest is red.
_HAIR_COLORS = {
    "Black_Hair": (0.34, 0.12),
    "Brown_Hair": (0.64, 0.22),
    "Blond_Hair": (0.9, 0.32),
    "Gray_Hair": (0.92, 0.96),
}
# Shares of straight, wavy and neither, of those who have hair.
_STRAIGHT, _WAVY = 0.42, 0.42


def draw_attributes(count: int, generator: np.random.Generator) -> _Flags:
    """Draw plausible attributes, in nearly exact proportions.

    Returns
    -------
    flags
        (count, 40), columns as `ATTRIBUTES`. Hair colors exclude each other, as do straight
        and wavy hair; the bald have neither hair color, bangs nor hairline; only men grow beards.
    """

    def spread() -> npt.NDArray[np.float64]:
        """Draw once from each of `count` equal parts of [0, 1), in random order."""
        return (generator.permutation(count) + generator.random(count)) / count

    flags: dict[str, _Flags] = {}
    for name, rates in _RATES.items():
        flags[name] = spread() < np.where(flags.get("Male", False), *rates)
    haired, hair = ~flags["Bald"], spread()
    below = np.zeros(count)
    for name, rates in _HAIR_COLORS.items():
        up_to = np.where(flags["Young"], *rates)
        flags[name] = haired & (hair >= below) & (hair < up_to)
        below = up_to
    form = spread()
    flags["Straight_Hair"] = haired & (form < _STRAIGHT)
    flags["Wavy_Hair"] = haired & (form >= _STRAIGHT) & (form < _STRAIGHT + _WAVY)
    flags["Bangs"] = haired & (spread() < 0.45)
    flags["Receding_Hairline"] = haired & ~flags["Bangs"] & (spread() < 0.5)
    flags["5_o_Clock_Shadow"] = flags["Male"] & flags["No_Beard"] & (spread() < 0.75)
    flags["Goatee"] = ~flags["No_Beard"] & (spread() < 0.5)
    flags["Bags_Under_Eyes"] = spread() < np.where(flags["Young"], 0.25, 0.6)
    flags["Double_Chin"] = spread() < np.where(flags["Chubby"], 0.65, 0.1)
    return np.stack([flags[name] for name in ATTRIBUTES], axis=1)


def deviate(flags: _Flags, probability: float, generator: np.random.Generator) -> _Flags:
    """Draw some attributes (N, 40) again, among those that constrain no other.

    `probability` is that of an attribute to be drawn again, with the same value or the other.
    """
    deviated = flags.copy()
    male = flags[:, ATTRIBUTES.index("Male")]
    for name in sorted(_RATES.keys() - _CONSTRAINING):
        column = ATTRIBUTES.index(name)
        redrawn = generator.random(len(flags)) < probability
        value = generator.random(len(flags)) < np.where(male, *_RATES[name])
        deviated[:, column] = np.where(redrawn, value, flags[:, column])
    return deviated
