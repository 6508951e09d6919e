"""Augmentation in meta-training: episodes of randomly changed images."""

import numpy as np
import torch
from torch import Tensor

from cactus.config.sections.learners.base import AugmentationSettings
from cactus.meta.images import gather, to_device
from cactus.seeding import derive_seed, numpy_generator
from cactus.tasks.episodes import EpisodeBatch, draw_distinct
from cactus.train.views import quarter_turns, random_views


class Augmentation:
    """Changes the images of episodes at random.

    Parameters
    ----------
    settings
        What changes, and by how much.
    seed
        Decides all changes.
    device
        Of the images.
    """

    def __init__(self, settings: AugmentationSettings, seed: int, device: torch.device) -> None:
        self.settings = settings
        seed = derive_seed("augmentation", seed)
        self.generator = torch.Generator(device).manual_seed(seed)
        self._changed = torch.empty(0, dtype=torch.uint8, device=device)

    def __call__(
        self, images: Tensor, batch: EpisodeBatch, episodes: np.random.Generator
    ) -> tuple[Tensor, EpisodeBatch]:
        """Return changed images of T episodes, and episodes that index them.

        Parameters
        ----------
        images
            uint8 (N, S, S, C).
        batch
            Support and query as indices into `images`.
        episodes
            Draws the instance tasks.

        Returns
        -------
        changed
            uint8 (T * way * (shot + query), S, S, C): the same tensor for all batches of one size,
            because a CUDA graph reads it where it was. The next call overwrites it.
        episodes
            Support and query as indices into the changed images.
        """
        share = self.settings.instance_tasks
        if share:
            batch = with_instance_tasks(batch, share, len(images), episodes)
        indices = np.concatenate([batch.support, batch.query], axis=2)
        chosen = to_device(indices.ravel(), images.device)
        views = gather(images, chosen, torch.float32, torch.contiguous_format)
        if self.settings.quarter_turns:
            views = quarter_turns(views, self.generator, alike=indices.shape[2])
        views = random_views(views, self.settings, self.generator)
        if len(self._changed) != len(views):
            self._changed = images.new_empty((len(views), *images.shape[1:]))
        # Places that differ from step to step: a custom learner's queries are ordered by them.
        order = numpy_generator("places", *indices.ravel().tolist()).permutation(indices.size)
        pixels = (views * 255).round().permute(0, 2, 3, 1)
        self._changed.copy_(pixels[to_device(order, images.device)])
        places = np.argsort(order).reshape(indices.shape)
        support, query = np.split(places, [batch.support.shape[2]], axis=2)
        return self._changed, EpisodeBatch(support, query)


def with_instance_tasks(
    batch: EpisodeBatch, share: float, images: int, generator: np.random.Generator
) -> EpisodeBatch:
    """Return episodes of which about a share have single images as classes.

    The support and the queries of such a class all are the same of `images` images, and the
    classes of an episode are distinct images.
    """
    replaced = generator.random(len(batch.support)) < share
    support, query = batch.support.copy(), batch.query.copy()
    tasks, way = int(replaced.sum()), support.shape[1]
    chosen = draw_distinct(generator, np.full(tasks, images), way)[:, :, None]
    support[replaced], query[replaced] = chosen, chosen
    return EpisodeBatch(support, query)
