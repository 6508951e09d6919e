"""Meta-learners by name, each imported only when needed."""

import importlib
from typing import cast

import torch

from cactus.config.sections.base import LearnerName
from cactus.config.sections.learners import MamlSettings, ProtonetsSettings
from cactus.config.sections.speed import MamlSpeed, ProtonetsSpeed
from cactus.meta.base import MetaLearner
from cactus.meta.conv4 import ImageShape


def build(
    name: LearnerName,
    settings: MamlSettings | ProtonetsSettings,
    speed: MamlSpeed | ProtonetsSpeed,
    image_shape: ImageShape,
    *,
    seed: int,
    device: torch.device,
) -> MetaLearner:
    """Return an untrained meta-learner; the same seed draws the same weights on every device.

    Parameters
    ----------
    name
        The meta-learner.
    settings, speed
        Its settings, resolved for the data set.
    image_shape
        Height, width and channels of the images.
    seed
        Seed of the initial weights.
    device
        Device of the model.
    """
    module = importlib.import_module(f"cactus.meta.{name}.learner")
    generator = torch.Generator().manual_seed(seed)
    learner = getattr(module, name.capitalize())(settings, speed, image_shape, generator)
    built = cast(MetaLearner, learner.to(device))
    built.arrange()
    return built
