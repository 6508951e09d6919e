"""Images on their way into the networks and into diagnostic pictures."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from cactus.files import atomic_path
from cactus.train.crops import random_crop_transforms
from cactus.train.images import resident_images

_GAP = 2
_PICTURE_SIDE = 56
_PICTURED, _NEIGHBORS = 10, 8


def square_images(images: npt.NDArray[np.uint8], size: int, device: torch.device) -> Tensor:
    """Fit images into squares and copy them to the device, still one byte per value.

    Parameters
    ----------
    images
        (N, H, W, C), possibly memory-mapped; read in chunks.
    size
        Side S of the squares, see `fit_square`.
    device
        Where the squares will stay.

    Returns
    -------
    Tensor
        uint8 (N, C, S, S).
    """

    def fit(chunk: Tensor) -> Tensor:
        return fit_square(chunk.permute(0, 3, 1, 2), size)

    return resident_images(images, device, fit)


def fit_square(images: Tensor, size: int) -> Tensor:
    """Shrink (antialiased, bilinear) or pad (border pixels) uint8 (N, C, H, W) to side `size`.

    Padding repeats the border instead of adding zeros, so that it works for dark ink on white and
    for white ink on black.
    """
    height, width = images.shape[2:]
    values = images.float()
    longest = max(height, width)
    if longest > size:
        height, width = round(height * size / longest), round(width * size / longest)
        values = F.interpolate(values, (height, width), mode="bilinear", antialias=True)
    top, left = (size - height) // 2, (size - width) // 2
    padding = (left, size - width - left, top, size - height - top)
    values = F.pad(values, padding, mode="replicate")
    return values.round().clamp(0, 255).to(torch.uint8)


def unit_range(images: Tensor) -> Tensor:
    """Return uint8 images as float32 in [0, 1]."""
    return images.float() / 255


def signed_range(images: Tensor) -> Tensor:
    """Return uint8 images as float32 in [-1, 1]."""
    return images.float() / 127.5 - 1


def random_crops(images: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """Cut a square of side `size` out of each image (N, C, S, S), at random positions."""
    count, _, side, _ = images.shape
    device = images.device
    offsets = torch.randint(side - size + 1, (2, count, 1), generator=generator, device=device)
    places = offsets + torch.arange(size, device=device)
    image = torch.arange(count, device=device)[:, None, None]
    crops = images.permute(0, 2, 3, 1)[image, places[0][:, :, None], places[1][:, None, :]]
    return crops.permute(0, 3, 1, 2)


def center_crops(images: Tensor, size: int) -> Tensor:
    """Cut the central square of side `size` out of each image (N, C, S, S)."""
    start = (images.shape[2] - size) // 2
    return images[:, :, start : start + size, start : start + size]


def random_resized_crops(
    images: Tensor,
    size: int,
    *,
    area_min: float,
    ratio_max: float,
    flip: bool,
    generator: torch.Generator,
) -> Tensor:
    """Cut a random rectangle out of each image and bring it to side `size` (Szegedy et al. 2015).

    Images are float (N, C, S, S), crops float (N, C, size, size), interpolated bilinearly.

    Parameters
    ----------
    area_min, ratio_max, flip
        See `random_crop_transforms`.
    generator
        On the device of the images.
    """
    transforms = random_crop_transforms(
        len(images), area_min=area_min, ratio_max=ratio_max, flip=flip, generator=generator
    )
    shape = [*images.shape[:2], size, size]
    grid = F.affine_grid(transforms, shape, align_corners=False)
    return F.grid_sample(images, grid, padding_mode="border", align_corners=False)


def write_picture(rows: list[Tensor], path: Path) -> None:
    """Write rows of images as one PNG, small images enlarged by an integer factor.

    Parameters
    ----------
    rows
        Each float (K, C, S, S) with values in [0, 1]; K may differ, C and S may not.
    path
        The PNG file, written atomically.
    """
    side = rows[0].shape[2]
    scale = max(1, round(_PICTURE_SIDE / side))
    pitch = side * scale + _GAP
    columns = max(len(row) for row in rows)
    sheet = np.full((len(rows) * pitch + _GAP, columns * pitch + _GAP, 3), 128, dtype=np.uint8)
    for y, row in enumerate(rows):
        pixels = (row.detach().cpu().clamp(0, 1) * 255).round().to(torch.uint8)
        pixels = pixels.repeat_interleave(scale, 2).repeat_interleave(scale, 3)
        for x, image in enumerate(pixels.expand(-1, 3, -1, -1).permute(0, 2, 3, 1).numpy()):
            top, left = _GAP + y * pitch, _GAP + x * pitch
            sheet[top : top + side * scale, left : left + side * scale] = image
    with atomic_path(path) as temporary:
        Image.fromarray(sheet).save(temporary, format="PNG")


def write_neighbors(
    images: npt.NDArray[np.uint8], vectors: npt.NDArray[np.float32], path: Path
) -> None:
    """Write the first images, each beside its nearest neighbors by cosine, as one PNG.

    Parameters
    ----------
    images, vectors
        (N, H, W, C) and (N, d).
    path
        The PNG file, written atomically.
    """
    units = F.normalize(torch.from_numpy(vectors).double())
    nearest = (units[:_PICTURED] @ units.T).topk(min(_NEIGHBORS + 1, len(units))).indices
    pixels = unit_range(square_images(images, max(images.shape[1:3]), torch.device("cpu")))
    write_picture([pixels[rows] for rows in nearest], path)
