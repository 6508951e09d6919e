r"""Derivatives of one block of MAML's network: convolution, batch normalization, ReLU, pooling.

Automatic differentiation keeps a graph of each step and of its gradient, and goes through it in
hundreds of small operations. The formulas below do the same work in fewer passes over the data.
The second derivatives follow Pearlmutter (1994, "Fast exact multiplication by the Hessian"): the
Hessian times a direction is the derivative of the gradient in that direction.

A block maps :math:`x` to :math:`a`. With :math:`c = x * W` (convolution), and over the batch, for
each filter, the mean :math:`\langle\cdot\rangle` over all N positions of all images,

.. math::
    d = c - \langle c\rangle,\quad r = (\langle d^2\rangle + \epsilon)^{-1/2},\quad
    a = \mathrm{relu}(r\,P d + \beta),

where P keeps the largest of each 2x2 window (or everything, if the convolution has stride 2);
as r > 0, pooling before or after the normalization is the same. Let :math:`P^T` put values back
where they came from.

**Gradient.** :math:`\bar a` is the loss's gradient in a, and so on. With
:math:`g = \bar a\,[a > 0]`, whose sum is :math:`\bar\beta`, and
:math:`m = \langle P^T g\,d\rangle`,

.. math::
    \bar c = r\,(P^T g - \langle P^T g\rangle - r^2 m\,d),

which is the backward pass of batch normalization; :math:`\bar W` and :math:`\bar x` follow from
:math:`\bar c` as for every convolution.

**Tangent** (Jacobian-vector product). A dot is a derivative in a direction of all weights, with
the betas :math:`\beta` fixed.

.. math::
    \dot c &= \dot x * W + x * \dot W,\qquad e = \dot c - \langle\dot c\rangle,\qquad
    q = r^2 \langle d e\rangle,\\
    \dot r &= -r q,\qquad (r d)^\cdot = r t \ \text{ with }\ t = e - q\,d,\qquad
    \dot a = r\,P t\,[a > 0].

**Gradient of the tangent** (Hessian-vector product). With
:math:`\dot g = \dot{\bar a}\,[a > 0]`, whose sum is :math:`\dot{\bar\beta}`, and
:math:`k = \langle P^T \dot g\,d\rangle + \langle P^T g\,t\rangle`, the product rule gives

.. math::
    \dot{\bar c} = r\,(P^T\dot g - \langle P^T\dot g\rangle) - q\,\bar c - r^3 (m\,t + k\,d).
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

_threshold_backward = torch.ops.aten.threshold_backward


class Block(NamedTuple):
    """What a block's forward pass keeps for the others; symbols as in the module's docstring."""

    images: Tensor  # x (n, T*in, H, W), padded where the convolution cannot pad it
    centered: Tensor  # d (n, T*filters, h, w)
    scale: Tensor  # r (1, T*filters, 1, 1)
    cube: Tensor  # r^3, of the shape of `scale`
    pool_indices: Tensor | None  # position of each pooled value in its image; None without pooling
    pooled: Tensor  # P d
    output: Tensor  # a, of the shape of `pooled`


class BlockGradient(NamedTuple):
    """Gradients g and c-bar of a block, and m (1, T*filters, 1, 1)."""

    pooled: Tensor
    convolution: Tensor
    slope: Tensor


class BlockTangent(NamedTuple):
    """The tangents t and P t of a block, and q (1, T*filters, 1, 1)."""

    centered: Tensor
    pooled: Tensor
    slope: Tensor


class Normalized(NamedTuple):
    """What batch normalization and pooling make of a convolution; fields as those of `Block`."""

    centered: Tensor
    scale: Tensor
    cube: Tensor
    pool_indices: Tensor | None
    pooled: Tensor


def normalize(convolved: Tensor, eps: float, *, pool: bool) -> Normalized:
    """Normalize a convolution's output, which is overwritten, and pool it."""
    centered = convolved.sub_(_mean(convolved))
    # From the centered values: the variance of c itself would lose digits to its mean.
    scale = (_mean(centered * centered) + eps).rsqrt_()
    cube = scale * scale * scale
    if not pool:
        return Normalized(centered, scale, cube, None, centered)
    pooled, pool_indices = F.max_pool2d(centered, 2, return_indices=True)
    return Normalized(centered, scale, cube, pool_indices, pooled)


def block_backward(block: Block, incoming: Tensor) -> tuple[BlockGradient, Tensor]:
    """Return the gradients of a block and of its betas from the gradient of its output."""
    positions = _positions(block)
    pooled = _threshold_backward(incoming, block.output, 0)
    beta = _sum(pooled)
    product = pooled * block.pooled
    slope = _sum(product).mul_(1 / positions)
    gradient = _linear(block, beta, slope, product)
    _add_unpooled(gradient, pooled, block)
    return BlockGradient(pooled, gradient, slope), beta.flatten()


def block_jvp(block: Block, tangent: Tensor, output: Tensor) -> BlockTangent:
    """Return a block's tangents from its convolution's tangent, which is overwritten.

    Parameters
    ----------
    block
        The block.
    tangent
        c-dot.
    output
        Receives a-dot.
    """
    tangent -= _mean(tangent)
    slope = _mean(block.centered * tangent) * (block.scale * block.scale)
    tangent.addcmul_(block.centered, slope, value=-1)
    pooled = _pool(tangent, block.pool_indices)
    _threshold_backward.grad_input(pooled, block.output, 0, grad_input=output)
    output.mul_(block.scale)
    return BlockTangent(tangent, pooled, slope)


def block_hvp(
    block: Block, gradient: BlockGradient, tangent: BlockTangent, incoming: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the tangents of c-bar and of the betas' gradient from that of a-bar."""
    positions = _positions(block)
    pooled = _threshold_backward(incoming, block.output, 0)
    beta = _sum(pooled)
    product = gradient.pooled * tangent.pooled
    slope = _sum(product)
    slope.add_(_sum(torch.mul(pooled, block.pooled, out=product))).mul_(1 / positions)
    hvp = _linear(block, beta, slope, product)
    hvp.addcmul_(tangent.centered, gradient.slope * block.cube, value=-1)
    hvp.addcmul_(gradient.convolution, tangent.slope, value=-1)
    _add_unpooled(hvp, pooled, block)
    return hvp, beta.flatten()


def _linear(block: Block, beta: Tensor, slope: Tensor, scratch: Tensor) -> Tensor:
    """Return -r (beta / N + r^2 slope d), in `scratch` if that is as large."""
    start = (beta * block.scale).mul_(-1 / _positions(block))
    buffer = scratch if block.pool_indices is None else None
    return torch.addcmul(start, block.centered, slope * block.cube, value=-1, out=buffer)


def _positions(block: Block) -> int:
    return block.centered.numel() // block.centered.shape[1]


def _sum(values: Tensor) -> Tensor:
    return values.sum((0, 2, 3), keepdim=True)


def _mean(values: Tensor) -> Tensor:
    return values.mean((0, 2, 3), keepdim=True)


def _pool(values: Tensor, pool_indices: Tensor | None) -> Tensor:
    """Return the pooled values (n, C, h, w) of (n, C, H, W)."""
    if pool_indices is None:
        return values
    return values.flatten(2).gather(2, pool_indices.flatten(2)).view_as(pool_indices)


def _add_unpooled(values: Tensor, pooled: Tensor, block: Block) -> None:
    """Add r times pooled values to values (n, C, H, W) at the positions they came from."""
    if block.pool_indices is None:
        values.addcmul_(pooled, block.scale)
        return
    values += torch.ops.aten.max_pool2d_with_indices_backward(
        pooled * block.scale, values, [2, 2], [2, 2], [0, 0], [1, 1], False, block.pool_indices
    )
