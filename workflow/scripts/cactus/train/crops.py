"""Random crops of images (Szegedy et al. 2015)."""

import math

import torch
from torch import Tensor


def random_crop_transforms(
    count: int, *, area_min: float, ratio_max: float, flip: bool, generator: torch.Generator
) -> Tensor:
    """Return affine maps (N, 2, 3) from a crop's coordinates to its image's, both in [-1, 1].

    Parameters
    ----------
    count
        Number of maps N.
    area_min
        Smallest area as a fraction of the image's; areas are uniform up to the whole image.
    ratio_max
        Largest ratio of width to height; its logarithm is uniform. A side longer than the
        image's is cut to it.
    flip
        Whether to mirror half of the crops left to right.
    generator
        On the device of the maps.
    """
    draws = torch.rand((5, count), generator=generator, device=generator.device)
    area = area_min + (1 - area_min) * draws[0]
    ratio = torch.exp((2 * draws[1] - 1) * math.log(ratio_max))
    sides = torch.stack([(area * ratio).sqrt(), (area / ratio).sqrt()]).clamp(max=1.0)
    places = (1 - sides) * (2 * draws[2:4] - 1)
    mirrored = (draws[4] < 0.5) & flip
    across = torch.where(mirrored, -sides[0], sides[0])
    zero = torch.zeros_like(across)
    first = torch.stack([across, zero, places[0]], dim=1)
    second = torch.stack([zero, sides[1], places[1]], dim=1)
    return torch.stack([first, second], dim=1)
