"""Prototypical networks (Snell, Swersky and Zemel 2017)."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F
from typing_extensions import override

from cactus.config.sections.learners.protonets import ProtonetsSettings, ProtonetsSpeed
from cactus.meta.base import (
    MetaLearner,
    StepMetrics,
    checked_predictions,
    class_labels,
    cut,
    task_accuracies,
)
from cactus.meta.conv4 import ImageShape
from cactus.meta.images import gather, to_device
from cactus.meta.protonets.encoder import Conv4Encoder
from cactus.tasks.episodes import EpisodeBatch
from cactus.train.device import convolution_layout, mixed_precision, require_gpu

# The names that jobs look for.
Settings, Speed = ProtonetsSettings, ProtonetsSpeed


class Protonets(MetaLearner):
    """An encoder; a query belongs to the class with the nearest prototype, the mean of its support.

    In training, support and query of an episode are one batch for batch normalization. Evaluation
    uses its running statistics, so that a prediction does not depend on other queries. For the
    parameters see `MetaLearner`.
    """

    name = "protonets"
    settings: ProtonetsSettings
    speed: ProtonetsSpeed

    def __init__(
        self,
        settings: ProtonetsSettings,
        speed: ProtonetsSpeed,
        image_shape: ImageShape,
        generator: torch.Generator,
    ) -> None:
        super().__init__(settings, speed, image_shape)
        self.encoder = Conv4Encoder(
            image_shape,
            settings.filters,
            batch_norm_eps=settings.batch_norm_eps,
            batch_norm_momentum=settings.batch_norm_momentum,
            batch_norm_gamma=settings.batch_norm_gamma,
            generator=generator,
        )

    @override
    def arrange(self) -> None:
        """Lay out the encoder for its device and precision."""
        self.encoder.to(memory_format=self._layout())

    @override
    def check_device(self) -> None:
        """Reject mixed precision without a GPU."""
        if self.settings.precision != "float32":
            device, _ = self.parameter_like()
            require_gpu(device, "learners.protonets.precision", self.settings.precision)

    def accumulate_gradients(self, images: Tensor, batch: EpisodeBatch) -> StepMetrics:
        """Add the gradient of the mean cross-entropy over episodes and queries to `grad`."""
        self.encoder.train()
        episodes = cut(batch, 1)
        losses, accuracies = [], []
        for episode in episodes:
            loss, accuracy = self.loss(images, episode)
            (loss / len(episodes)).backward()  # type: ignore[no-untyped-call]
            losses.append(loss.detach())
            accuracies.append(accuracy)
        return StepMetrics(torch.stack(losses).mean(), torch.cat(accuracies).mean())

    def loss(self, images: Tensor, episode: EpisodeBatch) -> tuple[Tensor, Tensor]:
        """Return the mean cross-entropy of one episode's queries, and its accuracy (1,)."""
        _, way, shot = episode.support.shape
        indices = np.concatenate([episode.support.reshape(-1), episode.query.reshape(-1)])
        device, dtype = self.parameter_like()
        with mixed_precision(device, self.settings.precision):
            features = self._encode(images, indices).to(dtype)
        support, query = features[: way * shot], features[way * shot :]
        prototypes = support.reshape(way, shot, -1).mean(1)
        logits = prototype_logits(query[None], prototypes[None])
        labels = class_labels(way, episode.query.shape[2], images.device)
        return F.cross_entropy(logits[0], labels), task_accuracies(logits.detach())

    @torch.no_grad()
    def predicted_positions(self, images: Tensor, batch: EpisodeBatch) -> Tensor:
        """Return predictions with the running statistics, int64 (T, way, query)."""
        logits = self.query_logits(images, batch)
        return checked_predictions(logits, f"learners.{self.name}").view(batch.query.shape)

    def episodes_at_once(self, batch: EpisodeBatch) -> int:  # noqa: ARG002
        """Return the configured number."""
        return self.speed.evaluation_tasks_at_once

    @torch.no_grad()
    def query_logits(self, images: Tensor, batch: EpisodeBatch) -> Tensor:
        """Return the logits with the running statistics, (T, way*query, way).

        An image that several episodes share is encoded once.
        """
        self.encoder.eval()
        tasks, way, shot = batch.support.shape
        indices = np.concatenate([batch.support.reshape(-1), batch.query.reshape(-1)])
        unique, places = np.unique(indices, return_inverse=True)
        chunks = range(0, len(unique), self.speed.images_at_once)
        features = torch.cat(
            [
                self._encode(images, unique[start : start + self.speed.images_at_once])
                for start in chunks
            ]
        )
        support, query = np.split(places.reshape(-1), [batch.support.size])
        bags = to_device(support.reshape(tasks * way, shot), images.device)
        prototypes = F.embedding_bag(bags, features, mode="mean").reshape(tasks, way, -1)
        queries = features[to_device(query.reshape(tasks, -1), images.device)]
        return prototype_logits(queries, prototypes)

    def _encode(self, images: Tensor, indices: npt.NDArray[np.int64]) -> Tensor:
        _, dtype = self.parameter_like()
        chosen = gather(images, to_device(indices, images.device), dtype, self._layout())
        encoded: Tensor = self.encoder(chosen)
        return encoded

    def _layout(self) -> torch.memory_format:
        device, _ = self.parameter_like()
        return convolution_layout(device, self.settings.precision)


def prototype_logits(queries: Tensor, prototypes: Tensor) -> Tensor:
    """Return the negative squared Euclidean distances, up to a constant for each query.

    ``-|q - p|^2 + |q|^2 = 2 q.p - |p|^2``; the constant changes neither softmax nor argmax.

    Parameters
    ----------
    queries
        (T, n, d).
    prototypes
        (T, way, d).

    Returns
    -------
    Tensor
        (T, n, way).
    """
    squares = prototypes.square().sum(2)
    return torch.baddbmm(-squares[:, None], queries, prototypes.transpose(1, 2), alpha=2)
