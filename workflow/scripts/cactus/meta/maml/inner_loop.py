"""MAML's inner loop and its derivative without automatic differentiation."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from cactus.meta.maml.derivatives import Backward, Conv4Derivatives, Forward
from cactus.meta.maml.network import TaskConv4


class Labelled(NamedTuple):
    """Images (n, T*C, H, W) of T tasks: `per_class` of class 0, then of class 1, and so on."""

    images: Tensor
    way: int
    per_class: int

    def targets(self) -> Tensor:
        """Return the weight of each image in the loss, in the column of its class (n, way)."""
        eye = torch.eye(self.way, dtype=self.images.dtype, device=self.images.device)
        rows = (eye / self.per_class)[:, None].expand(self.way, self.per_class, self.way)
        return rows.reshape(-1, self.way)


class MetaGradient(NamedTuple):
    """Gradients of the outer loss, and the query's logits (T, n, way)."""

    weights: list[Tensor]
    shifts: list[Tensor]
    logits: Tensor


class _Step(NamedTuple):
    weights: list[Tensor]
    forward: Forward
    backward: Backward


class InnerLoop:
    """Gradient steps on the support of T tasks from a common start.

    With the steps :math:`w_{k+1} = w_k - a g_k(w_k, b)` on the weights and the gradient
    :math:`v_K` of the outer loss in the last weights, the chain rule sweeps the steps backwards,
    :math:`v_k = v_{k+1} - a H_k v_{k+1}`, and adds :math:`-a (dg_k/db)^T v_{k+1}` to the gradient
    in the shifts b (Finn et al. 2017, equation 1). Both are derivatives of the gradient of step k
    in the direction :math:`v_{k+1}`, as second derivatives are symmetric. First order leaves both
    out.

    Parameters
    ----------
    net
        The network.
    rate
        Of the inner steps, a.
    """

    def __init__(self, net: TaskConv4, rate: float) -> None:
        self._net, self._rate = net, rate
        self._derivatives = Conv4Derivatives(net)

    @torch.no_grad()
    def query_logits(
        self,
        weights: list[Tensor],
        shifts: list[Tensor],
        support: Labelled,
        query: Tensor,
        steps: int,
    ) -> Tensor:
        """Return the logits (T, n, way) of query images after steps on the support."""
        tasks = self._tasks(support)
        own, own_shifts = _spread(weights, tasks, support.way), _spread_shifts(shifts, tasks)
        images, targets = self._derivatives.pad(support.images), support.targets()
        for _ in range(steps):
            forward = self._derivatives.forward(images, own, own_shifts)
            backward = self._derivatives.backward(forward, own, targets)
            own = self._moved(own, backward.weights)
        return self._derivatives.forward(self._derivatives.pad(query), own, own_shifts).logits

    @torch.no_grad()
    def meta_gradient(
        self,
        weights: list[Tensor],
        shifts: list[Tensor],
        support: Labelled,
        query: Sequence[Labelled],
        steps: int,
        *,
        second_order: bool,
    ) -> MetaGradient:
        """Return the gradient of the outer loss, summed over tasks, through steps on the support.

        Parameters
        ----------
        weights, shifts
            Of the model, as `TaskConv4.initial_weights` and `initial_betas`.
        support
            The labelled images of all T tasks.
        query
            Those of the first tasks, of the next, and so on: as many as are computed together.
        steps
            Inner steps.
        second_order
            Whether to derive the steps themselves.
        """
        tasks = self._tasks(support)
        own, own_shifts = _spread(weights, tasks, support.way), _spread_shifts(shifts, tasks)
        derivatives, taken = self._derivatives, list[_Step]()
        images, targets = derivatives.pad(support.images), support.targets()
        for _ in range(steps):
            forward = derivatives.forward(images, own, own_shifts)
            backward = derivatives.backward(forward, own, targets)
            if second_order:
                taken.append(_Step(own, forward, backward))
            own = self._moved(own, backward.weights)
        turn, in_shifts, logits = self._outer_gradient(own, own_shifts, query)
        while taken:
            step = taken.pop()
            change, shift_change = derivatives.hvp(
                step.forward, step.backward, step.weights, turn, targets
            )
            turn = self._moved(turn, change)
            in_shifts = self._moved(in_shifts, shift_change)
        in_shifts = [value.view(tasks, -1).sum(0) for value in in_shifts]
        return MetaGradient(_gathered(turn, weights, tasks), in_shifts, logits)

    def _outer_gradient(
        self, weights: list[Tensor], shifts: list[Tensor], query: Sequence[Labelled]
    ) -> MetaGradient:
        """Return the gradient of the outer loss in each task's own weights and shifts."""
        found, start, tasks = [], 0, len(weights[-1])
        for piece in query:
            end = start + self._tasks(piece)
            own, own_shifts = (
                [_of_tasks(value, tasks, start, end) for value in values]
                for values in (weights, shifts)
            )
            outer = self._derivatives.forward(self._derivatives.pad(piece.images), own, own_shifts)
            gradient = self._derivatives.backward(outer, own, piece.targets())
            found.append(MetaGradient(gradient.weights, gradient.shifts, outer.logits))
            start = end
        in_weights, in_shifts, logits = zip(*found, strict=True)
        return MetaGradient(_joined(in_weights), _joined(in_shifts), torch.cat(logits))

    def _tasks(self, labelled: Labelled) -> int:
        return labelled.images.shape[1] // self._net.image_shape[2]

    def _moved(self, values: list[Tensor], slopes: list[Tensor]) -> list[Tensor]:
        return list(torch._foreach_sub(values, slopes, alpha=self._rate))


def _spread(weights: list[Tensor], tasks: int, way: int) -> list[Tensor]:
    """Copy the weights for every task, in the form of `Conv4Derivatives`."""
    *convolutions, head, bias = weights
    return [
        *(weight.repeat(tasks, 1, 1, 1) for weight in convolutions),
        head[:, :way].repeat(tasks, 1, 1),
        bias[:way].repeat(tasks, 1, 1),
    ]


def _spread_shifts(shifts: list[Tensor], tasks: int) -> list[Tensor]:
    return [shift.repeat(tasks) for shift in shifts]


def _of_tasks(value: Tensor, tasks: int, start: int, end: int) -> Tensor:
    """Return what belongs to some of the tasks that lie one after the other in a tensor."""
    each = len(value) // tasks
    return value[start * each : end * each]


def _joined(pieces: Iterable[list[Tensor]]) -> list[Tensor]:
    """Join what belongs to consecutive tasks."""
    return [torch.cat(values) for values in zip(*pieces, strict=True)]


def _gathered(gradients: list[Tensor], weights: list[Tensor], tasks: int) -> list[Tensor]:
    """Sum gradients over tasks, in the form of the model; unused columns of the head get zero."""
    summed = []
    for gradient, weight in zip(gradients, weights, strict=True):
        total = torch.zeros_like(weight)
        used = gradient.shape[-1]
        total[..., :used] = gradient.reshape(tasks, *weight.shape[:-1], used).sum(0)
        summed.append(total)
    return summed
