"""PyTorch's Adam and SGD, without loading the compiler that this project's training never calls.

``torch.compile`` wraps the methods of `torch.optim.Optimizer`, and the wrappers import
``torch._dynamo`` on the first call. That takes almost as long as importing PyTorch itself: 1.6 and
1.9 CPU seconds. Here the plain methods under the wrappers run, on the same state and groups.
"""

from inspect import unwrap
from typing import Any

import torch
from torch.optim import Optimizer


class _Unwrapped:
    """The methods that both optimizers share, without their wrappers."""

    add_param_group: Any = unwrap(Optimizer.add_param_group)
    zero_grad: Any = unwrap(Optimizer.zero_grad)
    state_dict: Any = unwrap(Optimizer.state_dict)
    load_state_dict: Any = unwrap(Optimizer.load_state_dict)


class Adam(_Unwrapped, torch.optim.Adam):
    """Adam (Kingma and Ba, 2015); see `torch.optim.Adam`."""

    step: Any = torch.no_grad()(unwrap(torch.optim.Adam.step))


class SGD(_Unwrapped, torch.optim.SGD):
    """Stochastic gradient descent, with momentum if asked for; see `torch.optim.SGD`."""

    step: Any = torch.no_grad()(unwrap(torch.optim.SGD.step))
