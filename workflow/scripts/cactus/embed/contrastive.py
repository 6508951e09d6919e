"""Contrastive learning of views of images: SimCLR (Chen et al. 2020)."""

import math
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from typing_extensions import override

from cactus.config.sections.embeddings.contrastive import ContrastiveSettings
from cactus.embed.base import TrainedEmbedding
from cactus.embed.images import unit_range, write_picture
from cactus.embed.networks import update_all
from cactus.train.optimizers import Adam
from cactus.train.views import check_colors, quarter_turns, random_views

_HALVINGS: Final = 3
_WARM_UP: Final = 0.3  # of all steps
_FIRST_RATE: Final = 1 / 25  # of the highest rate
_LAST_RATE: Final = 1 / 250_000
_ROWS: Final = 12
_VIEWS: Final = 4
_NEIGHBORS: Final = 7
_SEARCHED_IMAGES: Final = 5000

Settings = ContrastiveSettings  # the name that jobs look for, as in modules of users


def similarities(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """Return the cosines of all pairs of views, divided by the temperature.

    Parameters
    ----------
    first, second
        (B, D), the projections of both views of each image.

    Returns
    -------
    Tensor
        (2B, 2B), those of the first views before those of the second; minus infinity on the
        diagonal, because no view is compared with itself.
    """
    directions = F.normalize(torch.cat([first, second]), dim=1)
    diagonal = torch.eye(len(directions), dtype=torch.bool, device=directions.device)
    return (directions @ directions.T / temperature).masked_fill(diagonal, -math.inf)


def nt_xent_loss(logits: Tensor) -> Tensor:
    """Return the normalized temperature-scaled cross entropy (equation 1 of Chen et al. 2020).

    It is the mean negative log-likelihood of each view's partner among all other views; `logits`
    are (2B, 2B) `similarities`.
    """
    return F.cross_entropy(logits, _partners(logits))


def _partners(logits: Tensor) -> Tensor:
    """Return the place of each view's partner, int64 (2B,)."""
    return torch.arange(len(logits), device=logits.device).roll(len(logits) // 2)


def one_cycle_rate(step: int, steps: int, highest: float) -> float:
    """Return the learning rate of a step: one cycle (Smith and Topin 2019), along cosines.

    It is that of `torch.optim.lr_scheduler.OneCycleLR`, as a function of the step, so that a
    resumed training needs no state for it.

    Parameters
    ----------
    step, steps
        Step, from 0, of how many.
    highest
        Rate after three tenths of the steps.
    """
    top = max(_WARM_UP * steps - 1, 0.0)
    if step < top:
        start, end, share = _FIRST_RATE, 1.0, step / top
    else:
        start, end, share = 1.0, _LAST_RATE, (step - top) / max(steps - 1 - top, 1.0)
    return highest * (end + (start - end) * (1 + math.cos(math.pi * share)) / 2)


def convolutional_encoder(channels: int, filters: int, map_filters: int) -> nn.Sequential:
    """Return three convolutions with pooling and a fourth, whose map is flattened."""
    layers: list[nn.Module] = []
    for _ in range(_HALVINGS):
        # Pooling before the activation gives the same values, and the activation a quarter of them.
        layers += [*_normalized(channels, filters, 3), nn.MaxPool2d(2), nn.ReLU(inplace=True)]
        channels = filters
    return nn.Sequential(*layers, nn.Conv2d(channels, map_filters, 3, padding=1), nn.Flatten())


def _normalized(inputs: int, outputs: int, kernel: int, stride: int = 1) -> list[nn.Module]:
    padding = kernel // 2
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
    return [convolution, nn.BatchNorm2d(outputs)]


class ResidualBlock(nn.Module):
    """Two convolutions that halve a map, around which a projection leads (He et al. 2016).

    The projection takes every other position by itself, and not by a stride: oneDNN's gradient of a
    1x1 convolution with a stride writes past its buffer where channels are few (its issue 6035).
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            *_normalized(inputs, outputs, 3, stride=2),
            nn.ReLU(inplace=True),
            *_normalized(outputs, outputs, 3),
        )
        self.shortcut = nn.Sequential(*_normalized(inputs, outputs, 1))

    def forward(self, maps: Tensor) -> Tensor:
        """Map (N, `inputs`, S, S) to (N, `outputs`, S/2, S/2), S/2 rounded up."""
        return F.relu(self.residual(maps) + self.shortcut(maps[:, :, ::2, ::2]))


class ResidualEncoder(nn.Module):
    """Residual blocks, one per width, and the mean over the last map."""

    def __init__(self, channels: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        inputs = (channels, *widths[:-1])
        self.blocks = nn.Sequential(*map(ResidualBlock, inputs, widths))

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, C, S, S) to features (N, `widths[-1]`)."""
        maps: Tensor = self.blocks(images)
        return maps.mean((2, 3))


def projection_head(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    """Return the two layers between the embedding and the loss."""
    return nn.Sequential(
        nn.Linear(inputs, hidden), nn.ReLU(inplace=True), nn.Linear(hidden, outputs)
    )


def _build_encoder(settings: ContrastiveSettings, channels: int) -> nn.Module:
    if settings.network == "conv":
        return convolutional_encoder(channels, settings.filters, settings.map_filters)
    return ResidualEncoder(channels, settings.widths)


class Method(TrainedEmbedding[ContrastiveSettings]):
    """Contrastive learning; the embedding is what the projection head sees."""

    def __init__(
        self,
        settings: ContrastiveSettings,
        image_shape: tuple[int, int, int],
        seed: int,
        device: torch.device,
    ) -> None:
        super().__init__(settings, image_shape, seed, device)
        channels = image_shape[2]
        check_colors(settings.views, channels, "the contrastive embedding's views")
        self.encoder = self.add_net("encoder", partial(_build_encoder, settings, channels))
        conv = settings.network == "conv"
        side = settings.working_size >> _HALVINGS
        dims = settings.map_filters * side**2 if conv else settings.widths[-1]
        self.head = self.add_net(
            "head", partial(projection_head, dims, settings.hidden, settings.projection)
        )
        self.adam = Adam(
            self.nets.parameters(),
            settings.learning_rate,
            weight_decay=settings.weight_decay,
            decoupled_weight_decay=True,  # AdamW (Loshchilov and Hutter 2019)
        )
        self.optimizers["all"] = self.adam

    @override
    def total_steps(self, count: int) -> int:
        """Return the configured iterations."""
        return self.settings.iterations

    @override
    def train_step(self, images: Tensor, indices: Tensor) -> dict[str, Tensor]:
        """Take one step on two views of each image."""
        settings = self.settings
        real = unit_range(images)
        if settings.views.quarter_turns:
            real = quarter_turns(real, self.noise_generator)
        views = random_views(torch.cat([real, real]), settings.views, self.noise_generator)
        with self.forward_pass():
            projections = self.head(self.encoder(views)).float()
        first, second = projections.chunk(2)
        logits = similarities(first, second, settings.temperature)
        loss = nt_xent_loss(logits)
        rate = one_cycle_rate(self.step, settings.iterations, settings.learning_rate)
        self.adam.param_groups[0]["lr"] = rate
        update_all([self.adam], loss)
        return {
            "loss": loss.detach(),
            "accuracy": (logits.argmax(1) == _partners(logits)).float().mean(),
        }

    @override
    def encode_batch(self, images: Tensor) -> Tensor:
        """Return the encoder's features, of length 1 if `normalize`."""
        features: Tensor = self.encoder(unit_range(images))
        return F.normalize(features, dim=1) if self.settings.normalize else features

    @override
    @torch.no_grad()
    def diagnose(self, images: npt.NDArray[np.uint8], path: Path) -> None:
        """Draw in each row an image, views of it as in training, and its nearest neighbors.

        The neighbors, the nearest first, are among at most 5000 images.
        """
        chosen = np.linspace(0, len(images) - 1, min(len(images), _SEARCHED_IMAGES)).astype(int)
        images = images[chosen]
        vectors = torch.from_numpy(self.encode(images))
        shown = torch.linspace(0, len(images) - 1, min(_ROWS, len(images))).long()
        generator = torch.Generator(self.device).manual_seed(0)
        rows = []
        for one in shown.tolist():
            distances = (vectors - vectors[one]).square().sum(1)
            distances[one] = math.inf
            nearest = distances.argsort(stable=True)[: min(_NEIGHBORS, len(images) - 1)]
            real = unit_range(self.resident(images[[one, *nearest.tolist()]]))
            copies = real[:1].repeat(_VIEWS, 1, 1, 1)
            views = random_views(copies, self.settings.views, generator)
            rows.append(torch.cat([real[:1], views, real[1:]]))
        write_picture(rows, path)
