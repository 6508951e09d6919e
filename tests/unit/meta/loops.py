"""MAML and ProtoNets written down slowly: loops over tasks, steps, examples and kernel places.

Nothing here calls the code under test; gradients come from PyTorch's differentiation of the loops.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from cactus.config.sections.learners.maml import MamlSettings
from cactus.meta.maml.learner import Maml
from cactus.meta.protonets.learner import Protonets
from cactus.tasks.episodes import EpisodeBatch

# Mean, variance and number of values of a channel.
Statistics = tuple[Tensor, Tensor, int]
Indices = npt.NDArray[np.int64]


def convolve(images: Tensor, weight: Tensor, *, stride: int) -> Tensor:
    """Sum over the places of a 3x3 kernel, by TensorFlow's SAME rule as worked out by hand.

    At stride 1, and at stride 2 on odd sides, one row of zeros surrounds the image; at stride 2 on
    even sides there is one at the bottom or right and none at the top or left.
    """
    count, channels, height, width = images.shape
    top, left = (0 if stride == 2 and side % 2 == 0 else 1 for side in (height, width))
    canvas = torch.zeros(count, channels, top + height + 1, left + width + 1, dtype=images.dtype)
    canvas[:, :, top : top + height, left : left + width] = images
    rows, columns = (height + stride - 1) // stride, (width + stride - 1) // stride
    total = torch.zeros((), dtype=images.dtype)
    for i in range(3):
        for j in range(3):
            seen = canvas[:, :, i::stride, j::stride][:, :, :rows, :columns]
            total = total + torch.einsum("oc,nchw->nohw", weight[:, :, i, j], seen)
    return total


def pool(maps: Tensor) -> Tensor:
    """Return the largest of each whole 2x2 window."""
    rows, columns = maps.shape[2] // 2 * 2, maps.shape[3] // 2 * 2
    corners = [maps[:, :, i:rows:2, j:columns:2] for i in (0, 1) for j in (0, 1)]
    return torch.stack(corners).amax(0)


def moments(maps: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and biased variance of each channel, over images and positions."""
    per_channel = maps.transpose(0, 1).flatten(1)
    mean = per_channel.mean(1)
    variance = ((per_channel - mean[:, None]) ** 2).mean(1)
    return mean, variance


def normalize(maps: Tensor, mean: Tensor, variance: Tensor, eps: float) -> Tensor:
    """Subtract the mean of each channel and divide by its deviation."""
    return (maps - mean[:, None, None]) / (variance[:, None, None] + eps).sqrt()


def maml_logits(
    settings: MamlSettings,
    images: Tensor,
    weights: Sequence[Tensor],
    betas: Sequence[Tensor],
    way: int,
) -> Tensor:
    """Apply MAML's network to the images (n, C, H, W) of one task, layer by layer."""
    pooled = settings.downsampling == "max_pool"
    hidden = images
    for weight, beta in zip(weights[:4], betas, strict=True):
        hidden = convolve(hidden, weight, stride=1 if pooled else 2)
        hidden = normalize(hidden, *moments(hidden), 1e-3) + beta[:, None, None]
        hidden = hidden.clamp(min=0)
        hidden = pool(hidden) if pooled else hidden
    features = hidden.flatten(1) if settings.head == "flatten" else hidden.mean((2, 3))
    return (features @ weights[4] + weights[5])[:, :way]


def cross_entropy(logits: Tensor, per_class: int) -> Tensor:
    """Sum over the images, of which `per_class` are of class 0, then of 1; divide by as many."""
    labels = [image // per_class for image in range(len(logits))]
    rows = zip(logits, labels, strict=True)
    total: Tensor = sum((-row.log_softmax(0)[label] for row, label in rows), torch.zeros(()))
    return total / per_class


def scaled(images: Tensor, indices: Indices) -> Tensor:
    """Return the images at indices as (n, C, H, W) from 0 to 1, in double precision."""
    chosen = [images[int(index)].double() / 255 for index in indices.reshape(-1)]
    return torch.stack([image.permute(2, 0, 1) for image in chosen])


def adapted(model: Maml, images: Tensor, support: Indices, steps: int) -> list[Tensor]:
    """Return the weights after gradient steps on the support (way, shot) of one task."""
    settings, (way, shot) = model.settings, support.shape
    weights, betas = list(model.weights), list(model.shifts)
    for _ in range(steps):
        logits = maml_logits(settings, scaled(images, support), weights, betas, way)
        loss = cross_entropy(logits, shot)
        slopes = list(torch.autograd.grad(loss, weights, create_graph=True))
        if settings.first_order:
            slopes = [slope.detach() for slope in slopes]
        weights = [w - settings.inner_lr * slope for w, slope in zip(weights, slopes, strict=True)]
    return weights


def maml_query_logits(model: Maml, images: Tensor, batch: EpisodeBatch, steps: int) -> list[Tensor]:
    """Return the logits of each task's query after steps on its support."""
    betas, tasks = list(model.shifts), zip(batch.support, batch.query, strict=True)
    return [
        maml_logits(
            model.settings,
            scaled(images, query),
            adapted(model, images, support, steps),
            betas,
            len(support),
        )
        for support, query in tasks
    ]


def maml_loss(model: Maml, images: Tensor, batch: EpisodeBatch) -> Tensor:
    """Return the outer loss averaged over tasks, with its graph."""
    logits = maml_query_logits(model, images, batch, model.settings.inner_steps)
    losses = (cross_entropy(one, batch.query.shape[2]) for one in logits)
    return sum(losses, torch.zeros(())) / len(logits)


def accuracy(logits: Tensor, per_class: int) -> float:
    """Return the share of a task's images with the largest logit in the column of their class."""
    right = [int(row.argmax()) == image // per_class for image, row in enumerate(logits)]
    return sum(right) / len(right)


def encoder_blocks(model: Protonets) -> list[list[Tensor]]:
    """Return each block's convolution, and the normalization's scale, shift, mean and variance."""
    state = model.encoder.state_dict(keep_vars=True)
    norm = ("1.weight", "1.bias", "1.running_mean", "1.running_var")
    return [[state[f"block{n}.{name}"] for name in ("0.weight", *norm)] for n in (1, 2, 3, 4)]


def encode(
    blocks: Sequence[Sequence[Tensor]], images: Tensor, *, running: bool
) -> tuple[Tensor, list[Statistics]]:
    """Encode (n, C, H, W) as (n, d); return the statistics used, layer by layer, too."""
    hidden = images
    used: list[Statistics] = []
    for weight, scale, shift, *kept in blocks:
        hidden = convolve(hidden, weight, stride=1)
        mean, variance = kept if running else moments(hidden)
        used.append((mean.detach(), variance.detach(), hidden[:, 0].numel()))
        hidden = normalize(hidden, mean, variance, 1e-5)
        hidden = (scale[:, None, None] * hidden + shift[:, None, None]).clamp(min=0)
        hidden = pool(hidden)
    return hidden.flatten(1), used


def protonets_logits(support: Tensor, query: Tensor) -> Tensor:
    """Return minus the squared distances of queries (n, d) to the means of (way, shot, d)."""
    prototypes = [sum(points) / len(points) for points in support]
    return torch.stack(
        [torch.stack([-((point - mean) ** 2).sum() for mean in prototypes]) for point in query]
    )


def protonets_episode(
    blocks: Sequence[Sequence[Tensor]],
    images: Tensor,
    support: Indices,
    query: Indices,
    *,
    running: bool,
) -> tuple[Tensor, list[Statistics]]:
    """Return logits and statistics; support and query share a batch unless `running`."""
    way, shot = support.shape
    points = torch.cat([scaled(images, support), scaled(images, query)])
    features, used = encode(blocks, points, running=running)
    own = features[: way * shot].reshape(way, shot, -1)
    return protonets_logits(own, features[way * shot :]), used
