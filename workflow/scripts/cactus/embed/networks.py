"""Building blocks that the embedding networks share."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer

_SMALLEST_MAP = 7

ModuleT = TypeVar("ModuleT", bound=nn.Module)


def seeded_module(build: Callable[[], ModuleT], seed: int) -> ModuleT:
    """Build a module whose initial weights depend only on `seed`.

    PyTorch's layers draw their weights from the global CPU generator; it is seeded for the
    construction and restored afterwards.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return build()


def draw_normal_weights(module: nn.Module, std: float) -> None:
    """Draw the weights of a linear or convolutional layer from N(0, std^2); zero its biases."""
    if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, std)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def update_together(losses: Sequence[tuple[Optimizer, Tensor]]) -> None:
    """Take one step of each optimizer on its own loss, all from the same forward pass.

    Every loss updates only the parameters of its own optimizer, and all gradients are computed
    before any parameter changes: the adversaries move simultaneously.

    Parameters
    ----------
    losses
        Pairs of an optimizer and the scalar loss that its parameters descend.
    """
    for index, (optimizer, loss) in enumerate(losses):
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        last = index == len(losses) - 1
        gradients = torch.autograd.grad(loss, parameters, retain_graph=not last)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient
    for optimizer, _ in losses:
        optimizer.step()


def update_all(optimizers: Iterable[Optimizer], loss: Tensor) -> None:
    """Take one step of every optimizer on the same scalar loss."""
    optimizers = list(optimizers)
    for optimizer in optimizers:
        optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    for optimizer in optimizers:
        optimizer.step()


def halvings(size: int) -> list[int]:
    """Return the sides of the maps that result from halving `size` while it is even and above 7.

    28 gives 14 and 7, 64 gives 32, 16, 8 and 4: the maps of the DCGAN family.
    """
    sides = []
    while size % 2 == 0 and size > _SMALLEST_MAP:
        size //= 2
        sides.append(size)
    return sides


class Style(NamedTuple):
    """What the layers of a network have in common.

    Attributes
    ----------
    slope
        Negative slope of the activations; 0 gives a ReLU.
    bias
        Whether linear and convolutional layers add a bias.
    affine
        Whether batch norm learns a gain and a bias.
    epsilon
        What batch norm adds to variances.
    """

    slope: float
    bias: bool = True
    affine: bool = True
    epsilon: float = 1e-5


class Block(nn.Module):
    """A layer of the form ``leaky_relu(norm(operation(x) + V z))``.

    Parameters
    ----------
    operation
        A linear or convolutional layer.
    outputs
        Its units or channels.
    style
        Of its batch norm and activation.
    norm
        Whether batch norm follows the operation.
    condition
        Dimensions of z, which is projected and added at every position; 0 for none.
    """

    def __init__(
        self,
        operation: nn.Linear | nn.Conv2d | nn.ConvTranspose2d,
        outputs: int,
        style: Style,
        *,
        norm: bool = True,
        condition: int = 0,
    ) -> None:
        super().__init__()
        flat = isinstance(operation, nn.Linear)
        batch_norm = nn.BatchNorm1d if flat else nn.BatchNorm2d
        self.operation = operation
        self.norm = (
            batch_norm(outputs, eps=style.epsilon, affine=style.affine) if norm else nn.Identity()
        )
        self.projection = nn.Linear(condition, outputs, bias=False) if condition else None
        self.slope = style.slope

    def forward(self, x: Tensor, condition: Tensor | None = None, batches: int = 1) -> Tensor:
        """Apply the layer to `x`, (N, inputs) or (N, inputs, H, W), given z of shape (N, Z).

        `x` may be several batches of one size, one after the other, which batch norm sees apart;
        all else takes them together, so that weights are read, and their gradients added, once.
        """
        y: Tensor = self.operation(x)
        if self.projection is not None and condition is not None:
            shift = self._shift(self.projection.weight, condition)
            y = y + shift.reshape(shift.shape + (1,) * (y.dim() - 2))
        if batches > 1 and not isinstance(self.norm, nn.Identity):
            return F.leaky_relu(torch.cat([self.norm(one) for one in y.chunk(batches)]), self.slope)
        return F.leaky_relu(self.norm(y), self.slope)

    @staticmethod
    def _shift(weight: Tensor, condition: Tensor) -> Tensor:
        """Return V z, never in half precision: it would round away a much smaller ``W x``."""
        with torch.autocast(weight.device.type, enabled=False):
            return F.linear(condition.to(weight.dtype), weight)


class ConvTrunk(nn.Module):
    """Strided convolutions that halve an image down to a small map, then a dense layer.

    Batch norm follows every layer but the first (Radford et al. 2016).

    Parameters
    ----------
    channels, size
        Channels and side of the images.
    width
        Filters of the first convolution; each further one doubles them.
    hidden
        Units of the dense layer; 0 for none.
    kernel
        Side of the kernels.
    style
        Of all layers.
    condition
        Dimensions of a vector added to every layer but the first; 0 for none.
    """

    def __init__(
        self,
        channels: int,
        size: int,
        *,
        width: int,
        hidden: int,
        kernel: int,
        style: Style,
        condition: int = 0,
    ) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList()
        sides = halvings(size)
        for index in range(len(sides)):
            outputs = width << index
            convolution = nn.Conv2d(
                channels, outputs, kernel, stride=2, padding=(kernel - 1) // 2, bias=style.bias
            )
            first = index == 0
            self.convolutions.append(
                Block(
                    convolution,
                    outputs,
                    style,
                    norm=not first,
                    condition=0 if first else condition,
                )
            )
            channels = outputs
        self.outputs = channels * sides[-1] ** 2
        self.dense = None
        if hidden:
            linear = nn.Linear(self.outputs, hidden, bias=style.bias)
            self.dense = Block(linear, hidden, style, condition=condition)
            self.outputs = hidden

    def forward(self, images: Tensor, condition: Tensor | None = None, batches: int = 1) -> Tensor:
        """Map images (N, C, S, S), see `Block` for `batches`, to features (N, `outputs`)."""
        for block in self.convolutions:
            images = block(images, condition, batches)
        features = images.flatten(1)
        return features if self.dense is None else self.dense(features, condition, batches)


class ConvGenerator(nn.Module):
    """The mirror image of `ConvTrunk`: a code becomes an image with values in (0, 1).

    Parameters
    ----------
    inputs
        Dimensions of the code.
    channels, size, width, hidden, kernel, style
        As in `ConvTrunk`.
    condition
        Dimensions of a vector added to every hidden layer but the first; 0 for none.
    """

    def __init__(
        self,
        inputs: int,
        channels: int,
        size: int,
        *,
        width: int,
        hidden: int,
        kernel: int,
        style: Style,
        condition: int = 0,
    ) -> None:
        super().__init__()
        linear = partial(nn.Linear, bias=style.bias)
        sides = halvings(size)
        filters = [width << index for index in range(len(sides))]
        self.shape = (filters[-1], sides[-1], sides[-1])
        units = filters[-1] * sides[-1] ** 2
        self.layers = nn.ModuleList()
        if hidden:
            self.layers.append(Block(linear(inputs, hidden), hidden, style))
            self.layers.append(Block(linear(hidden, units), units, style, condition=condition))
        else:
            self.layers.append(Block(linear(inputs, units), units, style))
        self.upscaling = nn.ModuleList(
            Block(_doubling(wide, narrow, kernel, style), narrow, style, condition=condition)
            for wide, narrow in zip(filters[:0:-1], filters[-2::-1], strict=True)
        )
        self.to_image = _doubling(filters[0], channels, kernel, style)

    def forward(self, code: Tensor, condition: Tensor | None = None) -> Tensor:
        """Map codes (N, `inputs`) to images (N, C, S, S)."""
        for layer in self.layers:
            code = layer(code, condition)
        maps = code.reshape(-1, *self.shape)
        for layer in self.upscaling:
            maps = layer(maps, condition)
        return torch.sigmoid(self.to_image(maps))


def _doubling(inputs: int, outputs: int, kernel: int, style: Style) -> nn.ConvTranspose2d:
    """Return a transposed convolution that doubles the side of a map."""
    return nn.ConvTranspose2d(
        inputs,
        outputs,
        kernel,
        stride=2,
        padding=(kernel - 1) // 2,
        output_padding=kernel % 2,
        bias=style.bias,
    )
