r"""Gradients and Hessian-vector products of MAML's network and loss, without a graph.

`cactus.models.conv4_blocks` derives the formulas of a block. Around it, the gradients of a
convolution in its images and weights are those of any framework; the tangent of the gradient in
the weights comes from the pairs :math:`(\dot x, \bar c)` and :math:`(x, \dot{\bar c})`, that in
the images from :math:`(\dot{\bar c}, W)` and :math:`(\bar c, \dot W)`. The head is linear, and the
loss has, for logits z, their softmax p, labels y and a sum over images divided by s per class,
:math:`\bar z = (p - y)/s` and :math:`\dot{\bar z} = (p \dot z - p\,(p\cdot\dot z))/s`.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from cactus.models.conv4 import BLOCKS, TaskConv4, same_padding
from cactus.models.conv4_blocks import (
    Block,
    BlockGradient,
    BlockTangent,
    block_change,
    block_gradient,
    block_tangent,
    normalise,
)


class Forward(NamedTuple):
    """The forward pass: its blocks, the head's features (T, n, d) and the logits (T, n, way)."""

    blocks: list[Block]
    features: Tensor
    logits: Tensor


class Backward(NamedTuple):
    """The backward pass.

    Attributes
    ----------
    blocks
        From the last to the first.
    probabilities
        Softmax of the logits (T, n, way).
    logits
        The loss's gradient in them.
    weights
        The loss's gradient in the weights, in their form.
    shifts
        The loss's gradient in each block's shifts (T*filters,), task by task.
    """

    blocks: list[BlockGradient]
    probabilities: Tensor
    logits: Tensor
    weights: list[Tensor]
    shifts: list[Tensor]


_Pair = tuple[Tensor, Tensor]


class _Geometry(NamedTuple):
    """The sides of a block's input, its SAME padding and whether the convolution can do it."""

    sides: tuple[int, int]
    before: tuple[int, int]
    after: tuple[int, int]

    @property
    def symmetric(self) -> bool:
        return self.before == self.after

    def inside(self, padded: Tensor) -> Tensor:
        """Return the view of a padded tensor (n, C, H, W) without its padding."""
        if self.symmetric:
            return padded
        (top, left), (height, width) = self.before, self.sides
        return padded.narrow(2, top, height).narrow(3, left, width)

    def room(self, like: Tensor) -> Tensor:
        """Return a tensor for the images and channels of `like`, unset but zero where padded."""
        (top, left), (bottom, right) = self.before, self.after
        height, width = self.sides
        if not self.symmetric:
            height, width = top + height + bottom, left + width + right
        room = torch.empty(
            (*like.shape[:2], height, width),
            dtype=like.dtype,
            device=like.device,
            memory_format=_layout(like),
        )
        if self.symmetric:
            return room
        edges = ((2, 0, top), (2, height - bottom, bottom), (3, 0, left), (3, width - right, right))
        for axis, start, size in edges:
            if size:
                room.narrow(axis, start, size).zero_()
        return room


class Conv4Derivatives:
    """First and second derivatives of the summed cross-entropy of T tasks, without a graph.

    Weights are four convolutions (T*filters, in, 3, 3), the head (T, d, way) and its bias
    (T, 1, way); a direction and a gradient have the same form. Shifts are (T*filters,) each.
    Call all methods without gradient tracking.

    Parameters
    ----------
    net
        The network.
    """

    def __init__(self, net: TaskConv4) -> None:
        self._net = net
        self._geometry = []
        sides = net.image_shape[:2]
        for _ in range(BLOCKS + 1):
            rows, columns = (same_padding(side, net.stride) for side in sides)
            before, after = zip(rows, columns, strict=True)
            self._geometry.append(_Geometry(sides, before, after))
            height, width = (side // 2 if net.pool else -(-side // 2) for side in sides)
            sides = height, width

    def pad(self, images: Tensor) -> Tensor:
        """Return images (n, T*C, H, W) as `forward` takes them."""
        geometry = self._geometry[0]
        if geometry.symmetric:
            return images
        padded = geometry.room(images)
        geometry.inside(padded).copy_(images)
        return padded

    def forward(self, images: Tensor, weights: list[Tensor], shifts: list[Tensor]) -> Forward:
        """Return the forward pass on images (n, T*C, H, W) from `pad`."""
        *convolutions, head, bias = weights
        blocks: list[Block] = []
        for number, (convolution, shift) in enumerate(zip(convolutions, shifts, strict=True)):
            convolved = self._convolve(number, images, convolution, len(bias))
            values = normalise(convolved, self._net.eps, pool=self._net.pool)
            room, output = self._following(number, values.kept)
            torch.addcmul(shift.view(1, -1, 1, 1), values.kept, values.scale, out=output).relu_()
            blocks.append(Block(images, *values, output))
            images = room
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
        blocks, shifts = [], []
        for number in reversed(range(BLOCKS)):
            block = forward.blocks[number]
            gradient, shift = block_gradient(block, incoming)
            incoming, weight = self._convolution_gradients(
                number, gradient.convolution, block.images, convolutions[number]
            )
            blocks.append(gradient)
            gradients.append(weight)
            shifts.append(shift)
        return Backward(blocks, probabilities, logits, gradients[::-1], shifts[::-1])

    def hessian_vector(
        self,
        forward: Forward,
        backward: Backward,
        weights: list[Tensor],
        direction: list[Tensor],
        targets: Tensor,
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Return the derivative of the gradients of weights and shifts in a direction of weights.

        Parameters
        ----------
        forward, backward
            The passes at the weights.
        weights
            The weights.
        direction
            In the form of the weights.
        targets
            As for `backward`.
        """
        *convolutions, head, _ = weights
        *turns, head_turn, bias_turn = direction
        inputs, moves, features = self._tangents(forward, convolutions, turns)
        tangent = torch.baddbmm(bias_turn, features, head)
        tangent.baddbmm_(forward.features, head_turn)
        chosen = backward.probabilities
        logits = chosen * (tangent - (chosen * tangent).sum(2, keepdim=True))
        logits *= targets.sum(1, keepdim=True)
        head_change = torch.baddbmm(
            features.transpose(1, 2) @ backward.logits, forward.features.transpose(1, 2), logits
        )
        changes = [logits.sum(1, keepdim=True), head_change]
        incoming = torch.baddbmm(
            backward.logits @ head_turn.transpose(1, 2), logits, head.transpose(1, 2)
        )
        incoming = self._positions(incoming, forward.blocks[-1].output)
        shifts = []
        for number, gradient in zip(reversed(range(BLOCKS)), backward.blocks, strict=True):
            block = forward.blocks[number]
            change, shift = block_change(block, gradient, moves[number], incoming)
            if number:
                outgoing = change, gradient.convolution
                images, kernels = (
                    (block.images, inputs[number]),
                    (convolutions[number], turns[number]),
                )
                incoming, weight = self._summed_gradients(number, outgoing, images, kernels)
            else:
                weight = self._convolution_gradients(0, change, block.images, convolutions[0])[1]
            changes.append(weight)
            shifts.append(shift)
        return changes[::-1], shifts[::-1]

    def _tangents(
        self, forward: Forward, convolutions: list[Tensor], turns: list[Tensor]
    ) -> tuple[list[Tensor], list[BlockTangent], Tensor]:
        """Return each block's x-dot and tangents, and those of the features."""
        inputs, moves = [forward.blocks[0].images], []
        tasks = len(forward.features)
        for number, block in enumerate(forward.blocks):
            tangent = self._convolve(number, block.images, turns[number], tasks)
            if number:
                tangent += self._convolve(number, inputs[-1], convolutions[number], tasks)
            room, output = self._following(number, block.kept)
            moves.append(block_tangent(block, tangent, output))
            inputs.append(room)
        return inputs, moves, self._features(inputs[-1], tasks)

    def _convolve(self, number: int, images: Tensor, weights: Tensor, tasks: int) -> Tensor:
        geometry = self._geometry[number]
        padding = geometry.before if geometry.symmetric else 0
        return F.conv2d(images, weights, stride=self._net.stride, padding=padding, groups=tasks)

    def _convolution_gradients(
        self, number: int, outgoing: Tensor, images: Tensor, weights: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the gradients in the images, which the first block does not need, and weights."""
        image, weight = self._convolution_backward(
            number, outgoing, images, weights, [number > 0, True, False]
        )
        return self._geometry[number].inside(image) if number else images, weight

    def _summed_gradients(
        self, number: int, outgoing: _Pair, images: _Pair, weights: _Pair
    ) -> tuple[Tensor, Tensor]:
        """Return the gradients of two convolutions, summed; those in the weights stay crossed.

        The first of `outgoing` is multiplied with the first of `weights` and of `images`. A pair
        is one convolution: of twice the output channels, or of twice the images.
        """
        tasks = images[0].shape[1] // weights[0].shape[1]
        image, _ = self._convolution_backward(
            number,
            _side_by_side(outgoing, 1, tasks),
            images[0],
            _side_by_side(weights, 0, tasks),
            [True, False, False],
        )
        _, weight = self._convolution_backward(
            number, torch.cat(outgoing), torch.cat(images), weights[0], [False, True, False]
        )
        return self._geometry[number].inside(image), weight

    def _convolution_backward(
        self, number: int, outgoing: Tensor, images: Tensor, weights: Tensor, mask: list[bool]
    ) -> tuple[Tensor, Tensor]:
        """Return the gradients of a convolution in the images and weights, as `mask` has them."""
        geometry = self._geometry[number]
        padding = geometry.before if geometry.symmetric else (0, 0)
        groups, stride = images.shape[1] // weights.shape[1], [self._net.stride] * 2
        image, weight, _ = torch.ops.aten.convolution_backward(
            outgoing, images, weights, None, stride, padding, [1, 1], False, [0, 0], groups, mask
        )
        return image, weight

    def _following(self, number: int, kept: Tensor) -> tuple[Tensor, Tensor]:
        """Return an unset input of the block after `number`, and its view without padding."""
        if number == BLOCKS - 1:
            room = torch.empty_like(kept)
            return room, room
        room = self._geometry[number + 1].room(kept)
        return room, self._geometry[number + 1].inside(room)

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
            return rows.expand_as(like).contiguous(memory_format=_layout(like))
        return rows.reshape(like.shape).contiguous(memory_format=_layout(like))


def _side_by_side(pair: _Pair, axis: int, tasks: int) -> Tensor:
    """Return the channels of both, along an axis, task by task."""
    split = [torch.unflatten(one, axis, (tasks, one.shape[axis] // tasks)) for one in pair]
    joined = torch.cat(split, axis + 1).flatten(axis, axis + 1)
    return joined.contiguous(memory_format=_layout(pair[0]))


def _layout(like: Tensor) -> torch.memory_format:
    last = like.is_contiguous(memory_format=torch.channels_last)
    return torch.channels_last if last else torch.contiguous_format
