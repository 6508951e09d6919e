"""conv4 (Snell et al. 2017) as an encoder, as ProtoNets need it."""

import torch
from torch import nn

from cactus.config.sections.learners.protonets import GammaInit
from cactus.meta.conv4 import BLOCKS, KERNEL, ImageShape, check_positions


class Conv4Encoder(nn.Sequential):
    """conv4 as an encoder of images (n, C, H, W) into vectors (n, d) (Snell et al. 2017).

    Four times a 3x3 convolution, batch normalization with scale and shift, ReLU and 2x2
    max-pooling; d is 64 for 28x28 and 1600 for 84x84 images at 64 filters. Convolutions start as
    PyTorch's, U(-b, b) with b = 1/sqrt(inputs of a filter), and have no bias, which the
    normalization would cancel.

    Parameters
    ----------
    image_shape
        Height, width and channels.
    filters
        Output channels of each convolution.
    batch_norm_eps, batch_norm_momentum
        Of the batch normalizations.
    batch_norm_gamma
        Their initial scales: "ones", or "uniform" for U(0, 1).
    generator
        Draws the initial weights.

    Raises
    ------
    ConfigError
        The images are too small to be halved four times.
    """

    def __init__(
        self,
        image_shape: ImageShape,
        filters: int,
        *,
        batch_norm_eps: float,
        batch_norm_momentum: float,
        batch_norm_gamma: GammaInit,
        generator: torch.Generator,
    ) -> None:
        height, width, inputs = image_shape
        check_positions((height >> BLOCKS) * (width >> BLOCKS), image_shape)
        super().__init__()
        for block in range(BLOCKS):
            # On no device, it draws nothing; `to_empty` would import SymPy.
            convolution = nn.Conv2d(
                inputs, filters, KERNEL, padding="same", bias=False, device="meta"
            )
            convolution.weight = nn.Parameter(torch.empty(convolution.weight.shape))
            bound = (inputs * KERNEL**2) ** -0.5
            nn.init.uniform_(convolution.weight, -bound, bound, generator=generator)
            norm = nn.BatchNorm2d(filters, eps=batch_norm_eps, momentum=batch_norm_momentum)
            if batch_norm_gamma == "uniform":
                nn.init.uniform_(norm.weight, generator=generator)
            # Pooling first gives the same values and leaves ReLU a quarter of the work.
            layers = nn.Sequential(convolution, norm, nn.MaxPool2d(2), nn.ReLU(inplace=True))
            self.add_module(f"block{block + 1}", layers)
            inputs = filters
        self.add_module("flatten", nn.Flatten())
