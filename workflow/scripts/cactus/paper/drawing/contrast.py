"""The contrast of colors, by the definition of the Web Content Accessibility Guidelines."""

import numpy as np
from matplotlib.colors import to_rgb

Color = str | tuple[float, float, float]


def text_color(background: Color) -> str:
    """Return black or white, whichever contrasts more; the ratio is at least 4.58."""
    return max(("black", "white"), key=lambda text: contrast(text, background))


def contrast(first: Color, other: Color) -> float:
    """Return the contrast ratio of two colors, 1 to 21."""
    dark, light = sorted((luminance(first), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(color: Color) -> float:
    """Return the relative luminance of an sRGB color, 0 to 1."""
    values = np.array(to_rgb(color), dtype=np.float64)
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])
