"""The base class of meta-learners that users add: it predicts from images, and sees no labels."""

from abc import abstractmethod
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from cactus.config.sections.learners.custom import CustomLearner
from cactus.errors import DataError
from cactus.meta.base import MetaLearner, StepMetrics, checked_predictions, cut
from cactus.meta.conv4 import ImageShape
from cactus.meta.images import gather, to_device
from cactus.seeding import numpy_generator
from cactus.tasks.episodes import EpisodeBatch


class Episodes(NamedTuple):
    """T episodes as a learner sees them, and the labels of their queries, which it does not."""

    support: Tensor  # (T, way, shot, C, H, W); the label of ``[t, n]`` is n
    query: Tensor  # (T, n, C, H, W), in random order
    labels: Tensor  # int64 (T, n)


class EpisodicLearner(MetaLearner):
    """A learner that maps the images of an episode to logits.

    A user's module derives the class `Learner` from it, which is constructed as
    ``Learner(settings, training, image_shape, generator)`` and defines `logits`.

    Parameters
    ----------
    training
        The learner's entry under `learners.custom`, resolved for the data set.
    image_shape
        Height, width and channels of the images.
    """

    settings: CustomLearner

    def __init__(self, training: CustomLearner, image_shape: ImageShape) -> None:
        super().__init__(training, None, image_shape)

    @abstractmethod
    def logits(self, support: Tensor, query: Tensor) -> Tensor:
        """Predict the classes of queries.

        `self.training` is true in training, which differentiates the logits. Otherwise, gradients
        are off; a learner that takes gradient steps in evaluation uses ``torch.enable_grad()``.

        Parameters
        ----------
        support
            (T, way, shot, C, H, W), from 0 to 1; the label of ``[t, n]`` is n.
        query
            (T, n, C, H, W), in an order that says nothing about their labels.

        Returns
        -------
        Tensor
            (T, n, way) floating point, of which the highest is the prediction.
        """

    def accumulate_gradients(self, images: Tensor, batch: EpisodeBatch) -> StepMetrics:
        """Add the gradient of the mean cross-entropy over episodes and queries to `grad`."""
        self.train()
        episodes = self.episodes(images, batch)
        logits = self.checked_logits(episodes)
        if not logits.requires_grad:
            raise self.refusal("`logits` does not depend on the parameters.", "no gradient")
        loss = F.cross_entropy(logits.flatten(0, 1), episodes.labels.flatten())
        loss.backward()  # type: ignore[no-untyped-call]
        right = (logits.detach().argmax(2) == episodes.labels).double().mean()
        return StepMetrics(loss.detach(), right)

    @torch.no_grad()
    def predicted_positions(self, images: Tensor, batch: EpisodeBatch) -> Tensor:
        """Return the class predicted for each query, int64 (T, way, query), in their own order."""
        self.eval()
        found = []
        for part in cut(batch, self.settings.evaluation_tasks_at_once):
            episodes, order = self._shuffled(images, part)
            logits = self.checked_logits(episodes)
            where = f"learners.custom.{self.name}, {self.settings.module}"
            predicted = checked_predictions(logits, where)
            placed = torch.empty_like(predicted).scatter_(1, order, predicted)
            found.append(placed.view(part.query.shape))
        return torch.cat(found)

    def episodes_at_once(self, batch: EpisodeBatch) -> int:  # noqa: ARG002
        """Return the configured number."""
        return self.settings.evaluation_tasks_at_once

    def episodes(self, images: Tensor, batch: EpisodeBatch) -> Episodes:
        """Return the images of episodes, their queries in an order of their own."""
        return self._shuffled(images, batch)[0]

    def _shuffled(self, images: Tensor, batch: EpisodeBatch) -> tuple[Episodes, Tensor]:
        """Return episodes, and int64 (T, n), the place of each of their queries in the batch."""
        tasks, way, queries = batch.query.shape
        query = batch.query.reshape(tasks, -1)
        # Each episode decides its order alone, whatever the others of its batch are.
        order = np.stack(
            [numpy_generator("queries", *row).permutation(len(row)) for row in query.tolist()]
        )
        labels = np.repeat(np.arange(way), queries)[order]
        shuffled = np.take_along_axis(query, order, axis=1)
        device, _ = self.parameter_like()
        support, query_images = (
            self._images(images, to_device(one, device)) for one in (batch.support, shuffled)
        )
        episodes = Episodes(support, query_images, to_device(labels, device))
        return episodes, to_device(order, device)

    def checked_logits(self, episodes: Episodes) -> Tensor:
        """Return the logits of episodes, whose shape and type are right.

        Raises
        ------
        DataError
            They are not.
        """
        support, query = episodes.support, episodes.query
        try:
            logits = self.logits(support, query)
        except Exception as error:
            shapes = f"support {tuple(support.shape)} and query {tuple(query.shape)}"
            error.add_note(f"in logits() of learners.custom.{self.name} on {shapes}")
            raise
        expected = (*episodes.labels.shape, support.shape[1])
        if not isinstance(logits, Tensor):
            raise self.refusal("`logits` did not return a tensor.", type(logits).__name__)
        if tuple(logits.shape) != expected or not logits.is_floating_point():
            raise self.refusal(
                "`logits` did not return a number for each query and class.",
                f"{logits.dtype} {tuple(logits.shape)}, expected floating point {expected}",
            )
        return logits

    def refusal(self, what: str, got: str) -> DataError:
        """Return the error of a learner that does not do what it has to."""
        return DataError(
            what,
            where=f"learners.custom.{self.name}, {self.settings.module}",
            got=got,
            fix="correct the module; docs/adding-a-learner.md says what is checked",
        )

    def _images(self, images: Tensor, indices: Tensor) -> Tensor:
        _, dtype = self.parameter_like()
        chosen = gather(images, indices.flatten(), dtype, torch.contiguous_format)
        return chosen.reshape(*indices.shape, *chosen.shape[1:])
