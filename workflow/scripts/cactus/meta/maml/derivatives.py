r"""Gradients and Hessian-vector products of MAML's network and loss, without a graph.

`cactus.meta.maml.block` derives the formulas of a block. The gradients of a convolution in its
images and weights are PyTorch's; the tangent of the gradient in the weights comes from the pairs
:math:`(\dot x, \bar c)` and :math:`(x, \dot{\bar c})`, that in the images from
:math:`(\dot{\bar c}, W)` and :math:`(\bar c, \dot W)`. The head is linear, and the loss has, for
logits z, their softmax p, labels y and a sum over images divided by s per class,
:math:`\bar z = (p - y)/s` and :math:`\dot{\bar z} = (p \dot z - p\,(p\cdot\dot z))/s`.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from cactus.meta.conv4 import BLOCKS
from cactus.meta.maml.block import (
    Block,
    BlockGradient,
    BlockTangent,
    block_backward,
    block_hvp,
    block_jvp,
    normalize,
)
from cactus.meta.maml.convolution import SameConvolution, layout_of
from cactus.meta.maml.network import TaskConv4


class Forward(NamedTuple):
    """The forward pass: its blocks, the head's features (T, n, d) and the logits (T, n, way)."""

    blocks: list[Block]
    features: Tensor
    logits: Tensor


class Backward(NamedTuple):
    """The backward pass: the loss's gradients, and the softmax of the logits."""

    blocks: list[BlockGradient]  # from the last block to the first
    probabilities: Tensor  # the softmax (T, n, way)
    logits: Tensor  # the gradient in the logits (T, n, way)
    weights: list[Tensor]  # that in the weights, in their layout
    betas: list[Tensor]  # that in each block's betas (T*filters,), task by task


class Conv4Derivatives:
    """First and second derivatives of the summed cross-entropy of T tasks, without a graph.

    Weights are four convolutions (T*filters, in, 3, 3), the head (T, d, way) and its bias
    (T, 1, way); a direction and a gradient have the same layout. Betas are (T*filters,) each.
    Call all methods without gradient tracking.

    Parameters
    ----------
    net
        The network.
    """

    def __init__(self, net: TaskConv4) -> None:
        self._net = net
        self._convolutions = []
        sides = net.image_shape[:2]
        for _ in range(BLOCKS):
            self._convolutions.append(SameConvolution.of(sides, net.stride))
            height, width = (side // 2 if net.pool else -(-side // 2) for side in sides)
            sides = height, width

    def pad(self, images: Tensor) -> Tensor:
        """Return images (n, T*C, H, W) padded as `forward` expects them."""
        first = self._convolutions[0]
        if first.symmetric:
            return images
        padded = first.buffer(images)
        first.interior(padded).copy_(images)
        return padded

    def forward(self, images: Tensor, weights: list[Tensor], betas: list[Tensor]) -> Forward:
        """Return the forward pass on images (n, T*C, H, W) from `pad`."""
        *convolutions, head, bias = weights
        blocks: list[Block] = []
        for number, (convolution, beta) in enumerate(zip(convolutions, betas, strict=True)):
            convolved = self._convolutions[number](images, convolution)
            values = normalize(convolved, self._net.eps, pool=self._net.pool)
            buffer, output = self._next_input(number, values.pooled)
            torch.addcmul(beta.view(1, -1, 1, 1), values.pooled, values.scale, out=output).relu_()
            blocks.append(Block(images, *values, output))
            images = buffer
        features = self._features(images, len(bias))
        return Forward(blocks, features, torch.baddbmm(bias, features, head))

    def backward(self, forward: Forward, weights: list[Tensor], targets: Tensor) -> Backward:
        """Return the gradient of the cross-entropy against targets.

        Parameters
        ----------
        forward
            The forward pass at the weights.
        weights
            The weights.
        targets
            (n, way): the weight of each image in the loss, in the column of its class.
        """
        *convolutions, head, _ = weights
        probabilities = forward.logits.softmax(2)
        logits = probabilities * targets.sum(1, keepdim=True) - targets
        gradients = [logits.sum(1, keepdim=True), forward.features.transpose(1, 2) @ logits]
        incoming = self._positions(logits @ head.transpose(1, 2), forward.blocks[-1].output)
        blocks, betas = [], []
        for number in reversed(range(BLOCKS)):
            block = forward.blocks[number]
            gradient, beta = block_backward(block, incoming)
            incoming, weight = self._convolutions[number].gradients(
                gradient.convolution, block.images, convolutions[number], in_images=number > 0
            )
            blocks.append(gradient)
            gradients.append(weight)
            betas.append(beta)
        return Backward(blocks, probabilities, logits, gradients[::-1], betas[::-1])

    def hvp(
        self,
        forward: Forward,
        backward: Backward,
        weights: list[Tensor],
        direction: list[Tensor],
        targets: Tensor,
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Return the Hessian-vector products of the weights, and of the betas with the weights.

        They are the derivatives of the gradients in a direction of the weights.

        Parameters
        ----------
        forward, backward
            The passes at the weights.
        weights
            The weights.
        direction
            In the layout of the weights.
        targets
            As for `backward`.
        """
        *convolutions, head, _ = weights
        *directions, head_direction, bias_direction = direction
        inputs, tangents, features = self._tangents(forward, convolutions, directions)
        tangent = torch.baddbmm(bias_direction, features, head)
        tangent.baddbmm_(forward.features, head_direction)
        logits = _softmax_jvp(backward.probabilities, tangent)
        logits *= targets.sum(1, keepdim=True)
        head_product = torch.baddbmm(
            features.transpose(1, 2) @ backward.logits, forward.features.transpose(1, 2), logits
        )
        products = [logits.sum(1, keepdim=True), head_product]
        incoming = torch.baddbmm(
            backward.logits @ head_direction.transpose(1, 2), logits, head.transpose(1, 2)
        )
        incoming = self._positions(incoming, forward.blocks[-1].output)
        betas = []
        for number, gradient in zip(reversed(range(BLOCKS)), backward.blocks, strict=True):
            block = forward.blocks[number]
            product, beta = block_hvp(block, gradient, tangents[number], incoming)
            if number:
                incoming, weight = self._convolutions[number].summed_gradients(
                    (product, gradient.convolution),
                    (block.images, inputs[number]),
                    (convolutions[number], directions[number]),
                )
            else:
                _, weight = self._convolutions[0].gradients(
                    product, block.images, convolutions[0], in_images=False
                )
            products.append(weight)
            betas.append(beta)
        return products[::-1], betas[::-1]

    def _tangents(
        self, forward: Forward, convolutions: list[Tensor], directions: list[Tensor]
    ) -> tuple[list[Tensor], list[BlockTangent], Tensor]:
        """Return each block's x-dot and tangents, and those of the features."""
        inputs, tangents = [forward.blocks[0].images], []
        tasks = len(forward.features)
        for number, block in enumerate(forward.blocks):
            convolution = self._convolutions[number]
            tangent = convolution(block.images, directions[number])
            if number:
                tangent += convolution(inputs[-1], convolutions[number])
            buffer, output = self._next_input(number, block.pooled)
            tangents.append(block_jvp(block, tangent, output))
            inputs.append(buffer)
        return inputs, tangents, self._features(inputs[-1], tasks)

    def _next_input(self, number: int, pooled: Tensor) -> tuple[Tensor, Tensor]:
        """Return an unset input of the block after `number`, and its view without padding."""
        if number == BLOCKS - 1:
            buffer = torch.empty_like(pooled)
            return buffer, buffer
        buffer = self._convolutions[number + 1].buffer(pooled)
        return buffer, self._convolutions[number + 1].interior(buffer)

    def _features(self, hidden: Tensor, tasks: int) -> Tensor:
        if self._net.spatial_mean:
            hidden = hidden.mean((2, 3))
        return hidden.reshape(len(hidden), tasks, self._net.features).transpose(0, 1)

    def _positions(self, features: Tensor, like: Tensor) -> Tensor:
        """Return the gradient in the last block's output from that in the features (T, n, d)."""
        images, channels, height, width = like.shape
        rows = features.transpose(0, 1)
        if self._net.spatial_mean:
            rows = rows.reshape(images, channels, 1, 1) / (height * width)
            return rows.expand_as(like).contiguous(memory_format=layout_of(like))
        return rows.reshape(like.shape).contiguous(memory_format=layout_of(like))


def _softmax_jvp(softmax: Tensor, tangent: Tensor) -> Tensor:
    """Return the tangent of a softmax (T, n, way) from that of its logits."""
    return softmax * (tangent - (softmax * tangent).sum(2, keepdim=True))
