"""Images that stay on the device, one byte per value."""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

_CHUNK: Final = 1024


def resident_images(
    images: npt.NDArray[np.uint8],
    device: torch.device,
    transform: Callable[[Tensor], Tensor] = lambda chunk: chunk,
) -> Tensor:
    """Copy images to the device, still one byte per value.

    Parameters
    ----------
    images
        (N, H, W, C), possibly memory-mapped; read in chunks.
    device
        Where the images will stay.
    transform
        Maps a chunk (n, H, W, C) on the CPU to what will stay, uint8 (n, ...).

    Returns
    -------
    Tensor
        uint8 (N, ...), (N, H, W, C) without a transform.
    """
    count = len(images)

    def chunk(start: int) -> Tensor:
        return transform(torch.from_numpy(np.array(images[start : start + _CHUNK])))

    first = chunk(0)
    resident = torch.empty((count, *first.shape[1:]), dtype=torch.uint8, device=device)
    resident[:_CHUNK] = first
    for start in range(_CHUNK, count, _CHUNK):
        resident[start : start + _CHUNK] = chunk(start)
    return resident
