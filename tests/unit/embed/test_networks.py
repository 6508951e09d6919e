import numpy as np
import pytest
import torch
from torch import nn

from cactus.embed.networks import (
    Block,
    ConvGenerator,
    ConvTrunk,
    Style,
    draw_normal_weights,
    halvings,
    seeded_module,
    update_all,
    update_together,
)


def test_seed_decides_weights_and_leaves_the_global_generator_alone() -> None:
    before = torch.random.get_rng_state()
    first, again, other = (
        seeded_module(lambda: nn.Linear(3, 4), seed).weight for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("layer", [nn.Linear, nn.Conv2d, nn.ConvTranspose2d])
def test_normal_weights(layer: type[nn.Module]) -> None:
    arguments = (200, 100) if layer is nn.Linear else (20, 50, 4)
    module = seeded_module(lambda: layer(*arguments), 0)
    seeded_module(lambda: draw_normal_weights(module, 0.02) or module, 0)
    assert module.weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert not module.bias.any()


def test_adversaries_move_at_the_same_time() -> None:
    a, b = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (2.0, 3.0))
    first, second = torch.optim.SGD([a], 0.1), torch.optim.SGD([b], 0.1)
    product = a * b
    update_together([(first, product), (second, -product + b**2)])
    assert a.item() == pytest.approx(2 - 0.1 * 3)
    assert b.item() == pytest.approx(3 - 0.1 * (-2 + 2 * 3))


def test_all_optimizers_descend_one_loss() -> None:
    a, b = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (2.0, 3.0))
    optimizers = [torch.optim.SGD([a], 0.1), torch.optim.SGD([b], 0.01)]
    for _ in range(2):
        update_all(optimizers, a * b)
    assert a.item() == pytest.approx(1.7 - 0.1 * 2.98)
    assert b.item() == pytest.approx(2.98 - 0.01 * 1.7)


@pytest.mark.parametrize(
    ("size", "sides"),
    [(28, [14, 7]), (32, [16, 8, 4]), (64, [32, 16, 8, 4]), (72, [36, 18, 9]), (84, [42, 21])],
)
def test_halvings(size: int, sides: list[int]) -> None:
    assert halvings(size) == sides


def test_block_adds_the_projected_condition() -> None:
    generator = np.random.default_rng(0)
    block = seeded_module(
        lambda: Block(nn.Linear(4, 3), 3, Style(0.2), norm=False, condition=2), 0
    ).double()
    x, z = generator.normal(size=(5, 4)), generator.normal(size=(5, 2))
    weight, bias = (p.detach().numpy() for p in block.operation.parameters())
    projection = block.projection.weight.detach().numpy()
    expected = x @ weight.T + bias + z @ projection.T
    expected = np.where(expected > 0, expected, 0.2 * expected)
    actual = block(torch.tensor(x), torch.tensor(z)).detach().numpy()
    np.testing.assert_allclose(actual, expected, atol=1e-12)


def test_block_conditions_every_place_of_a_map() -> None:
    block = Block(nn.Conv2d(1, 3, 1), 3, Style(1.0), norm=False, condition=2).double()
    x, z = torch.rand(2, 1, 4, 4).double(), torch.rand(2, 2).double()
    shift = block(x, z) - block.operation(x)
    expected = (z @ block.projection.weight.T)[:, :, None, None].expand(2, 3, 4, 4)
    torch.testing.assert_close(shift, expected)


def _placed(x, weight, stride, pad, upward):
    """Return a convolution or, upward, its transpose, by adding one product at a time.

    Images are (N, C, S, S). Entry (i, j) of the smaller map meets (stride i + u - pad,
    stride j + v - pad) of the larger one through the kernel's (u, v).
    """
    count, kernel = len(x), weight.shape[-1]
    small = x.shape[-1] if upward else x.shape[-1] // stride
    large = small * stride
    outputs = weight.shape[1] if upward else weight.shape[0]
    y = np.zeros((count, outputs, large, large) if upward else (count, outputs, small, small))
    for i, j, u, v in np.ndindex(small, small, kernel, kernel):
        row, column = stride * i + u - pad, stride * j + v - pad
        if min(row, column) < 0 or max(row, column) >= large:
            continue
        if upward:
            y[:, :, row, column] += x[:, :, i, j] @ weight[:, :, u, v]
        else:
            y[:, :, i, j] += x[:, :, row, column] @ weight[:, :, u, v].T
    return y


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("kind", ["linear", "down", "up"])
def test_conditioned_block_in_numpy(kind: str, affine: bool) -> None:
    """Act(BN(W x + V z)): the code is added before the batch is normalized."""
    draw = np.random.default_rng(3).normal
    operation = {
        "linear": lambda: nn.Linear(2, 3, bias=False),
        "down": lambda: nn.Conv2d(2, 3, 5, 2, 2, bias=False),
        "up": lambda: nn.ConvTranspose2d(2, 3, 5, 2, 2, output_padding=1, bias=False),
    }[kind]()
    style = Style(0.2, bias=False, affine=affine, epsilon=1e-3)
    block = Block(operation, 3, style, condition=4).double()
    gain, bias = (draw(size=3), draw(size=3)) if affine else (np.ones(3), np.zeros(3))
    if affine:
        block.norm.load_state_dict(
            {**block.norm.state_dict(), "weight": torch.tensor(gain), "bias": torch.tensor(bias)}
        )
    x = draw(size=(6, 2) if kind == "linear" else (6, 2, 4, 4))
    z = draw(scale=5, size=(6, 4))
    weight, projection = (m.weight.detach().numpy() for m in (block.operation, block.projection))
    of_image = x @ weight.T if kind == "linear" else _placed(x, weight, 2, 2, kind == "up")
    places = (..., *[None] * (of_image.ndim - 2))
    y = of_image + (z @ projection.T)[places]
    axes = (0, *range(2, y.ndim))
    y = (y - y.mean(axes, keepdims=True)) / np.sqrt(y.var(axes, keepdims=True) + 1e-3)
    y = gain[places] * y + bias[places]
    expected = np.maximum(y, 0.2 * y)
    actual = block(torch.tensor(x), torch.tensor(z)).detach().numpy()
    np.testing.assert_allclose(actual, expected, atol=1e-12)


@pytest.mark.parametrize("kernel", [4, 5])
@pytest.mark.parametrize("hidden", [0, 10])
@pytest.mark.parametrize("size", [16, 28, 64])
def test_generator_mirrors_the_trunk(size: int, hidden: int, kernel: int) -> None:
    shape = {"width": 2, "hidden": hidden, "kernel": kernel}
    trunk = ConvTrunk(3, size, style=Style(0.2), condition=4, **shape)
    generator = ConvGenerator(6, 3, size, style=Style(0.0), condition=6, **shape)
    code = torch.rand(5, 6)
    images = generator(code, code)
    assert images.shape == (5, 3, size, size)
    assert trunk(images, torch.rand(5, 4)).shape == (5, trunk.outputs)
    first, second = (block.operation.out_channels for block in trunk.convolutions[:2])
    assert (first, second) == (2, 4)
