"""PyTorch's Adam and SGD in one pass over each parameter, without loading PyTorch's compiler.

By default, PyTorch updates a parameter in half a dozen operations, each of which reads and writes
all of it and of its moments. On a CPU that is a fifth of a step of BiGAN.

``torch.compile`` wraps the methods of `torch.optim.Optimizer`, and the wrappers import
``torch._dynamo`` on the first call. That takes almost as long as importing PyTorch itself: 1.6 and
1.9 CPU seconds. Here the plain methods under the wrappers run, on the same state and groups.
"""

from inspect import unwrap
from typing import Any

import torch
from torch.optim import Optimizer
from torch.optim.optimizer import ParamsT


class _Unwrapped:
    """The methods that both optimizers share, without their wrappers."""

    add_param_group: Any = unwrap(Optimizer.add_param_group)
    zero_grad: Any = unwrap(Optimizer.zero_grad)
    state_dict: Any = unwrap(Optimizer.state_dict)
    load_state_dict: Any = unwrap(Optimizer.load_state_dict)


class Adam(_Unwrapped, torch.optim.Adam):
    """Adam (Kingma and Ba, 2015); see `torch.optim.Adam`."""

    def __init__(self, params: ParamsT, lr: float, **options: Any) -> None:
        super().__init__(params, lr, fused=True, **options)

    step: Any = torch.no_grad()(unwrap(torch.optim.Adam.step))


class SGD(_Unwrapped, torch.optim.SGD):
    """Stochastic gradient descent, with momentum if asked for; see `torch.optim.SGD`."""

    def __init__(self, params: ParamsT, lr: float, **options: Any) -> None:
        super().__init__(params, lr, fused=True, **options)

    step: Any = torch.no_grad()(unwrap(torch.optim.SGD.step))
