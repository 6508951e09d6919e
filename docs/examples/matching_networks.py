"""A third meta-learner, complete: Matching Networks (Vinyals et al. 2016)."""

import torch
from torch import Tensor
from torch.nn import functional as F
from typing_extensions import override

from cactus.config.sections import base
from cactus.config.sections.learners.custom import CustomLearner
from cactus.meta.conv4 import ImageShape
from cactus.meta.episodic import EpisodicLearner
from cactus.meta.protonets.encoder import Conv4Encoder


class Settings(base.Settings):
    """Keys under `learners.custom.<name>.settings`."""

    filters: base.Count = base.setting(64, "Filters per convolution.", unit="filters")


class Learner(EpisodicLearner):
    """Each support image votes for its class, with attention by cosine to the query."""

    def __init__(
        self,
        settings: Settings,
        training: CustomLearner,
        image_shape: ImageShape,
        generator: torch.Generator,
    ) -> None:
        super().__init__(training, image_shape)
        self.encoder = Conv4Encoder(
            image_shape,
            settings.filters,
            batch_norm_eps=1e-5,
            batch_norm_momentum=0.1,
            batch_norm_gamma="ones",
            generator=generator,
        )

    @override
    def logits(self, support: Tensor, query: Tensor) -> Tensor:
        tasks, way, shot = support.shape[:3]
        images = torch.cat([support.flatten(0, 2), query.flatten(0, 1)])
        vectors = F.normalize(self.encoder(images))
        keys = vectors[: tasks * way * shot].reshape(tasks, way * shot, -1)
        queries = vectors[tasks * way * shot :].reshape(tasks, -1, keys.shape[2])
        attention = (queries @ keys.mT).log_softmax(2)
        # The logarithm of each class's probability.
        return torch.logsumexp(attention.reshape(tasks, -1, way, shot), 3)
