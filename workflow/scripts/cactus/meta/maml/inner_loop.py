"""MAML's inner loop and its derivative, without automatic differentiation."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from cactus.meta.maml.derivatives import Backward, Conv4Derivatives, Forward
from cactus.meta.maml.network import TaskConv4


class Labeled(NamedTuple):
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
    betas: list[Tensor]
    logits: Tensor


class _Step(NamedTuple):
    weights: list[Tensor]
    forward: Forward
    backward: Backward


class InnerLoop:
    """Gradient steps on the support of T tasks from common initial weights.

    With the inner steps :math:`w_{k+1} = w_k - a g_k(w_k, b)` on the weights and the gradient
    :math:`v_K` of the outer loss in the last weights, the chain rule goes back through the steps,
    :math:`v_k = v_{k+1} - a H_k v_{k+1}`, and adds :math:`-a (dg_k/db)^T v_{k+1}` to the gradient
    in the betas b (Finn et al. 2017, equation 1). Both are derivatives of the gradient of step k
    in the direction :math:`v_{k+1}`, since second derivatives are symmetric. First-order MAML
    leaves both out.

    Parameters
    ----------
    net
        The network.
    rate
        Learning rate of the inner steps, a.
    """

    def __init__(self, net: TaskConv4, rate: float) -> None:
        self._net, self._rate = net, rate
        self._derivatives = Conv4Derivatives(net)

    @torch.no_grad()
    def query_logits(
        self,
        weights: list[Tensor],
        betas: list[Tensor],
        support: Labeled,
        query: Tensor,
        steps: int,
    ) -> Tensor:
        """Return the logits (T, n, way) of query images after steps on the support."""
        tasks = self._tasks(support)
        adapted = _repeat_weights(weights, tasks, support.way)
        betas = _repeat_betas(betas, tasks)
        images, targets = self._derivatives.pad(support.images), support.targets()
        for _ in range(steps):
            forward = self._derivatives.forward(images, adapted, betas)
            backward = self._derivatives.backward(forward, adapted, targets)
            adapted = self._descend(adapted, backward.weights)
        return self._derivatives.forward(self._derivatives.pad(query), adapted, betas).logits

    @torch.no_grad()
    def meta_gradient(
        self,
        weights: list[Tensor],
        betas: list[Tensor],
        support: Labeled,
        query: Sequence[Labeled],
        steps: int,
        *,
        second_order: bool,
    ) -> MetaGradient:
        """Return the gradient of the outer loss, summed over tasks, through steps on the support.

        Parameters
        ----------
        weights, betas
            Of the model, as `TaskConv4.initial_weights` and `initial_betas`.
        support
            The labeled images of all T tasks.
        query
            Those of the first tasks, then of the next ones, and so on; the tasks of an item are
            computed together.
        steps
            Inner steps.
        second_order
            Whether to differentiate through the inner steps.
        """
        tasks = self._tasks(support)
        adapted = _repeat_weights(weights, tasks, support.way)
        betas = _repeat_betas(betas, tasks)
        derivatives, trajectory = self._derivatives, list[_Step]()
        images, targets = derivatives.pad(support.images), support.targets()
        for _ in range(steps):
            forward = derivatives.forward(images, adapted, betas)
            backward = derivatives.backward(forward, adapted, targets)
            if second_order:
                trajectory.append(_Step(adapted, forward, backward))
            adapted = self._descend(adapted, backward.weights)
        direction, beta_gradients, logits = self._outer_gradient(adapted, betas, query)
        while trajectory:
            step = trajectory.pop()
            product, beta_product = derivatives.hvp(
                step.forward, step.backward, step.weights, direction, targets
            )
            direction = self._descend(direction, product)
            beta_gradients = self._descend(beta_gradients, beta_product)
        beta_gradients = [value.view(tasks, -1).sum(0) for value in beta_gradients]
        return MetaGradient(_sum_over_tasks(direction, weights, tasks), beta_gradients, logits)

    def _outer_gradient(
        self, weights: list[Tensor], betas: list[Tensor], query: Sequence[Labeled]
    ) -> MetaGradient:
        """Return the gradient of the outer loss in each task's own weights and betas."""
        gradients, start, tasks = [], 0, len(weights[-1])
        for piece in query:
            end = start + self._tasks(piece)
            piece_weights, piece_betas = (
                [_slice_tasks(value, tasks, start, end) for value in values]
                for values in (weights, betas)
            )
            images = self._derivatives.pad(piece.images)
            forward = self._derivatives.forward(images, piece_weights, piece_betas)
            backward = self._derivatives.backward(forward, piece_weights, piece.targets())
            gradients.append(MetaGradient(backward.weights, backward.betas, forward.logits))
            start = end
        of_weights, of_betas, logits = zip(*gradients, strict=True)
        return MetaGradient(_concatenate(of_weights), _concatenate(of_betas), torch.cat(logits))

    def _tasks(self, labeled: Labeled) -> int:
        return labeled.images.shape[1] // self._net.image_shape[2]

    def _descend(self, values: list[Tensor], slopes: list[Tensor]) -> list[Tensor]:
        return list(torch._foreach_sub(values, slopes, alpha=self._rate))


def _repeat_weights(weights: list[Tensor], tasks: int, way: int) -> list[Tensor]:
    """Repeat the weights for every task, in the layout of `Conv4Derivatives`."""
    *convolutions, head, bias = weights
    return [
        *(weight.repeat(tasks, 1, 1, 1) for weight in convolutions),
        head[:, :way].repeat(tasks, 1, 1),
        bias[:way].repeat(tasks, 1, 1),
    ]


def _repeat_betas(betas: list[Tensor], tasks: int) -> list[Tensor]:
    return [beta.repeat(tasks) for beta in betas]


def _slice_tasks(value: Tensor, tasks: int, start: int, end: int) -> Tensor:
    """Return the rows of tasks `start` to `end` of a tensor with the tasks one after the other."""
    each = len(value) // tasks
    return value[start * each : end * each]


def _concatenate(pieces: Iterable[list[Tensor]]) -> list[Tensor]:
    """Concatenate tensors of consecutive tasks."""
    return [torch.cat(values) for values in zip(*pieces, strict=True)]


def _sum_over_tasks(gradients: list[Tensor], weights: list[Tensor], tasks: int) -> list[Tensor]:
    """Sum gradients over tasks, in the model's layout; unused columns of the head get zero."""
    summed = []
    for gradient, weight in zip(gradients, weights, strict=True):
        total = torch.zeros_like(weight)
        used = gradient.shape[-1]
        total[..., :used] = gradient.reshape(tasks, *weight.shape[:-1], used).sum(0)
        summed.append(total)
    return summed
