"""Backgrounds of objects and faces."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image

from cactus.synthetic.textures import Texture, cloud

_Field = npt.NDArray[np.float64]
# Color planes come first, (3, H, W): sums over rows of pixels are fast.
_HUE_OFFSETS = np.array([0.0, 2 / 3, 1 / 3])[:, None, None]
_CONTRAST = 0.1
_COLOR_CONTRAST = (0.3, 0.5)
_Paint = Callable[[_Field, _Field, np.random.Generator], _Field]


def hsv(hue: float, saturation: float, value: float) -> _Field:
    """Return the RGB color (3, 1, 1) in [0, 1] of a hue (in turns), saturation and value."""
    wave = np.abs((hue + _HUE_OFFSETS) % 1.0 * 6 - 3) - 1
    white = 1 - np.clip(saturation, 0, 1)
    return np.asarray(np.clip(value, 0, 1) * (white + (1 - white) * wave.clip(0, 1)))


def blend(share: _Field, first: _Field, second: _Field) -> _Field:
    """Mix two colors (3, 1, 1) or images (3, H, W) by `share` (H, W) of the second."""
    return np.asarray(first + share * (second - first))


def frame(side: int) -> tuple[_Field, _Field]:
    """Return the coordinates x, y (side, side) of a square frame's pixels, from 0 to 1."""
    centers = (np.arange(side) + 0.5) / side
    x, y = np.meshgrid(centers, centers)
    return x, y


def paint_scene(kind: str, side: int, generator: np.random.Generator) -> _Field:
    """Paint one of the `SCENES` in a square frame; return RGB planes (3, side, side)."""
    return SCENES[kind](*frame(side), generator)


def to_image(planes: _Field) -> Image.Image:
    """Return RGB planes (3, H, W) in [0, 1] as a picture; other values are clipped."""
    pixels = np.rint(255 * planes.clip(0, 1)).astype(np.uint8)
    return Image.fromarray(np.ascontiguousarray(np.moveaxis(pixels, 0, 2)))


def tint(generator: np.random.Generator) -> _Field:
    """Return a random color shift (3, 1, 1) that keeps the mean of red, green and blue."""
    turn = generator.uniform(0, 2 * np.pi)
    return np.asarray(np.cos(turn + 2 * np.pi * np.arange(3) / 3)[:, None, None])


def _tone(hue: float, generator: np.random.Generator) -> _Field:
    """Return a muted color of medium brightness near a hue."""
    return hsv(
        hue + generator.normal(0.0, 0.04), generator.uniform(0.0, 0.15), generator.uniform(0.5, 0.6)
    )


def _grain(share: _Field, tone: _Field, generator: np.random.Generator) -> _Field:
    """Return a texture around a tone, strong in color and weak in brightness.

    Scenes differ in these fine patterns and little otherwise. The patterns mislead a network that
    has not learned to tell object from background, and average out in the small images that the
    demo embeds. As in photographs, the classes separate in a learned space, not in a random one.
    """
    shift = generator.uniform(*_COLOR_CONTRAST) * tint(generator)
    contrast = _CONTRAST * generator.uniform(0.4, 1.0)
    centered = share - share.mean() + 0.5
    return blend(centered, tone * (1 + contrast) + shift, tone * (1 - contrast) - shift)


def _meadow(x: _Field, y: _Field, generator: np.random.Generator) -> _Field:
    horizon = generator.uniform(0.3, 0.65) + 0.05 * np.sin(6 * x + generator.uniform(0, 6))
    ground = _grain(cloud(len(x), 20, generator), _tone(0.28, generator), generator)
    sky = _grain(cloud(len(x), 14, generator), _tone(0.57, generator), generator)
    return np.where(y > horizon, ground, sky)


def _water(x: _Field, y: _Field, generator: np.random.Generator) -> _Field:
    waves = 0.5 + 0.5 * np.sin(40 * y + 3 * np.sin(5 * x + generator.uniform(0, 6)))
    return _grain(waves * cloud(len(x), 8, generator), _tone(0.53, generator), generator)


def _sand(x: _Field, _y: _Field, generator: np.random.Generator) -> _Field:
    return _grain(cloud(len(x), 24, generator), _tone(0.1, generator), generator)


def _wall(x: _Field, y: _Field, generator: np.random.Generator) -> _Field:
    bricks = Texture("bricks", generator.uniform(4, 8), np.pi / 2)
    share = bricks.at(x, y, generator.uniform(0, 6))
    return _grain(share, _tone(generator.random(), generator), generator)


def _cloth(x: _Field, y: _Field, generator: np.random.Generator) -> _Field:
    pattern = Texture(
        kind=str(generator.choice(["stripes", "checks", "dots", "zigzag", "rings"])),
        repeats=generator.uniform(4, 9),
        angle=generator.uniform(0, np.pi),
    )
    share = pattern.at(x, y, generator.uniform(0, 6))
    return _grain(share, _tone(generator.random(), generator), generator)


def _foliage(x: _Field, _y: _Field, generator: np.random.Generator) -> _Field:
    leaves = cloud(len(x), 10, generator) + cloud(len(x), 20, generator) - 0.5
    return _grain(leaves.clip(0, 1), _tone(0.3, generator), generator)


SCENES: dict[str, _Paint] = {
    "meadow": _meadow,
    "water": _water,
    "sand": _sand,
    "wall": _wall,
    "cloth": _cloth,
    "foliage": _foliage,
}
