"""The contrast of colors, by the definition of the Web Content Accessibility Guidelines."""

from typing import Final

import numpy as np
from matplotlib.colors import to_rgb

READABLE: Final = 4.5  # contrast of small text
Color = str | tuple[float, float, float]


def text_color(background: Color) -> str:
    """Return black or white, whichever contrasts more; the ratio is at least 4.58."""
    return max(("black", "white"), key=lambda text: contrast(text, background))


def readable(color: Color) -> Color:
    """Return a color that small text on white can have: the color itself, or a darker one."""
    shades = [tuple(share * np.array(to_rgb(color))) for share in np.linspace(1, 0, 41)]
    return next(shade for shade in shades if contrast(shade, "white") >= READABLE)


def contrast(first: Color, other: Color) -> float:
    """Return the contrast ratio of two colors, 1 to 21."""
    dark, light = sorted((luminance(first), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(color: Color) -> float:
    """Return the relative luminance of an sRGB color, 0 to 1."""
    values = np.array(to_rgb(color), dtype=np.float64)
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])
