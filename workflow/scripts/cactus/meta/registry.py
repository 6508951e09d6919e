"""Meta-learners by name, each imported only when needed."""

import importlib
from collections.abc import Callable
from typing import Final, cast

import torch
from torch import Tensor

from cactus.config.sections.learners.custom import CustomLearner
from cactus.config.sections.learners.section import AnyLearner
from cactus.config.sections.learners.speed import AnySpeed
from cactus.meta.base import MetaLearner
from cactus.meta.conv4 import ImageShape
from cactus.tasks.episodes import EpisodeBatch

_CUSTOM: Final = "cactus.meta.custom"


def build(
    name: str,
    settings: AnyLearner,
    speed: AnySpeed,
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
        Its settings, resolved for the data set; a `CustomLearner` names the module that is
        imported.
    image_shape
        Height, width and channels of the images.
    seed
        Seed of the initial weights.
    device
        Device of the model.

    Raises
    ------
    ConfigError
        A custom learner cannot be built.
    """
    if isinstance(settings, CustomLearner):
        learner = importlib.import_module(_CUSTOM).build_custom(name, settings, image_shape, seed)
    else:
        module = importlib.import_module(f"cactus.meta.{name}.learner")
        generator = torch.Generator().manual_seed(seed)
        learner = getattr(module, name.capitalize())(settings, speed, image_shape, generator)
    built = cast(MetaLearner, learner.to(device))
    built.arrange()
    return built


def check_custom(
    learner: MetaLearner, images: Tensor, batch: EpisodeBatch, rebuild: Callable[[], MetaLearner]
) -> None:
    """Check what a learner of users predicts; tests do that for the others.

    Parameters
    ----------
    learner
        The learner, which stays as it is.
    images, batch
        Some episodes.
    rebuild
        Builds the learner again, untrained, as evaluation does.

    Raises
    ------
    DataError
        See `cactus.meta.custom.check_predictions`.
    """
    if isinstance(learner.settings, CustomLearner):
        importlib.import_module(_CUSTOM).check_predictions(learner, images, batch, rebuild)
