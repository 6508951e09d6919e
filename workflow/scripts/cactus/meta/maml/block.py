r"""Derivatives of one block of MAML's network: convolution, batch normalisation, ReLU, pooling.

Automatic differentiation keeps a graph of each step and of its gradient, and sweeps it by hundreds
of small operations. The formulas below do the same work in fewer passes over the data. The second
derivatives follow Pearlmutter (1994, "Fast exact multiplication by the Hessian"): the Hessian times
a direction is the derivative of the gradient in that direction.

A block maps :math:`x` to :math:`a`. With :math:`c = x * W` (convolution), and over the batch, for
each filter, the mean :math:`\langle\cdot\rangle` over all N positions of all images,

.. math::
    d = c - \langle c\rangle,\quad r = (\langle d^2\rangle + \epsilon)^{-1/2},\quad
    a = \mathrm{relu}(r\,P d + \beta),

where P keeps the largest of each 2x2 window (or everything, if the convolution has stride 2);
as r > 0, pooling before or after the normalisation is the same. Let :math:`P^T` put values back
to where they were taken from.

**Gradient.** :math:`\bar a` is the loss's gradient in a, and so on. With
:math:`g = \bar a\,[a > 0]`, whose sum is :math:`\bar\beta`, and
:math:`m = \langle P^T g\,d\rangle`,

.. math::
    \bar c = r\,(P^T g - \langle P^T g\rangle - r^2 m\,d),

which is the backward pass of batch normalisation; :math:`\bar W` and :math:`\bar x` follow from
:math:`\bar c` as for every convolution.

**Tangent.** A dot is a derivative in a direction of all weights, the shifts :math:`\beta` fixed.

.. math::
    \dot c &= \dot x * W + x * \dot W,\qquad e = \dot c - \langle\dot c\rangle,\qquad
    q = r^2 \langle d e\rangle,\\
    \dot r &= -r q,\qquad (r d)^\cdot = r t \ \text{ with }\ t = e - q\,d,\qquad
    \dot a = r\,P t\,[a > 0].

**Gradient of the tangent**, which is the Hessian times the direction. With
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
    """What a block's forward pass leaves; names as in the module's docstring.

    Attributes
    ----------
    images
        x, padded where the convolution cannot pad it (n, T*in, H, W).
    centred
        d (n, T*filters, h, w).
    scale, cube
        r and its third power (1, T*filters, 1, 1).
    places
        Where in its image each kept value lies, or None where all are kept.
    kept
        P d.
    output
        a, of the shape of `kept`.
    """

    images: Tensor
    centred: Tensor
    scale: Tensor
    cube: Tensor
    places: Tensor | None
    kept: Tensor
    output: Tensor


class BlockGradient(NamedTuple):
    """Gradients g and c-bar of a block, and m (1, T*filters, 1, 1)."""

    kept: Tensor
    convolution: Tensor
    slope: Tensor


class BlockTangent(NamedTuple):
    """The tangents t and P t of a block, and q (1, T*filters, 1, 1)."""

    centred: Tensor
    kept: Tensor
    slope: Tensor


class Normalised(NamedTuple):
    """What batch normalisation and pooling make of a convolution; fields as those of `Block`."""

    centred: Tensor
    scale: Tensor
    cube: Tensor
    places: Tensor | None
    kept: Tensor


def normalise(convolved: Tensor, eps: float, *, pool: bool) -> Normalised:
    """Normalise a convolution's output, which is overwritten, and pool it."""
    centred = convolved.sub_(_mean(convolved))
    # The variance of what is centred already: that of c would lose digits to its mean.
    scale = (_mean(centred * centred) + eps).rsqrt_()
    cube = scale * scale * scale
    if not pool:
        return Normalised(centred, scale, cube, None, centred)
    kept, places = F.max_pool2d(centred, 2, return_indices=True)
    return Normalised(centred, scale, cube, places, kept)


def block_gradient(block: Block, incoming: Tensor) -> tuple[BlockGradient, Tensor]:
    """Return a block's gradients, and that of its shifts, from that of its output."""
    positions = _positions(block)
    kept = _threshold_backward(incoming, block.output, 0)
    shift = _sum(kept)
    product = kept * block.kept
    slope = _sum(product).mul_(1 / positions)
    gradient = _linear(block, shift, slope, product)
    _put_back(gradient, kept, block)
    return BlockGradient(kept, gradient, slope), shift.flatten()


def block_jvp(block: Block, tangent: Tensor, output: Tensor) -> BlockTangent:
    """Return a block's tangents from that of its convolution, which is overwritten.

    Parameters
    ----------
    block
        The block.
    tangent
        c-dot.
    output
        Gets a-dot.
    """
    tangent -= _mean(tangent)
    slope = _mean(block.centred * tangent) * (block.scale * block.scale)
    tangent.addcmul_(block.centred, slope, value=-1)
    kept = _take(tangent, block.places)
    _threshold_backward.grad_input(kept, block.output, 0, grad_input=output)
    output.mul_(block.scale)
    return BlockTangent(tangent, kept, slope)


def block_hvp(
    block: Block, gradient: BlockGradient, tangent: BlockTangent, incoming: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the tangents of c-bar and of the shifts' gradient from that of a-bar."""
    positions = _positions(block)
    kept = _threshold_backward(incoming, block.output, 0)
    shift = _sum(kept)
    product = gradient.kept * tangent.kept
    slope = _sum(product)
    slope.add_(_sum(torch.mul(kept, block.kept, out=product))).mul_(1 / positions)
    change = _linear(block, shift, slope, product)
    change.addcmul_(tangent.centred, gradient.slope * block.cube, value=-1)
    change.addcmul_(gradient.convolution, tangent.slope, value=-1)
    _put_back(change, kept, block)
    return change, shift.flatten()


def _linear(block: Block, shift: Tensor, slope: Tensor, memory: Tensor) -> Tensor:
    """Return -r (shift / N + r^2 slope d), in the memory given if it is as large."""
    start = (shift * block.scale).mul_(-1 / _positions(block))
    room = memory if block.places is None else None
    return torch.addcmul(start, block.centred, slope * block.cube, value=-1, out=room)


def _positions(block: Block) -> int:
    return block.centred.numel() // block.centred.shape[1]


def _sum(values: Tensor) -> Tensor:
    return values.sum((0, 2, 3), keepdim=True)


def _mean(values: Tensor) -> Tensor:
    return values.mean((0, 2, 3), keepdim=True)


def _take(values: Tensor, places: Tensor | None) -> Tensor:
    """Return the kept values (n, C, h, w) of (n, C, H, W)."""
    if places is None:
        return values
    return values.flatten(2).gather(2, places.flatten(2)).view_as(places)


def _put_back(values: Tensor, kept: Tensor, block: Block) -> None:
    """Add r times kept values to values (n, C, H, W), where they came from."""
    if block.places is None:
        values.addcmul_(kept, block.scale)
        return
    values += torch.ops.aten.max_pool2d_with_indices_backward(
        kept * block.scale, values, [2, 2], [2, 2], [0, 0], [1, 1], False, block.places
    )
