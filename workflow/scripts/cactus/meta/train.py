"""Meta-training: outer updates on episodes, and the validation curve."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cactus.errors import DataError, TrainingError
from cactus.meta.augmentation import Augmentation
from cactus.meta.base import MetaLearner, StepMetrics
from cactus.meta.store import METRICS_FILE, RECORD_FILE, save_model
from cactus.seeding import numpy_generator
from cactus.tasks.episodes import EpisodeSampler
from cactus.train.checkpoint import Checkpoints
from cactus.train.device import describe_device, one_thread
from cactus.train.loop import train
from cactus.train.metrics import MetricsLog
from cactus.train.optimizers import Adam
from cactus.train.views import check_colors


@dataclass(frozen=True)
class TaskSource:
    """Episodes, and the images that they index."""

    images: Tensor  # uint8 (N, H, W, C), on the device of the model
    sampler: EpisodeSampler  # draws indices into `images`


@dataclass
class TrainState:
    """All that the next steps depend on besides settings and data."""

    learner: MetaLearner
    optimizer: Adam
    episodes: np.random.Generator  # draws the training episodes
    augmentation: Augmentation | None = None
    step: int = 0  # outer updates done

    @classmethod
    def start(cls, learner: MetaLearner, seed: int) -> "TrainState":
        """Return the state before the first step."""
        optimizer = Adam(learner.parameters(), learner.settings.outer_lr)
        settings = learner.settings.augmentation
        device, _ = learner.parameter_like()
        augmentation = Augmentation(settings, seed, device) if settings.active else None
        return cls(learner, optimizer, numpy_generator("training episodes", seed), augmentation)

    def training_state(self) -> dict[str, Any]:
        """Return the whole state, as values that a checkpoint can hold."""
        return {
            "learner": self.learner.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "episodes": self.episodes.bit_generator.state,
            "augmentation": self.augmentation and self.augmentation.generator.get_state(),
            "step": self.step,
        }

    def load_training_state(self, state: Mapping[str, Any]) -> None:
        """Restore what `training_state` returned."""
        self.learner.load_state_dict(state["learner"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.episodes.bit_generator.state = state["episodes"]
        if self.augmentation is not None:
            self.augmentation.generator.set_state(state["augmentation"])
        self.step = state["step"]


def meta_train(
    learner: MetaLearner,
    tasks: TaskSource,
    validation: TaskSource | None,
    output: Path,
    *,
    seed: int,
    label: str,
    record: Mapping[str, Any],
    checkpoints: Checkpoints,
) -> None:
    """Train for the settings' number of iterations; the last iterate is the model.

    Writes ``metrics.jsonl``, ``model.safetensors`` and, last, ``model.json``. A line of metrics
    has the step, the means since the previous line of ``loss`` (cross-entropy, nats) and
    ``accuracy`` (fraction) on the training queries, and ``val_accuracy`` when it is due.
    Validation never changes the model. With no iterations, the model is the one passed in.

    Parameters
    ----------
    learner
        The model, on its device.
    tasks
        Training tasks.
    validation
        Labeled validation tasks, or None for no validation curve.
    output
        Folder of the cell.
    seed
        Decides all episodes.
    label
        What is trained, for progress lines and errors.
    record
        Further JSON values for ``model.json``.
    checkpoints
        The training resumes from the newest one; all files are as if it had never stopped.

    Raises
    ------
    TrainingError
        The loss or a weight is NaN or infinite, or the checkpoint was saved on another type of
        device. No ``model.json`` is left in that case.
    StoppedError
        A stop was requested.
    EpisodeError
        An episode has more classes than the model.
    DataError
        The images have another shape than the model's, or another number than the labels.
    ConfigError
        A setting is for GPUs only, and the model is not on one.
    """
    (output / RECORD_FILE).unlink(missing_ok=True)
    learner.check_device()
    for source in filter(None, (tasks, validation)):
        _check_images(learner, source)
    custom = "custom." if learner.settings.own_code else ""
    where = f"learners.{custom}{learner.name}.augmentation"
    check_colors(learner.settings.augmentation, tasks.images.shape[3], where)
    state = TrainState.start(learner, seed)
    settings, (device, _) = learner.settings, learner.parameter_like()
    steps, progress = settings.iterations, checkpoints.progress
    with MetricsLog(output / METRICS_FILE, label, steps, progress) as log:
        train(
            state,
            lambda: train_step(state, tasks)._asdict(),
            steps=steps,
            log_every=settings.log_every,
            log=log,
            checkpoints=checkpoints,
            device=device,
            validate=_validation_curve(learner, validation, seed),
        )
    _check_weights(learner, label)
    save_model(learner, output, {**record, "seed": seed, "device": describe_device(device)})


def train_step(state: TrainState, tasks: TaskSource) -> StepMetrics:
    """Do one outer update, without waiting for the device.

    On a GPU the host draws the next episodes while this update is computed.
    """
    settings = state.learner.settings
    batch = tasks.sampler.sample(state.episodes, settings.tasks_per_batch)
    images = tasks.images
    if state.augmentation is not None:
        images, batch = state.augmentation(images, batch, state.episodes)
    state.optimizer.zero_grad()
    metrics = state.learner.accumulate_gradients(images, batch)
    with one_thread():
        if settings.gradient_clip is not None:
            torch.nn.utils.clip_grad_value_(state.learner.parameters(), settings.gradient_clip)
        state.optimizer.param_groups[0]["lr"] = settings.outer_rate(state.step)
        state.optimizer.step()
    state.step += 1
    return metrics


def _validation_curve(
    learner: MetaLearner, source: TaskSource | None, seed: int
) -> Callable[[int], dict[str, float]]:
    """Return a function that scores the model after a step if a score is due.

    The episodes stay the same, so that the points of the curve are comparable.
    """
    if source is None:
        return lambda _: {}
    images, settings = source.images, learner.settings
    generator = numpy_generator("validation episodes", seed)
    episodes = source.sampler.sample(generator, settings.validation.tasks)

    def validate(step: int) -> dict[str, float]:
        if step % settings.validation.every and step != settings.iterations:
            return {}
        return {"val_accuracy": float(learner.accuracies(images, episodes).mean())}

    return validate


def _check_images(learner: MetaLearner, source: TaskSource) -> None:
    images = source.images
    if source.sampler.images != len(images):
        raise DataError(
            "The partitions or labels are not those of the images.",
            where=learner.name,
            got=f"{source.sampler.images} labels for {len(images)} images",
            fix="delete the folder of the partitions and run the same command again",
        )
    if tuple(images.shape[1:]) != tuple(learner.image_shape):
        raise DataError(
            "The images do not fit the model.",
            where=learner.name,
            got=f"images of shape {tuple(images.shape[1:])}, a model for {learner.image_shape}",
            fix="prepare the data again with the size that the model was built for",
        )


def _check_weights(learner: MetaLearner, label: str) -> None:
    wrong = [name for name, value in learner.state_dict().items() if not value.isfinite().all()]
    if wrong:
        raise TrainingError(
            "Training diverged (NaN or infinity).",
            where=label,
            got=f"NaN or infinity in {', '.join(wrong)}",
            fix="lower the learning rate or change the seed in the config, then run again",
        )
