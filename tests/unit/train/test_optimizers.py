"""The optimizers do what PyTorch's do, bit for bit, and do not load its compiler."""

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


@pytest.mark.parametrize(("ours", "theirs", "options"), PAIRS)
def test_steps_are_those_of_pytorch(
    ours: Callable[..., Optimizer], theirs: Callable[..., Optimizer], options: dict[str, float]
) -> None:
    start = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    first, second = start.clone().requires_grad_(), start.clone().requires_grad_()
    one, other = ours([first], **options), theirs([second], **options)
    for step in range(5):
        if step == 3:  # a resumed run
            state, one = one.state_dict(), ours([first], **options)
            one.load_state_dict(state)
        for parameter, optimizer in ((first, one), (second, other)):
            optimizer.zero_grad()
            parameter.square().sum().backward()
            optimizer.step()
    assert torch.equal(first, second)
    assert first.requires_grad


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
