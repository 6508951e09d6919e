"""Small learnable images and episodes for the tests of the meta-learners."""

from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from cactus.config.sections.learners.section import LearnerSettings
from cactus.config.sections.learners.speed import SpeedSettings
from cactus.meta.registry import build
from cactus.meta.train import TaskSource
from cactus.tasks.episodes import EpisodeBatch, PartitionSampler

CPU = torch.device("cpu")
SMALL = {"filters": 4, "way": 3, "shot": 2, "query": 2, "tasks_per_batch": 3}
FEW_STEPS: dict[str, dict[str, int]] = {
    "maml": {"inner_steps": 3, "evaluation_steps": 5},
    "protonets": {},
}


def learner(
    name: Any,
    *,
    dataset: Any = "omniglot",
    shape: tuple[int, int, int] = (10, 10, 1),
    seed: int = 0,
    double: bool = False,
    **changes: Any,
) -> Any:
    """Build a small learner; `changes` override its settings."""
    settings, speed = (
        LearnerSettings().resolve(name, dataset),
        SpeedSettings().resolve(name, dataset),
    )
    assert speed is not None
    quick = {key: changes.pop(key) for key in list(changes) if key in type(speed).model_fields}
    values = {**settings.model_dump(), **SMALL, **FEW_STEPS[name], **changes}
    settings = type(settings).model_validate(values)
    speed = type(speed).model_validate({**speed.model_dump(), **quick})
    built = build(name, settings, speed, shape, seed=seed, device=CPU)
    return built.double() if double else built


def task_source(
    *,
    shape: tuple[int, int, int] = (10, 10, 1),
    classes: int = 12,
    per_class: int = 12,
    way: int = 3,
    shot: int = 2,
    query: int = 2,
    noise: float = 40.0,
    seed: int = 0,
    device: torch.device = CPU,
) -> TaskSource:
    """Return episodes on images that are a random pattern for each class, plus noise."""
    generator = np.random.default_rng(seed)
    coarse = generator.uniform(0, 255, (classes, 1, shape[0] // 2, shape[1] // 2, shape[2]))
    patterns = coarse.repeat(2, axis=2).repeat(2, axis=3)
    noisy = patterns + generator.normal(0, noise, (classes, per_class, *shape))
    images = noisy.clip(0, 255).astype(np.uint8).reshape(-1, *shape)
    labels = np.repeat(np.arange(classes), per_class)
    sampler = PartitionSampler(labels[None], way, shot, query)
    return TaskSource(torch.from_numpy(images).to(device), sampler)


def episodes(source: TaskSource, tasks: int, seed: int = 0) -> EpisodeBatch:
    """Draw episodes."""
    return source.sampler.sample(np.random.default_rng(seed), tasks)


def random_batch(
    images: int, tasks: int, way: int, shot: int, query: int, seed: int = 0, *, apart: bool = False
) -> EpisodeBatch:
    """Draw indices of images with replacement, so that episodes share images.

    With `apart`, no support has an image twice, in two classes between which rounding decides.
    """
    numbers = np.random.default_rng(seed)
    support = numbers.integers(0, images, (tasks, way, shot))
    query_images = numbers.integers(0, images, (tasks, way, query))
    if apart:
        drawn = [numbers.choice(images, (way, shot), replace=False) for _ in range(tasks)]
        support = np.stack(drawn)
    return EpisodeBatch(support, query_images)


def gradients(model: nn.Module) -> list[Tensor]:
    """Return copies of the gradients."""
    return [cast(Tensor, parameter.grad).clone() for parameter in model.parameters()]


def assert_close_in_double(mine: Tensor, slow: Tensor) -> None:
    """Compare to 1e-10 of the largest value."""
    bound = 1e-10 * float(slow.abs().max())
    torch.testing.assert_close(mine, slow, rtol=1e-10, atol=max(bound, 1e-14))
