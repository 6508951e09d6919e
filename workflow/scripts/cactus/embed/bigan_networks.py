"""Networks of BiGAN (Donahue, Krähenbühl and Darrell 2017, appendix C), as in the authors' code."""

import torch
from torch import Tensor, nn

from cactus.config.sections.embeddings.bigan import BiganSettings
from cactus.embed.networks import Block, ConvGenerator, ConvTrunk, Style, draw_normal_weights

_STD = 0.02


class Encoder(nn.Module):
    """A trunk, then a linear layer with one logit for each dimension of the code."""

    def __init__(self, trunk: nn.Module, features: int, dims: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.to_logits = nn.Linear(features, dims, bias=False)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, C, S, S) to logits (N, dims)."""
        logits: Tensor = self.to_logits(self.trunk(images))
        return logits


class Mlp(nn.Module):
    """Two dense hidden layers, the second with batch norm (appendix C.1)."""

    def __init__(self, inputs: int, hidden: int, style: Style, condition: int = 0) -> None:
        super().__init__()
        first = nn.Linear(inputs, hidden, bias=style.bias)
        self.first = Block(first, hidden, style, norm=False)
        second = nn.Linear(hidden, hidden, bias=style.bias)
        self.second = Block(second, hidden, style, condition=condition)

    def forward(self, values: Tensor, condition: Tensor | None = None, batches: int = 1) -> Tensor:
        """Map values (N, ...), see `Block` for `batches`, to features (N, hidden)."""
        features: Tensor = self.second(self.first(values.flatten(1)), condition, batches)
        return features


class MlpGenerator(nn.Module):
    """Two hidden layers with batch norm, then an image with values in (0, 1)."""

    def __init__(self, dims: int, hidden: int, shape: tuple[int, int, int], style: Style) -> None:
        super().__init__()
        self.first = Block(nn.Linear(dims, hidden, bias=style.bias), hidden, style)
        second = nn.Linear(hidden, hidden, bias=style.bias)
        self.second = Block(second, hidden, style, condition=dims)
        self.to_image = nn.Linear(hidden, shape[0] * shape[1] * shape[2], bias=style.bias)
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
        self.to_logit = nn.Linear(features, 1, bias=False)

    def forward(self, images: Tensor, codes: Tensor, batches: int = 1) -> Tensor:
        """Return the logits (N,) of pairs being real; see `Block` for `batches`."""
        logits: Tensor = self.to_logit(self.trunk(images, codes, batches))
        return logits.squeeze(1)


def alexnet_trunk(channels: int, width: int, style: Style) -> nn.Sequential:
    """Return AlexNet's convolutions with batch norm from the second on, and padded pooling.

    With a width of 64 the numbers of filters are AlexNet's. Its second, fourth and fifth
    convolution are split into two groups.
    """

    def block(inputs: int, outputs: int, kernel: int, *, groups: int = 1) -> Block:
        convolution = nn.Conv2d(
            inputs, outputs, kernel, padding=kernel // 2, groups=groups, bias=style.bias
        )
        return Block(convolution, outputs, style)

    a, b, c = width * 3 // 2, width * 4, width * 6
    return nn.Sequential(
        Block(nn.Conv2d(channels, a, 11, 4, 5, bias=style.bias), a, style, norm=False),
        nn.MaxPool2d(3, 2, 1),
        block(a, b, 5, groups=2),
        nn.MaxPool2d(3, 2, 1),
        block(b, c, 3),
        block(c, c, 3, groups=2),
        block(c, b, 3, groups=2),
        nn.Flatten(),
    )


def build_encoder(settings: BiganSettings, channels: int) -> Encoder:
    """Return the configured encoder for images of `channels` channels."""
    size = settings.working_size
    trunk: nn.Module
    if settings.encoder == "alexnet":
        final = -(-size // 16)  # one convolution of stride 4, two pools of 2, all rounding up
        trunk = alexnet_trunk(channels, settings.width, _style(settings, 0.2))
        features = settings.width * 4 * final**2
    else:
        trunk, features = _trunk(settings, settings.encoder, channels, 0)
    return Encoder(trunk, features, settings.dims).apply(_draw_weights)


def build_discriminator(settings: BiganSettings, channels: int) -> Discriminator:
    """Return the configured joint discriminator, whose first answers are all 1/2."""
    trunk, features = _trunk(settings, settings.networks, channels, settings.dims)
    discriminator = Discriminator(trunk, features).apply(_draw_weights)
    nn.init.zeros_(discriminator.to_logit.weight)
    return discriminator


def build_generator(settings: BiganSettings, channels: int) -> nn.Module:
    """Return the configured generator; the code is its input and added to later layers."""
    dims, size, hidden = settings.dims, settings.working_size, settings.hidden
    style = _style(settings, 0.0)
    generator: nn.Module
    if settings.networks == "mlp":
        generator = MlpGenerator(dims, hidden, (channels, size, size), style)
    else:
        generator = ConvGenerator(
            dims,
            channels,
            size,
            width=settings.width,
            hidden=hidden,
            kernel=settings.kernel,
            style=style,
            condition=dims,
        )
    return generator.apply(_draw_weights)


def batch_norm_gains(*nets: nn.Module) -> list[nn.Parameter]:
    """Return the gains of all batch norms, if they have any."""
    modules = [module for net in nets for module in net.modules()]
    norms = [m for m in modules if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]
    return [norm.weight for norm in norms if norm.affine]


def _style(settings: BiganSettings, slope: float) -> Style:
    """Return the style of a network: biases, if any, are those of batch norm."""
    return Style(slope, bias=False, affine=settings.affine, epsilon=1e-8)


def _draw_weights(module: nn.Module) -> None:
    """Draw weights from N(0, 0.02^2), those that project the code with kernel size^2 times that."""
    draw_normal_weights(module, _STD)
    if isinstance(module, Block) and module.projection is not None:
        operation = module.operation
        kernel = 1 if isinstance(operation, nn.Linear) else operation.kernel_size[0]
        draw_normal_weights(module.projection, _STD * kernel**2)


def _trunk(
    settings: BiganSettings, kind: str, channels: int, condition: int
) -> tuple[nn.Module, int]:
    """Return an `mlp` or `conv` trunk and the number of its features."""
    size, hidden = settings.working_size, settings.hidden
    style = _style(settings, 0.2)
    if kind == "mlp":
        return Mlp(channels * size**2, hidden, style, condition), hidden
    trunk = ConvTrunk(
        channels,
        size,
        width=settings.width,
        hidden=hidden,
        kernel=settings.kernel,
        style=style,
        condition=condition,
    )
    return trunk, trunk.outputs
