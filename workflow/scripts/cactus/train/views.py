"""Random views of images: warps, colors and blur (Chen et al. 2020)."""

import math
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

from cactus.config.sections.views import ViewSettings
from cactus.errors import ConfigError
from cactus.train.crops import random_crop_transforms

_RATIO_MAX: Final = 4 / 3
_KNOTS: Final = 4  # of the elastic field, along each axis
_JITTERED: Final = 0.8  # probability of color jitter
_TONES: Final = 0.8  # change of brightness, contrast and saturation at strength 1
_HUE: Final = 0.2  # change of hue at strength 1, as a fraction of a full turn
_NO_BLUR: Final = 0.01  # pixels; a neighbor's weight underflows to zero


def check_colors(settings: ViewSettings, channels: int, where: str) -> None:
    """Refuse changes of colors for images without colors.

    Raises
    ------
    ConfigError
        There are some; `where` is the section of the settings.
    """
    for key in ("jitter", "grayscale"):
        value = getattr(settings, key)
        if value and channels == 1:
            raise ConfigError(
                "Images without colors cannot change them.",
                where=f"{where}.{key}",
                got=f"{value}, for grayscale images",
                fix="set it to 0, or give values for data sets with color images alone, under "
                "`per_dataset`",
            )


def quarter_turns(images: Tensor, generator: torch.Generator, alike: int = 1) -> Tensor:
    """Turn images (N, C, S, S) by random multiples of 90 degrees, each `alike` of them alike."""
    count = len(images)
    turns = torch.randint(4, (count // alike,), generator=generator, device=images.device)
    turns = turns.repeat_interleave(alike)
    turned = torch.stack([images.rot90(turn, (2, 3)) for turn in range(4)])
    return turned[turns, torch.arange(count, device=images.device)]


def random_views(images: Tensor, settings: ViewSettings, generator: torch.Generator) -> Tensor:
    """Return one random view of each image.

    Quarter turns are left out: both views of an image have the same.

    Parameters
    ----------
    images
        float32 (N, C, S, S) in [0, 1].
    settings
        Strength of each change; those that are off draw nothing from the generator, or have no
        effect.
    generator
        On the device of the images.

    Returns
    -------
    Tensor
        float32 (N, C, S, S) in [0, 1].
    """
    views = warp(images, settings, generator)
    if settings.jitter or settings.grayscale:
        views = recolor(views, settings.jitter, settings.grayscale, generator)
    if settings.blur_sigma and settings.blur_probability:
        views = blur(views, settings.blur_sigma, settings.blur_probability, generator)
    return views


def warp(images: Tensor, settings: ViewSettings, generator: torch.Generator) -> Tensor:
    """Crop, mirror, move and bend images (N, C, S, S), all in one bilinear interpolation.

    Border pixels are repeated outward, so that it works for ink on any ground.
    """
    count, _, size, _ = images.shape
    moves = _random_moves(count, settings, generator)
    crops = random_crop_transforms(
        count,
        area_min=settings.crop_area_min,
        ratio_max=_RATIO_MAX if settings.crop_area_min < 1 else 1.0,
        flip=settings.flip,
        generator=generator,
    )
    linear, shift = moves[:, :, :2] @ crops[:, :, :2], moves[:, :, :2] @ crops[:, :, 2:]
    transforms = torch.cat([linear, shift + moves[:, :, 2:]], dim=2)
    grid = F.affine_grid(transforms, list(images.shape), align_corners=False)
    if settings.elastic:
        # Coordinates are in [-1, 1], so that the side is 2.
        grid = grid + 2 * elastic_field(count, size, settings.elastic, generator)
    return F.grid_sample(images, grid, padding_mode="border", align_corners=False)


def _random_moves(count: int, settings: ViewSettings, generator: torch.Generator) -> Tensor:
    """Return affine maps (N, 2, 3) from a view's coordinates to its image's, both in [-1, 1].

    The image is shifted, stretched, sheared and rotated, in this order, which the map undoes.
    """
    draws = 2 * torch.rand((6, count), generator=generator, device=generator.device) - 1
    angle = math.radians(settings.rotation) * draws[0]
    cosine, sine, shear = angle.cos(), angle.sin(), settings.shear * draws[1]
    width, height = 1 + settings.scale * draws[2:4]
    x, y = 2 * settings.shift * draws[4:]
    first = torch.stack([(cosine + shear * sine) / width, (sine - shear * cosine) / width, x], 1)
    second = torch.stack([-sine / height, cosine / height, y], 1)
    return torch.stack([first, second], dim=1)


def elastic_field(count: int, size: int, strength: float, generator: torch.Generator) -> Tensor:
    """Return smooth random displacements, as fractions of the side.

    Parameters
    ----------
    count, size
        Number of fields N and their side S.
    strength
        Standard deviation at the knots, a grid of 4x4 points from corner to corner; between them
        the field is interpolated bicubically.

    Returns
    -------
    Tensor
        float32 (N, S, S, 2), along x and y.
    """
    shape = (count, 2, _KNOTS, _KNOTS)
    knots = strength * torch.randn(shape, generator=generator, device=generator.device)
    field = F.interpolate(knots, (size, size), mode="bicubic", align_corners=True)
    return field.permute(0, 2, 3, 1)


def recolor(
    images: Tensor, strength: float, grayscale: float, generator: torch.Generator
) -> Tensor:
    """Change brightness, contrast, saturation and hue of color images, and make some gray.

    An image is its gray, the mean of its three colors, and what its colors differ from it. Hue
    turns the differences around the axis of grays, so that it keeps the gray.

    Parameters
    ----------
    images
        float (N, 3, S, S) in [0, 1].
    strength
        Of the jitter, which four of five images have.
    grayscale
        Probability that an image becomes gray.
    generator
        On the device of the images.
    """
    draws = torch.rand((6, len(images), 1, 1, 1), generator=generator, device=images.device)
    change = strength * (draws[0] < _JITTERED) * (2 * draws[1:5] - 1)
    brightness, contrast, saturation = 1 + _TONES * change[:3]
    saturation = saturation * (draws[5] >= grayscale)
    gray = images.mean(1, keepdim=True)
    colors = saturation * turn_hue(images - gray, 2 * math.pi * _HUE * change[3])
    mean = gray.mean((2, 3), keepdim=True)
    changed: Tensor = brightness * (mean + contrast * (gray - mean + colors))
    return changed.clamp(0, 1)


def turn_hue(colors: Tensor, angle: Tensor) -> Tensor:
    """Turn colors around the axis of grays; a third of a turn makes red green, and green blue.

    Parameters
    ----------
    colors
        (N, 3, S, S), with a mean of zero over red, green and blue.
    angle
        In radians, (N, 1, 1, 1).
    """
    across = (colors.roll(1, 1) - colors.roll(-1, 1)) / math.sqrt(3)
    return angle.cos() * colors + angle.sin() * across


def blur(
    images: Tensor, sigma_max: float, probability: float, generator: torch.Generator
) -> Tensor:
    """Blur some of the images (N, C, S, S) by Gaussians, whose weights end at the border.

    Parameters
    ----------
    sigma_max
        Largest standard deviation, in pixels; they are uniform from 0.
    probability
        That an image is blurred.
    generator
        On the device of the images.
    """
    draws = torch.rand((2, len(images), 1, 1, 1), generator=generator, device=images.device)
    sigma = (sigma_max * draws[0] * (draws[1] < probability)).clamp(min=_NO_BLUR)
    places = torch.arange(images.shape[2], device=images.device)
    distances = places[:, None] - places
    weights = torch.softmax(-0.5 * (distances / sigma).square(), dim=-1)
    return weights @ images @ weights.transpose(2, 3)
