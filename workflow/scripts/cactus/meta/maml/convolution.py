"""Grouped convolutions with TensorFlow's SAME padding, and their gradients, without a graph."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from cactus.meta.maml.network import same_padding

Pair = tuple[Tensor, Tensor]


class SameConvolution(NamedTuple):
    """A convolution of T tasks, one group each, whose input may be part of a padded tensor."""

    sides: tuple[int, int]  # height and width of the input
    before: tuple[int, int]  # padding before both axes
    after: tuple[int, int]  # padding after them
    stride: int

    @classmethod
    def of(cls, sides: tuple[int, int], stride: int) -> "SameConvolution":
        """Return the convolution of images of a height and width."""
        rows, columns = (same_padding(side, stride) for side in sides)
        before, after = zip(rows, columns, strict=True)
        return cls(sides, before, after, stride)

    @property
    def symmetric(self) -> bool:
        """Whether padding is the same before and after an axis, so that the convolution can pad."""
        return self.before == self.after

    def interior(self, padded: Tensor) -> Tensor:
        """Return the view of a padded tensor (n, C, H, W) without its padding."""
        if self.symmetric:
            return padded
        (top, left), (height, width) = self.before, self.sides
        return padded.narrow(2, top, height).narrow(3, left, width)

    def buffer(self, like: Tensor) -> Tensor:
        """Return a tensor for the images and channels of `like`: padded with zeros, else unset."""
        (top, left), (bottom, right) = self.before, self.after
        height, width = self.sides
        if not self.symmetric:
            height, width = top + height + bottom, left + width + right
        buffer = torch.empty(
            (*like.shape[:2], height, width),
            dtype=like.dtype,
            device=like.device,
            memory_format=layout_of(like),
        )
        if self.symmetric:
            return buffer
        edges = ((2, 0, top), (2, height - bottom, bottom), (3, 0, left), (3, width - right, right))
        for axis, start, size in edges:
            if size:
                buffer.narrow(axis, start, size).zero_()
        return buffer

    def __call__(self, images: Tensor, weights: Tensor) -> Tensor:
        """Convolve images (n, T*in, H, W), padded unless symmetric, with (T*out, in, 3, 3)."""
        tasks = images.shape[1] // weights.shape[1]
        return F.conv2d(images, weights, stride=self.stride, padding=self._padding, groups=tasks)

    def gradients(
        self, outgoing: Tensor, images: Tensor, weights: Tensor, *, in_images: bool
    ) -> tuple[Tensor, Tensor]:
        """Return the gradients in the images and weights; without `in_images`, the images."""
        image, weight = self._backward(outgoing, images, weights, [in_images, True, False])
        return self.interior(image) if in_images else images, weight

    def summed_gradients(
        self, outgoing: Pair, images: Pair, weights: Pair
    ) -> tuple[Tensor, Tensor]:
        """Return the sums of two convolutions' gradients in the images and weights.

        The first items of `outgoing`, `images` and `weights` belong together, and so do the
        second. Each sum is one convolution: for the images over the output channels of both, for
        the weights over the images of both.
        """
        tasks = images[0].shape[1] // weights[0].shape[1]
        channels, kernels = _side_by_side(outgoing, 1, tasks), _side_by_side(weights, 0, tasks)
        image, _ = self._backward(channels, images[0], kernels, [True, False, False])
        _, weight = self._backward(
            torch.cat(outgoing), torch.cat(images), weights[0], [False, True, False]
        )
        return self.interior(image), weight

    @property
    def _padding(self) -> tuple[int, int]:
        return self.before if self.symmetric else (0, 0)

    def _backward(
        self, outgoing: Tensor, images: Tensor, weights: Tensor, mask: list[bool]
    ) -> tuple[Tensor, Tensor]:
        """Return the gradients in the images and weights that `mask` selects."""
        tasks, stride = images.shape[1] // weights.shape[1], [self.stride] * 2
        image, weight, _ = torch.ops.aten.convolution_backward(
            outgoing,
            images,
            weights,
            None,
            stride,
            self._padding,
            [1, 1],
            False,
            [0, 0],
            tasks,
            mask,
        )
        return image, weight


def layout_of(like: Tensor) -> torch.memory_format:
    """Return the memory layout of a tensor (n, C, H, W)."""
    last = like.is_contiguous(memory_format=torch.channels_last)
    return torch.channels_last if last else torch.contiguous_format


def _side_by_side(pair: Pair, axis: int, tasks: int) -> Tensor:
    """Return the channels of both tensors along an axis, interleaved task by task."""
    split = [torch.unflatten(one, axis, (tasks, one.shape[axis] // tasks)) for one in pair]
    joined = torch.cat(split, axis + 1).flatten(axis, axis + 1)
    return joined.contiguous(memory_format=layout_of(pair[0]))
