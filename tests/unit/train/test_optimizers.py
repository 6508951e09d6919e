"""The optimizers do what PyTorch's do, and do not load its compiler."""

import subprocess
import sys
from collections.abc import Callable

import pytest
import torch
from torch.optim import Optimizer

from cactus.train.optimizers import SGD, Adam

Pair = tuple[Callable[..., Optimizer], Callable[..., Optimizer], dict[str, float]]
PAIRS: list[Pair] = [
    (Adam, torch.optim.Adam, {"lr": 0.1, "weight_decay": 0.01}),
    (SGD, torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01}),
]


def descend(
    kind: Callable[..., Optimizer], start: torch.Tensor, options: dict[str, float], resumed_at: int
) -> torch.Tensor:
    """Return what some steps on the sum of squares make of `start`."""
    parameter = start.clone().requires_grad_()
    optimizer = kind([parameter], **options)
    for step in range(5):
        if step == resumed_at:
            state, optimizer = optimizer.state_dict(), kind([parameter], **options)
            optimizer.load_state_dict(state)
        optimizer.zero_grad()
        parameter.square().sum().backward()
        optimizer.step()
    assert parameter.requires_grad
    return parameter.detach()


@pytest.mark.parametrize(("ours", "theirs", "options"), PAIRS)
@pytest.mark.parametrize("resumed_at", [3, -1])
@pytest.mark.parametrize("shape", [(3, 4), (257, 33)])
def test_steps_are_those_of_pytorch(
    ours: Callable[..., Optimizer],
    theirs: Callable[..., Optimizer],
    options: dict[str, float],
    resumed_at: int,
    shape: tuple[int, int],
) -> None:
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(*shape, generator=generator, dtype=torch.float64)
    found = descend(ours, start, options, resumed_at)
    # PyTorch's plain operations, one after the other.
    assert (found - descend(theirs, start, options, -1)).abs().max() < 1e-14
    single = start.float()
    fused = descend(theirs, single, {**options, "fused": True}, -1)
    assert torch.equal(descend(ours, single, options, resumed_at), fused)


@pytest.mark.parametrize(("ours", "theirs", "options"), PAIRS)
@pytest.mark.parametrize("of_weights", [torch.channels_last, torch.contiguous_format])
def test_layouts_of_weights_gradients_and_moments_may_differ(
    ours: Callable[..., Optimizer],
    theirs: Callable[..., Optimizer],
    options: dict[str, float],
    of_weights: torch.memory_format,
) -> None:
    generator = torch.Generator().manual_seed(0)
    start, first, second, third = torch.randn(
        4, 5, 3, 3, 2, generator=generator, dtype=torch.float64
    )
    weights = start.clone(memory_format=of_weights).requires_grad_()
    plain = start.clone().requires_grad_()
    one, other = ours([weights], **options), theirs([plain], **options)
    for gradient in (first, second, third):
        for layout in (torch.channels_last, torch.contiguous_format):
            weights.grad = gradient.clone(memory_format=layout)
            plain.grad = gradient.clone()
            one.step()
            other.step()
        saved = one.state_dict()  # as of a network in the other layout
        for state in saved["state"].values():
            for name, value in state.items():
                state[name] = value.clone(memory_format=layout) if value.dim() else value
        one = ours([weights], **options)
        one.load_state_dict(saved)
    assert (weights - plain).abs().max() < 1e-13


def test_the_compiler_is_not_loaded() -> None:
    script = (
        "import sys, torch; from cactus.train.optimizers import SGD, Adam\n"
        "for kind in (Adam, SGD):\n"
        "    parameter = torch.ones(2, requires_grad=True)\n"
        "    optimizer = kind([parameter], 0.1)\n"
        "    optimizer.zero_grad(); parameter.sum().backward(); optimizer.step()\n"
        "    optimizer.load_state_dict(optimizer.state_dict())\n"
        "print([name for name in ('torch._dynamo', 'sympy') if name in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True,
        env={"PYTHONPATH": "workflow/scripts"},
    )  # fmt: skip
    assert run.stdout.strip() == "[]"
