"""conv4 (Finn et al. 2017) as a function of its weights, as MAML needs it."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cactus.config.sections.learners.maml import Downsampling, HeadInit, HeadInput
from cactus.meta.conv4 import BLOCKS, KERNEL, ImageShape, check_positions


def same_padding(size: int, stride: int) -> tuple[int, int]:
    """Return the padding before and after an axis in TensorFlow's SAME mode.

    The output has ``ceil(size / stride)`` values; an odd number of padded pixels puts the larger
    half after the axis, so that at stride 2 an even axis is padded only at its end.
    """
    outputs = -(-size // stride)
    total = max((outputs - 1) * stride + KERNEL - size, 0)
    return total // 2, total - total // 2


def conv_same(images: Tensor, weights: Tensor, stride: int, groups: int) -> Tensor:
    """Convolve images (n, C, H, W) with TensorFlow's SAME padding."""
    top, bottom = same_padding(images.shape[2], stride)
    left, right = same_padding(images.shape[3], stride)
    if (top, left) != (bottom, right):
        images = F.pad(images, (left, right, top, bottom))
        top = left = 0
    return F.conv2d(images, weights, stride=stride, padding=(top, left), groups=groups)


class TaskConv4:
    """conv4 as a function of its weights, for T tasks at once, each with its own weights.

    Four times a 3x3 convolution, batch normalization, ReLU and halving, then a linear head (Finn
    et al. 2017). The tasks are side by side in the channels, so one grouped convolution computes
    them all. Batch normalization uses the statistics of the current batch, task by task. It has a
    shift (beta) and no scale, and the convolutions have no bias, which it would cancel.

    Parameters
    ----------
    image_shape
        Height, width and channels.
    filters
        Output channels of each convolution.
    way
        Classes of the head.
    downsampling
        "stride": convolutions of stride 2; "max_pool": stride 1 and 2x2 max-pooling.
    head
        "spatial_mean": the head gets each filter's mean; "flatten": all its values.
    batch_norm_eps
        Added to the batch variance.

    Raises
    ------
    ConfigError
        The images are too small to be halved four times.
    """

    def __init__(
        self,
        image_shape: ImageShape,
        filters: int,
        way: int,
        *,
        downsampling: Downsampling,
        head: HeadInput,
        batch_norm_eps: float,
    ) -> None:
        self.image_shape, self.filters, self.way = image_shape, filters, way
        self.pool = downsampling == "max_pool"
        self.stride = 1 if self.pool else 2
        self.spatial_mean = head == "spatial_mean"
        self.eps = batch_norm_eps
        positions = 1
        for side in image_shape[:2]:
            for _ in range(BLOCKS):
                side = side // 2 if self.pool else -(-side // 2)
            positions *= side
        check_positions(positions, image_shape)
        self.features = filters if self.spatial_mean else filters * positions

    def initial_weights(self, head_init: HeadInit, generator: torch.Generator) -> list[Tensor]:
        """Draw the weights: convolutions Glorot uniform, head N(0, 1) or Glorot, bias zero.

        Returns
        -------
        list of Tensor
            Four convolutions (out, in, 3, 3), the head (features, way) and its bias (way,).
        """
        inputs = self.image_shape[2]
        weights = []
        for _ in range(BLOCKS):
            weight = torch.empty(self.filters, inputs, KERNEL, KERNEL)
            weights.append(nn.init.xavier_uniform_(weight, generator=generator))
            inputs = self.filters
        head = torch.empty(self.features, self.way)
        if head_init == "normal":
            nn.init.normal_(head, generator=generator)
        else:
            nn.init.xavier_uniform_(head, generator=generator)
        return [*weights, head, torch.zeros(self.way)]

    def initial_betas(self) -> list[Tensor]:
        """Return the betas (shifts) of the four batch normalizations, (filters,) zeros each."""
        return [torch.zeros(self.filters) for _ in range(BLOCKS)]

    def logits(
        self, images: Tensor, weights: Sequence[Tensor], betas: Sequence[Tensor], way: int
    ) -> Tensor:
        """Return the logits of the first `way` classes of each task.

        Parameters
        ----------
        images
            (n, T*C, H, W): the channels of image i of task 0, then of task 1, and so on.
        weights
            As `initial_weights`, each with a leading axis T.
        betas
            As `initial_betas`, shared by all tasks.

        Returns
        -------
        Tensor
            (T, n, way).
        """
        *convolutions, head, bias = weights
        tasks = len(bias)
        hidden = images
        for convolution, beta in zip(convolutions, betas, strict=True):
            hidden = self._block(hidden, convolution.flatten(0, 1), beta.repeat(tasks), tasks)
        if self.spatial_mean:
            hidden = hidden.mean((2, 3))
        features = hidden.reshape(len(images), tasks, self.features)
        return torch.baddbmm(bias[:, None, :way], features.transpose(0, 1), head[:, :, :way])

    def _block(self, images: Tensor, weights: Tensor, betas: Tensor, tasks: int) -> Tensor:
        hidden = conv_same(images, weights, self.stride, tasks)
        # Scales of 1: without any, CUDA's second derivatives fail (PyTorch 2.11).
        ones = torch.ones_like(betas)
        hidden = F.batch_norm(hidden, None, None, ones, betas, training=True, eps=self.eps)
        # Pooling before ReLU gives the same values from a quarter of the comparisons.
        return F.relu(F.max_pool2d(hidden, 2) if self.pool else hidden, inplace=True)
