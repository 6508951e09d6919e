"""Networks of BiGAN (Donahue, Krähenbühl and Darrell 2017, appendix C)."""

from functools import partial

import torch
from torch import Tensor, nn

from cactus.config.sections.embeddings.bigan import BiganSettings
from cactus.embed.networks import Block, ConvGenerator, ConvTrunk, draw_normal_weights

_SLOPE = 0.2
_draw_weights = partial(draw_normal_weights, std=0.02)


class Encoder(nn.Module):
    """A trunk, then a linear layer with one logit for each dimension of the code."""

    def __init__(self, trunk: nn.Module, features: int, dims: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.to_logits = nn.Linear(features, dims)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, C, S, S) to logits (N, dims)."""
        logits: Tensor = self.to_logits(self.trunk(images))
        return logits


class Mlp(nn.Module):
    """Two dense hidden layers, the second with batch norm (appendix C.1)."""

    def __init__(self, inputs: int, hidden: int, condition: int = 0) -> None:
        super().__init__()
        self.first = Block(nn.Linear(inputs, hidden), hidden, slope=_SLOPE, norm=False)
        linear = nn.Linear(hidden, hidden)
        self.second = Block(linear, hidden, slope=_SLOPE, condition=condition)

    def forward(self, values: Tensor, condition: Tensor | None = None) -> Tensor:
        """Map values (N, ...) to features (N, hidden)."""
        features: Tensor = self.second(self.first(values.flatten(1)), condition)
        return features


class MlpGenerator(nn.Module):
    """Two hidden layers with batch norm, then an image with values in (0, 1)."""

    def __init__(self, dims: int, hidden: int, shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.first = Block(nn.Linear(dims, hidden), hidden, slope=0.0)
        self.second = Block(nn.Linear(hidden, hidden), hidden, slope=0.0, condition=dims)
        self.to_image = nn.Linear(hidden, shape[0] * shape[1] * shape[2])
        self.shape = shape

    def forward(self, code: Tensor, condition: Tensor | None = None) -> Tensor:
        """Map codes (N, dims) to images (N, C, S, S)."""
        values = self.to_image(self.second(self.first(code), condition))
        return torch.sigmoid(values).reshape(-1, *self.shape)


class Discriminator(nn.Module):
    """Distinguishes (x, E(x)) from (G(z), z); the code is added to every layer but one."""

    def __init__(self, trunk: nn.Module, features: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.to_logit = nn.Linear(features, 1)

    def forward(self, images: Tensor, codes: Tensor) -> Tensor:
        """Return the logits (N,) of pairs being real."""
        logits: Tensor = self.to_logit(self.trunk(images, codes))
        return logits.squeeze(1)


def alexnet_trunk(channels: int, width: int) -> nn.Sequential:
    """Return AlexNet's convolutions with batch norm from the second on, and padded pooling.

    With a width of 64 the numbers of filters are AlexNet's. Its split into two groups is left
    out, as it only served to fit the network on two GPUs.
    """
    a, b, c = width * 3 // 2, width * 4, width * 6
    return nn.Sequential(
        Block(nn.Conv2d(channels, a, 11, 4, 5), a, slope=_SLOPE, norm=False),
        nn.MaxPool2d(3, 2, 1),
        Block(nn.Conv2d(a, b, 5, 1, 2), b, slope=_SLOPE),
        nn.MaxPool2d(3, 2, 1),
        Block(nn.Conv2d(b, c, 3, 1, 1), c, slope=_SLOPE),
        Block(nn.Conv2d(c, c, 3, 1, 1), c, slope=_SLOPE),
        Block(nn.Conv2d(c, b, 3, 1, 1), b, slope=_SLOPE),
        nn.Flatten(),
    )


def build_encoder(settings: BiganSettings, channels: int) -> Encoder:
    """Return the configured encoder for images of `channels` channels."""
    size = settings.working_size
    trunk: nn.Module
    if settings.encoder == "alexnet":
        final = -(-size // 16)  # one convolution of stride 4, two pools of 2, all rounding up
        trunk, features = alexnet_trunk(channels, settings.width), settings.width * 4 * final**2
    else:
        trunk, features = _trunk(settings, settings.encoder, channels, 0)
    return Encoder(trunk, features, settings.dims).apply(_draw_weights)


def build_discriminator(settings: BiganSettings, channels: int) -> Discriminator:
    """Return the configured joint discriminator."""
    trunk, features = _trunk(settings, settings.networks, channels, settings.dims)
    return Discriminator(trunk, features).apply(_draw_weights)


def build_generator(settings: BiganSettings, channels: int) -> nn.Module:
    """Return the configured generator; the code is its input and added to later layers."""
    dims, size, hidden = settings.dims, settings.working_size, settings.hidden
    generator: nn.Module
    if settings.networks == "mlp":
        generator = MlpGenerator(dims, hidden, (channels, size, size))
    else:
        generator = ConvGenerator(
            dims,
            channels,
            size,
            width=settings.width,
            hidden=hidden,
            kernel=settings.kernel,
            condition=dims,
        )
    return generator.apply(_draw_weights)


def _trunk(
    settings: BiganSettings, kind: str, channels: int, condition: int
) -> tuple[nn.Module, int]:
    """Return an `mlp` or `conv` trunk and the number of its features."""
    size, hidden = settings.working_size, settings.hidden
    if kind == "mlp":
        return Mlp(channels * size**2, hidden, condition), hidden
    trunk = ConvTrunk(
        channels,
        size,
        width=settings.width,
        hidden=hidden,
        kernel=settings.kernel,
        slope=_SLOPE,
        condition=condition,
    )
    return trunk, trunk.outputs
