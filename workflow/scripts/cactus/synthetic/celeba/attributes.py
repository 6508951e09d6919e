"""CelebA's 40 attributes and random faces' attributes that go together."""

import numpy as np
import numpy.typing as npt

_Flags = npt.NDArray[np.bool_]

# In the order of list_attr_celeba.txt.
ATTRIBUTES = (
    "5_o_Clock_Shadow",
    "Arched_Eyebrows",
    "Attractive",
    "Bags_Under_Eyes",
    "Bald",
    "Bangs",
    "Big_Lips",
    "Big_Nose",
    "Black_Hair",
    "Blond_Hair",
    "Blurry",
    "Brown_Hair",
    "Bushy_Eyebrows",
    "Chubby",
    "Double_Chin",
    "Eyeglasses",
    "Goatee",
    "Gray_Hair",
    "Heavy_Makeup",
    "High_Cheekbones",
    "Male",
    "Mouth_Slightly_Open",
    "Mustache",
    "Narrow_Eyes",
    "No_Beard",
    "Oval_Face",
    "Pale_Skin",
    "Pointy_Nose",
    "Receding_Hairline",
    "Rosy_Cheeks",
    "Sideburns",
    "Smiling",
    "Straight_Hair",
    "Wavy_Hair",
    "Wearing_Earrings",
    "Wearing_Hat",
    "Wearing_Lipstick",
    "Wearing_Necklace",
    "Wearing_Necktie",
    "Young",
)

# Probabilities that hold whatever the other attributes of a face.
_INDEPENDENT = {
    "Arched_Eyebrows": 0.45,
    "Attractive": 0.5,
    "Big_Lips": 0.4,
    "Big_Nose": 0.4,
    "Blurry": 0.3,
    "Bushy_Eyebrows": 0.4,
    "Chubby": 0.35,
    "Eyeglasses": 0.35,
    "High_Cheekbones": 0.45,
    "Male": 0.5,
    "Mouth_Slightly_Open": 0.45,
    "Narrow_Eyes": 0.4,
    "Oval_Face": 0.45,
    "Pale_Skin": 0.35,
    "Pointy_Nose": 0.4,
    "Rosy_Cheeks": 0.35,
    "Smiling": 0.5,
    "Wearing_Hat": 0.3,
    "Young": 0.55,
}

# Probabilities for (men, women) of what mostly one of the sexes wears or grows.
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

# Attributes on which others depend.
_CONSTRAINING = {"Male", "Bald", "No_Beard"}

# Cumulative probabilities of the hair colours of (the young, the old); the rest is red.
_HAIR_COLOURS = {
    "Black_Hair": (0.34, 0.12),
    "Brown_Hair": (0.64, 0.22),
    "Blond_Hair": (0.9, 0.32),
    "Gray_Hair": (0.92, 0.96),
}
# Shares of straight, wavy and neither, of those who have hair.
_STRAIGHT, _WAVY = 0.42, 0.42


def draw_attributes(count: int, generator: np.random.Generator) -> _Flags:
    """Draw attributes that go together, in nearly exact proportions.

    Returns
    -------
    flags
        (count, 40), columns as `ATTRIBUTES`. Hair colours exclude each other, as do straight
        and wavy hair; the bald have neither hair colour, fringe nor hairline; only men grow beards.
    """
    flags = {name: _spread(count, generator) < rate for name, rate in _INDEPENDENT.items()}
    for name, (men, women) in _BY_SEX.items():
        flags[name] = _spread(count, generator) < np.where(flags["Male"], men, women)
    _add_hair(flags, generator)
    _add_beard_and_age(flags, generator)
    return np.stack([flags[name] for name in ATTRIBUTES], axis=1)


def deviate(flags: _Flags, probability: float, generator: np.random.Generator) -> _Flags:
    """Redraw attributes that constrain no other, each with a probability.

    Parameters
    ----------
    flags
        Attributes (N, 40) as drawn by `draw_attributes`.
    probability
        Probability that an attribute is drawn anew, with the same value or the other.
    generator
        Source of the draws.
    """
    deviated = flags.copy()
    male = flags[:, ATTRIBUTES.index("Male")]
    rates = {name: (rate, rate) for name, rate in _INDEPENDENT.items()} | _BY_SEX
    for name in sorted(rates.keys() - _CONSTRAINING):
        column = ATTRIBUTES.index(name)
        redrawn = generator.random(len(flags)) < probability
        value = generator.random(len(flags)) < np.where(male, *rates[name])
        deviated[:, column] = np.where(redrawn, value, flags[:, column])
    return deviated


def _spread(count: int, generator: np.random.Generator) -> npt.NDArray[np.float64]:
    """Return uniform draws from [0, 1) in random order, one from each of `count` equal parts."""
    return (generator.permutation(count) + generator.random(count)) / count


def _add_hair(flags: dict[str, _Flags], generator: np.random.Generator) -> None:
    """Add colour, form and hairline of those who are not bald."""
    count, haired = len(flags["Bald"]), ~flags["Bald"]
    draw = _spread(count, generator)
    below = np.zeros(count)
    for name, (young, old) in _HAIR_COLOURS.items():
        upto = np.where(flags["Young"], young, old)
        flags[name] = haired & (draw >= below) & (draw < upto)
        below = upto
    form = _spread(count, generator)
    flags["Straight_Hair"] = haired & (form < _STRAIGHT)
    flags["Wavy_Hair"] = haired & (form >= _STRAIGHT) & (form < _STRAIGHT + _WAVY)
    flags["Bangs"] = haired & (_spread(count, generator) < 0.45)
    receding = _spread(count, generator) < 0.5
    flags["Receding_Hairline"] = haired & ~flags["Bangs"] & receding


def _add_beard_and_age(flags: dict[str, _Flags], generator: np.random.Generator) -> None:
    """Add what depends on a beard, on age or on weight."""
    count = len(flags["Male"])
    flags["5_o_Clock_Shadow"] = (
        flags["Male"] & flags["No_Beard"] & (_spread(count, generator) < 0.75)
    )
    flags["Goatee"] = ~flags["No_Beard"] & (_spread(count, generator) < 0.5)
    tired = np.where(flags["Young"], 0.25, 0.6)
    flags["Bags_Under_Eyes"] = _spread(count, generator) < tired
    heavy = np.where(flags["Chubby"], 0.65, 0.1)
    flags["Double_Chin"] = _spread(count, generator) < heavy
