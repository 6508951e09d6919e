"""Images of episodes, gathered by index from one tensor on the device."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from cactus.train.device import convolution_layout


def to_device(indices: npt.NDArray[np.integer[Any]], device: torch.device) -> Tensor:
    """Copy indices to the device without waiting for it."""
    tensor = torch.from_numpy(np.ascontiguousarray(indices, dtype=np.int64))
    if device.type == "cuda":
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)


def gather(
    images: Tensor,
    indices: Tensor,
    dtype: torch.dtype,
    layout: torch.memory_format = torch.channels_last,
) -> Tensor:
    """Return images by index as numbers from 0 to 1, channels before height and width.

    `images` is uint8 (N, H, W, C), `indices` int64 (n,); the result is (n, C, H, W) in a memory
    layout.
    """
    # Change the layout while a value is still one byte, not four.
    chosen = images[indices].permute(0, 3, 1, 2).contiguous(memory_format=layout)
    return chosen.to(dtype) / 255


def gather_tasks(images: Tensor, indices: Tensor, dtype: torch.dtype) -> Tensor:
    """Return the images of T tasks side by side in the channels, as numbers from 0 to 1.

    `images` is uint8 (N, H, W, C), `indices` int64 (T, n); the result is (n, T*C, H, W), in which
    the channels of task t follow those of task t - 1.
    """
    rows = images.flatten(1).index_select(0, indices.T.flatten())
    chosen = rows.view(*indices.T.shape, *images.shape[1:]).permute(0, 1, 4, 2, 3).flatten(1, 2)
    # Change the layout while a value is still one byte, not four.
    return chosen.contiguous(memory_format=convolution_layout(images.device)).to(dtype).div_(255)
