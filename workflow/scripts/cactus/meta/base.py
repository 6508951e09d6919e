"""The interface of meta-learners, and what they share."""

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor, nn

from cactus.config.sections.base import DatasetSettings
from cactus.config.sections.learners.base import TrainingSettings
from cactus.errors import TrainingError
from cactus.meta.conv4 import ImageShape
from cactus.tasks.episodes import EpisodeBatch


class StepMetrics(NamedTuple):
    """Means over the query images of an outer update, scalars on the device."""

    loss: Tensor
    accuracy: Tensor


class MetaLearner(nn.Module, ABC):
    """A model that learns from the support of an episode to label its query.

    Its parameters and buffers are the model, on any device and of any floating-point type. Images
    are passed as one resident uint8 tensor (N, H, W, C), episodes as indices into it. The class of
    a built-in learner is named after its package, and its constructor also takes a CPU generator,
    which draws the initial weights. Users derive theirs from `cactus.meta.episodic`.

    Parameters
    ----------
    settings, speed
        Resolved for the data set.
    image_shape
        Height, width and channels of the images.
    """

    name: str
    settings: TrainingSettings
    speed: DatasetSettings | None

    def __init__(
        self, settings: TrainingSettings, speed: DatasetSettings | None, image_shape: ImageShape
    ) -> None:
        super().__init__()
        self.settings, self.speed, self.image_shape = settings, speed, image_shape

    @abstractmethod
    def accumulate_gradients(self, images: Tensor, batch: EpisodeBatch) -> StepMetrics:
        """Add the gradient of the outer loss on a batch of episodes to the parameters' `grad`."""

    @abstractmethod
    def predicted_positions(self, images: Tensor, batch: EpisodeBatch) -> Tensor:
        """Return the class predicted for each query, by its place in the episode, int64.

        The result is (T, way, query), as the indices of the queries are. This is evaluation: the
        model does not change.
        """

    def accuracies(self, images: Tensor, batch: EpisodeBatch) -> Tensor:
        """Return the fraction of correct query labels of each episode, float64 (T,)."""
        return position_accuracies(self.predicted_positions(images, batch))

    @abstractmethod
    def episodes_at_once(self, batch: EpisodeBatch) -> int:
        """Return how many episodes like those of a batch to predict at once."""

    def check_device(self) -> None:
        """Reject training settings that the parameters' device does not support.

        Raises
        ------
        ConfigError
            A setting is for GPUs only.
        """

    def arrange(self) -> None:
        """Lay out the parameters as is fastest on their device; their values stay."""

    def parameter_like(self) -> tuple[torch.device, torch.dtype]:
        """Return the device and type of the parameters."""
        parameter = next(self.parameters())
        return parameter.device, parameter.dtype


def class_labels(way: int, per_class: int, device: torch.device) -> Tensor:
    """Return the labels of `per_class` images of class 0, then of class 1, ..., int64 (n,)."""
    return torch.arange(way, device=device)[:, None].expand(way, per_class).reshape(-1)


def task_accuracies(logits: Tensor) -> Tensor:
    """Return the fraction of correct labels of each task, float64 (T,).

    Parameters
    ----------
    logits
        (T, way*query, way); the images are in the order of their classes.
    """
    tasks, images, way = logits.shape
    return position_accuracies(logits.argmax(2).view(tasks, way, images // way))


def position_accuracies(positions: Tensor) -> Tensor:
    """Return the fraction of correct labels of each task, float64 (T,).

    Parameters
    ----------
    positions
        int64 (T, way, query), see `MetaLearner.predicted_positions`.
    """
    right = torch.arange(positions.shape[1], device=positions.device)[:, None]
    return (positions == right).flatten(1).double().mean(1)


def checked_predictions(logits: Tensor, where: str) -> Tensor:
    """Return the class with the highest logit of each query, int64 (T, n).

    Parameters
    ----------
    logits
        (T, n, way).
    where
        Names the learner in an error.

    Raises
    ------
    TrainingError
        A logit is NaN or infinite: the first NaN would pass for the highest.
    """
    if not logits.isfinite().all():
        raise TrainingError(
            "The predictions are NaN or infinity.",
            where=where,
            got="logits that are not finite",
            fix="lower the learning rate if the training or the inner steps diverged, or correct "
            "a module of your own",
        )
    return logits.argmax(2)


def cut(batch: EpisodeBatch, size: int) -> list[EpisodeBatch]:
    """Split a batch into batches of at most `size` episodes."""
    starts = range(0, len(batch.support), size)
    return [
        EpisodeBatch(batch.support[start : start + size], batch.query[start : start + size])
        for start in starts
    ]
