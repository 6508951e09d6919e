"""MAML (Finn, Abbeel and Levine 2017), with the losses of CACTUs-MAML."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cactus.config.base import LearnerName
from cactus.config.learners import MamlSettings
from cactus.errors import EpisodeError
from cactus.meta.base import MetaLearner, StepMetrics, class_labels, cut, task_accuracies
from cactus.meta.images import gather_tasks, to_device
from cactus.models.conv4 import ImageShape, TaskConv4
from cactus.tasks.episodes import EpisodeBatch


class Maml(MetaLearner):
    """An initialisation from which a few gradient steps on the support learn an episode.

    The inner loss of a task is the cross-entropy summed over its support images and divided by
    the shot, the outer loss that summed over its query images and divided by their number per
    class: N times the mean at N-way, as in the original. Batch normalisation always uses the
    support or query batch at hand, so that a prediction depends on the other query images of its
    episode (transductive). Its shifts are meta-learned and not adapted.

    Parameters
    ----------
    settings
        Resolved for the data set.
    image_shape
        Height, width and channels of the images.
    generator
        Draws the initial weights.
    """

    name: LearnerName = "maml"
    settings: MamlSettings

    def __init__(
        self, settings: MamlSettings, image_shape: ImageShape, generator: torch.Generator
    ) -> None:
        super().__init__(settings, image_shape)
        self._net = TaskConv4(
            image_shape,
            settings.filters,
            settings.way,
            downsampling=settings.downsampling,
            head=settings.head,
            batch_norm_eps=settings.batch_norm_eps,
        )
        self.weights = nn.ParameterList(self._net.initial_weights(settings.head_init, generator))
        self.shifts = nn.ParameterList(self._net.initial_shifts())

    def accumulate_gradients(self, images: Tensor, batch: EpisodeBatch) -> StepMetrics:
        """Add the meta-gradient of the outer loss, averaged over the episodes, to `grad`."""
        tasks, way, _ = batch.query.shape
        total, right = [], []
        for part in cut(batch, self.settings.tasks_at_once):
            loss, accuracies = self.outer_loss(images, part)
            (loss / tasks).backward()
            total.append(loss.detach())
            right.append(accuracies.sum())
        return StepMetrics(
            torch.stack(total).sum() / (tasks * way), torch.stack(right).sum() / tasks
        )

    def outer_loss(self, images: Tensor, batch: EpisodeBatch) -> tuple[Tensor, Tensor]:
        """Return the outer loss summed over episodes, with its graph, and accuracies (T,)."""
        steps, second_order = self.settings.inner_steps, not self.settings.first_order
        weights = self._adapt(images, batch, steps, second_order=second_order)
        logits = self._query_logits(images, batch, weights)
        loss = summed_cross_entropy(logits, batch.query.shape[2])
        return loss, task_accuracies(logits.detach())

    def accuracies(self, images: Tensor, batch: EpisodeBatch) -> Tensor:
        """Return each episode's accuracy after the inner steps of evaluation, float64 (T,)."""
        parts = cut(batch, self.settings.evaluation_tasks_at_once)
        return torch.cat([task_accuracies(self.query_logits(images, part)) for part in parts])

    def query_logits(self, images: Tensor, batch: EpisodeBatch) -> Tensor:
        """Return the logits after the inner steps of evaluation, (T, way*query, way)."""
        steps = self.settings.evaluation_steps
        weights = self._adapt(images, batch, steps, second_order=False)
        with torch.no_grad():
            return self._query_logits(images, batch, weights)

    def _adapt(
        self, images: Tensor, batch: EpisodeBatch, steps: int, *, second_order: bool
    ) -> list[Tensor]:
        """Return the weights (T, ...) after gradient steps on the support."""
        tasks, way, shot = batch.support.shape
        self._check_way(way)
        support = self._images(images, batch.support)
        weights = [weight.expand(tasks, *weight.shape) for weight in self.weights]
        for _ in range(steps):
            logits = self._net.logits(support, weights, list(self.shifts), way)
            loss = summed_cross_entropy(logits, shot)
            gradients = torch.autograd.grad(loss, weights, create_graph=second_order)
            weights = [
                weight.sub(gradient, alpha=self.settings.inner_lr)
                for weight, gradient in zip(weights, gradients, strict=True)
            ]
        return weights

    def _query_logits(self, images: Tensor, batch: EpisodeBatch, weights: list[Tensor]) -> Tensor:
        query = self._images(images, batch.query)
        return self._net.logits(query, weights, list(self.shifts), batch.query.shape[1])

    def _images(self, images: Tensor, indices: npt.NDArray[np.int64]) -> Tensor:
        _, dtype = self.parameter_like()
        flat = to_device(indices.reshape(len(indices), -1), images.device)
        return gather_tasks(images, flat, dtype)

    def _check_way(self, way: int) -> None:
        if way > self._net.way:
            raise EpisodeError(
                "An episode has more classes than MAML's head.",
                where="maml",
                got=f"{way}-way episodes for a head of {self._net.way} classes",
                fix=f"set learners.maml.way to at least {way}, or score fewer classes",
            )


def summed_cross_entropy(logits: Tensor, per_class: int) -> Tensor:
    """Return the cross-entropy summed over tasks and images, divided by the images per class.

    Parameters
    ----------
    logits
        (T, way*per_class, way); the images are in the order of their classes.
    """
    tasks, _, way = logits.shape
    labels = class_labels(way, per_class, logits.device).repeat(tasks)
    return F.cross_entropy(logits.flatten(0, 1), labels, reduction="sum") / per_class


def build(settings: MamlSettings, image_shape: ImageShape, generator: torch.Generator) -> Maml:
    """Return MAML with freshly drawn weights."""
    return Maml(settings, image_shape, generator)
