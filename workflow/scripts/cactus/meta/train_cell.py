"""Meta-train one cell of the grid."""

from functools import partial
from pathlib import Path
from typing import Any, Final

import torch

from cactus.config.sections.learners.base import ValidationSettings
from cactus.data.arrays import load_images
from cactus.meta.registry import build, check_custom, parse
from cactus.meta.train import TaskSource, meta_train
from cactus.seeding import derive_seed, numpy_generator
from cactus.stages.meta_train import MetaTrainSpec
from cactus.tasks.episodes import labeled_sampler, load_sampler
from cactus.tasks.labels import task_labels
from cactus.train.checkpoint import Checkpoints
from cactus.train.device import set_up_device
from cactus.train.images import resident_images

_CHECKED: Final = 4  # episodes


def train_cell(
    spec: MetaTrainSpec,
    data_folder: Path,
    partition_folder: Path,
    output: Path,
    checkpoints: Checkpoints,
) -> None:
    """Train on tasks from stored partitions, and log a validation curve on labeled tasks.

    Parameters
    ----------
    spec
        The cell and its settings.
    data_folder
        A prepared data set.
    partition_folder
        Partitions of its training images.
    output
        Folder of the model.
    checkpoints
        The training resumes from the newest one.
    """
    compute = spec.compute
    settings, speed = parse(spec.learner, spec.settings, spec.speed)
    device = set_up_device(compute.device, compute.threads, deterministic=compute.deterministic)
    images = resident_images(load_images(data_folder, "train"), device)
    labels = task_labels(data_folder, "train") if spec.source == "labels" else None
    episode = settings.way, settings.shot, settings.query
    cell: dict[str, Any] = {"source": spec.source, "learner": spec.learner, "seed": spec.seed}
    sampler = load_sampler(partition_folder, *episode, labels, images=len(images), **cell)
    height, width, channels = images.shape[1:]
    seed = derive_seed("weights", spec.seed)
    shape = (height, width, channels)
    made = partial(build, spec.learner, speed=speed, image_shape=shape, seed=seed, device=device)
    learner = made(settings)
    validation = _validation_source(spec, settings.validation, data_folder, device)
    rebuild = partial(made, settings.for_scoring())
    generator = numpy_generator("checked episodes", spec.seed)
    checked = validation.images, validation.sampler.sample(generator, _CHECKED)
    check_custom(learner, *checked, rebuild)
    meta_train(
        learner,
        TaskSource(images, sampler),
        validation,
        output,
        seed=spec.seed,
        label=f"{spec.dataset}/{spec.source}/{spec.learner}/s{spec.seed}",
        record={"dataset": spec.dataset, "source": spec.source},
        checkpoints=checkpoints,
    )
    check_custom(learner, *checked, rebuild)


def _validation_source(
    spec: MetaTrainSpec, shape: ValidationSettings, data_folder: Path, device: torch.device
) -> TaskSource:
    """Return the labeled tasks of the validation curve."""
    labels = task_labels(data_folder, "val")
    sampler = labeled_sampler(
        spec.dataset, labels, shape.way, shape.shot, shape.query, spec.pool_attributes
    )
    return TaskSource(resident_images(load_images(data_folder, "val"), device), sampler)
