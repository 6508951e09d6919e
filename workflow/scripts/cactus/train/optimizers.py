"""PyTorch's Adam and SGD in one pass over each parameter, without loading PyTorch's compiler.

By default, PyTorch updates a parameter in half a dozen operations, each of which reads and writes
all of it and of its moments. On a CPU that is a fifth of a step of BiGAN.

``torch.compile`` wraps the methods of `torch.optim.Optimizer`, and the wrappers import
``torch._dynamo`` on the first call. That takes almost as long as importing PyTorch itself: 1.6 and
1.9 CPU seconds. Here the plain methods under the wrappers run, on the same state and groups.
"""

from collections.abc import Callable
from inspect import unwrap
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.optimizer import ParamsT

Closure = Callable[[], float] | None


class _OnePass:
    """What both optimizers share: methods without their wrappers, and the step in one pass."""

    add_param_group: Any = unwrap(Optimizer.add_param_group)
    zero_grad: Any = unwrap(Optimizer.zero_grad)
    state_dict: Any = unwrap(Optimizer.state_dict)
    load_state_dict: Any = unwrap(Optimizer.load_state_dict)
    _plain_step: Any

    def __init__(self, params: ParamsT, lr: float, **options: Any) -> None:
        super().__init__(params, lr, fused=True, **options)  # type: ignore[call-arg]

    @torch.no_grad()
    def step(self, closure: Closure = None) -> Any:
        """Update all parameters that have a gradient."""
        _align(self)  # type: ignore[arg-type]
        return self._plain_step(closure)


class Adam(_OnePass, torch.optim.Adam):
    """Adam (Kingma and Ba, 2015); see `torch.optim.Adam`."""

    _plain_step = unwrap(torch.optim.Adam.step)


class SGD(_OnePass, torch.optim.SGD):
    """Stochastic gradient descent, with momentum if asked for; see `torch.optim.SGD`."""

    _plain_step = unwrap(torch.optim.SGD.step)


def _align(optimizer: Optimizer) -> None:
    """Give gradients and moments the memory layout of their parameters.

    One pass takes the values of all as they lie in memory. On a CPU, PyTorch does not check that
    they lie in the same order.
    """
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            if parameter.grad is None:
                continue
            parameter.grad = _laid_out(parameter.grad, parameter)
            state = optimizer.state[parameter]
            for name, value in state.items():
                if isinstance(value, Tensor) and value.shape == parameter.shape:
                    state[name] = _laid_out(value, parameter)


def _laid_out(values: Tensor, parameter: Tensor) -> Tensor:
    """Return values in the layout of a parameter of their shape."""
    if values.stride() == parameter.stride():
        return values
    return torch.empty_like(parameter).copy_(values)
