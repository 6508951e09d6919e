"""Models and episodes of random pixels at the sizes of the paper."""

import numpy as np
import torch

from bench.harness import Bench
from cactus.config.sections.base import DatasetName
from cactus.config.sections.learners.maml import MamlSettings, MamlSpeed
from cactus.config.sections.learners.section import LearnerSettings
from cactus.meta.maml.learner import Maml
from cactus.tasks.episodes import EpisodeBatch

SHAPES: dict[DatasetName, tuple[int, int, int]] = {
    "omniglot": (28, 28, 1),
    "miniimagenet": (84, 84, 3),
}

TINY = {"way": 2, "filters": 2, "inner_steps": 1, "evaluation_steps": 2}


def maml_case(
    bench: Bench, dataset: DatasetName, tasks: int, **changes: object
) -> tuple[Maml, torch.Tensor, EpisodeBatch]:
    """Return a model with a data set's settings, `changes` made, and images and episodes.

    `changes` may also be of the settings of speed.
    """
    if bench.tiny:
        tasks, changes = 2, {**TINY, **changes}
    quick = {key: changes.pop(key) for key in list(changes) if key in MamlSpeed.model_fields}
    settings = LearnerSettings().resolve("maml", dataset).model_copy(update=changes)
    assert isinstance(settings, MamlSettings)
    generator = np.random.default_rng(0)
    shape = SHAPES[dataset]
    images = torch.from_numpy(generator.integers(0, 256, (400, *shape), dtype=np.uint8))
    speed = MamlSpeed.model_validate(quick)
    model = Maml(settings, speed, shape, torch.Generator().manual_seed(0)).to(bench.device)
    batch = EpisodeBatch(
        generator.integers(0, 400, (tasks, settings.way, settings.shot)),
        generator.integers(0, 400, (tasks, settings.way, settings.query)),
    )
    return model, images.to(bench.device), batch
