"""Meta-learners by name, each imported only when needed."""

import importlib
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, cast

import torch
from torch import Tensor

from cactus.config.sections.base import DatasetSettings, names_a_module
from cactus.config.sections.learners.base import TrainingSettings
from cactus.meta.base import MetaLearner
from cactus.meta.conv4 import ImageShape
from cactus.tasks.episodes import EpisodeBatch

_CUSTOM: Final = "cactus.meta.custom"


class Parsed(NamedTuple):
    """Settings of a meta-learner, and how it is computed, of the classes that it has for them."""

    settings: TrainingSettings
    speed: DatasetSettings | None


def parse(name: str, settings: Mapping[str, Any], speed: Mapping[str, Any] | None) -> Parsed:
    """Return the settings of a meta-learner from the values that a plan has of them."""
    module = importlib.import_module(_CUSTOM if names_a_module(settings) else _module(name))
    return Parsed(
        module.Settings.model_validate(settings),
        None if speed is None else module.Speed.model_validate(speed),
    )


def from_scratch(
    name: str, settings: TrainingSettings, scratch: Mapping[str, Any]
) -> TrainingSettings:
    """Return the settings of the row that trains from scratch, from the values of a plan."""
    module = importlib.import_module(_module(name))
    return cast(TrainingSettings, module.Scratch.model_validate(scratch).apply(settings))


def build(
    name: str,
    settings: TrainingSettings,
    speed: DatasetSettings | None,
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
        Its settings, resolved for the data set; those of a learner of users name its module.
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
    if settings.own_code:
        learner = importlib.import_module(_CUSTOM).build_custom(name, settings, image_shape, seed)
    else:
        module = importlib.import_module(_module(name))
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
    if learner.settings.own_code:
        importlib.import_module(_CUSTOM).check_predictions(learner, images, batch, rebuild)


def _module(name: str) -> str:
    return f"cactus.meta.{name}.learner"
