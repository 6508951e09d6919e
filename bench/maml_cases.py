"""Models and episodes of random pixels at the sizes of the paper."""

import numpy as np
import torch

from cactus.config.base import DatasetName
from cactus.config.learners import LearnerSettings, MamlSettings
from cactus.meta.maml.learner import Maml
from cactus.tasks.episodes import EpisodeBatch

SHAPES: dict[DatasetName, tuple[int, int, int]] = {
    "omniglot": (28, 28, 1),
    "miniimagenet": (84, 84, 3),
}


def maml_case(
    dataset: DatasetName, tasks: int, **changes: object
) -> tuple[Maml, torch.Tensor, EpisodeBatch]:
    """Return a model with a data set's settings, `changes` made, and images and episodes."""
    settings = LearnerSettings().resolve("maml", dataset).model_copy(update=changes)
    assert isinstance(settings, MamlSettings)
    generator = np.random.default_rng(0)
    shape = SHAPES[dataset]
    images = torch.from_numpy(generator.integers(0, 256, (400, *shape), dtype=np.uint8))
    model = Maml(settings, shape, torch.Generator().manual_seed(0))
    batch = EpisodeBatch(
        generator.integers(0, 400, (tasks, settings.way, settings.shot)),
        generator.integers(0, 400, (tasks, settings.way, settings.query)),
    )
    return model, images, batch
