"""The training loop of all meta-learners."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cactus.checkpoint import Checkpoints
from cactus.device import describe_device, one_thread
from cactus.errors import DataError, TrainingError
from cactus.generators import global_states, set_global_states
from cactus.meta.base import MetaLearner, StepMetrics
from cactus.meta.store import METRICS_FILE, RECORD_FILE, save_model
from cactus.optimizers import Adam
from cactus.progress import MetricsLog
from cactus.seeding import numpy_generator
from cactus.tasks.episodes import EpisodeBatch, EpisodeSampler


@dataclass(frozen=True)
class TaskSource:
    """Episodes and the images that they index.

    Attributes
    ----------
    images
        uint8 (N, H, W, C), on the device of the model.
    sampler
        Draws indices into `images`.
    """

    images: Tensor
    sampler: EpisodeSampler


@dataclass
class TrainState:
    """All that the coming steps depend on, besides settings and data.

    Attributes
    ----------
    learner
        The model.
    optimizer
        Adam on its parameters.
    episodes
        Generator of the training episodes.
    step
        Outer updates done.
    """

    learner: MetaLearner
    optimizer: Adam
    episodes: np.random.Generator
    step: int = 0

    @classmethod
    def start(cls, learner: MetaLearner, seed: int) -> "TrainState":
        """Return the state before the first step."""
        optimizer = Adam(learner.parameters(), learner.settings.outer_lr)
        return cls(learner, optimizer, numpy_generator("training episodes", seed))

    def state_dict(self) -> dict[str, Any]:
        """Return everything, as values that a checkpoint can hold."""
        device, _ = self.learner.parameter_like()
        return {
            "learner": self.learner.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "episodes": self.episodes.bit_generator.state,
            "global": global_states(device),
            "step": self.step,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned.

        Raises
        ------
        TrainingError
            It was saved on another type of device.
        """
        device, _ = self.learner.parameter_like()
        set_global_states(state["global"], device)
        self.learner.load_state_dict(state["learner"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.episodes.bit_generator.state = state["episodes"]
        self.step = state["step"]


def meta_train(
    learner: MetaLearner,
    train: TaskSource,
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
    has the step and the means since the line before of ``loss`` (cross-entropy, nats) and
    ``accuracy`` (fraction), both of the training queries, and where it is due ``val_accuracy``.
    Validation never changes the model. Where the settings ask for no iterations, the model is the
    one passed in.

    Parameters
    ----------
    learner
        The model, on its device.
    train
        Training tasks.
    validation
        Labelled validation tasks, or None for no curve.
    output
        Folder of the cell.
    seed
        Decides all episodes.
    label
        What is trained, for progress lines and errors.
    record
        Further JSON values for ``model.json``.
    checkpoints
        From the newest the training goes on; all files are as if it had never been interrupted.

    Raises
    ------
    TrainingError
        The loss or a weight is NaN or infinite, or the checkpoint was saved on another type of
        device. No ``model.json`` is left then.
    StoppedError
        A stop was requested.
    EpisodeError
        An episode has more classes than the model.
    DataError
        The images have another shape than the model's.
    ConfigError
        A setting is for GPUs only, and the model lies on none.
    """
    (output / RECORD_FILE).unlink(missing_ok=True)
    learner.check_device()
    for source in filter(None, (train, validation)):
        _check_images(learner, source.images)
    state = TrainState.start(learner, seed)
    steps, progress = learner.settings.iterations, checkpoints.progress
    with MetricsLog(output / METRICS_FILE, label, steps, progress) as log:
        curve = _ValidationCurve.start(learner, validation, seed)
        with checkpoints.stop.deferred():
            _run(state, train, curve, log, checkpoints)
    _check_weights(learner, label)
    device, _ = learner.parameter_like()
    save_model(learner, output, {**record, "seed": seed, "device": describe_device(device)})


def train_step(state: TrainState, train: TaskSource) -> StepMetrics:
    """Do one outer update; the device is not waited for.

    On a GPU the host therefore draws the next episodes while this update is computed.
    """
    settings = state.learner.settings
    batch = train.sampler.sample(state.episodes, settings.tasks_per_batch)
    state.optimizer.zero_grad()
    metrics = state.learner.accumulate_gradients(train.images, batch)
    with one_thread():
        if settings.gradient_clip is not None:
            torch.nn.utils.clip_grad_value_(state.learner.parameters(), settings.gradient_clip)
        state.optimizer.step()
    state.step += 1
    return metrics


def _run(
    state: TrainState,
    train: TaskSource,
    curve: "_ValidationCurve | None",
    log: MetricsLog,
    checkpoints: Checkpoints,
) -> None:
    """Train from the newest checkpoint to the last iteration, logging and saving."""
    settings = state.learner.settings
    means = _RunningMeans()

    def everything() -> dict[str, Any]:
        return {"training": state.state_dict(), "means": means.steps, "log": log.text()}

    if saved := checkpoints.restore():
        state.load_state_dict(saved["training"])
        means.steps = [step.to(train.images.device) for step in saved["means"]]
        log.resume(state.step, saved["log"])
    while state.step < settings.iterations:
        means.add(train_step(state, train))
        last = state.step == settings.iterations
        metrics: dict[str, float] = {}
        if last or state.step % settings.log_every == 0:
            metrics |= means.pop()
        if curve and (last or state.step % settings.validation.every == 0):
            metrics["val_accuracy"] = curve.point(state.learner)
        if metrics:
            log.write(state.step, **metrics)
        log.passed(state.step)
        checkpoints.reached(state.step, everything)


@dataclass(frozen=True)
class _ValidationCurve:
    """Fixed validation episodes, so that the points of the curve compare."""

    images: Tensor
    episodes: EpisodeBatch

    @classmethod
    def start(
        cls, learner: MetaLearner, source: TaskSource | None, seed: int
    ) -> "_ValidationCurve | None":
        """Draw the episodes."""
        if source is None:
            return None
        generator = numpy_generator("validation episodes", seed)
        tasks = learner.settings.validation.tasks
        return cls(source.images, source.sampler.sample(generator, tasks))

    def point(self, learner: MetaLearner) -> float:
        """Return the mean accuracy."""
        return float(learner.accuracies(self.images, self.episodes).mean())


class _RunningMeans:
    """Means of metrics since the last line of the log, kept on the device until then.

    Attributes
    ----------
    steps
        The metrics of each step, float64 (fields of `StepMetrics`,).
    """

    def __init__(self) -> None:
        self.steps: list[Tensor] = []

    def add(self, metrics: StepMetrics) -> None:
        """Add the metrics of one step."""
        self.steps.append(torch.stack([value.detach().double() for value in metrics]))

    def pop(self) -> dict[str, float]:
        """Return the means and begin anew."""
        values = torch.stack(self.steps).mean(0).tolist()
        self.steps = []
        return dict(zip(StepMetrics._fields, values, strict=True))


def _check_images(learner: MetaLearner, images: Tensor) -> None:
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
            "A trained model has weights that are not finite numbers.",
            where=label,
            got=f"NaN or infinity in {', '.join(wrong)}",
            fix="lower the learning rate or change the seed in the config, then run again",
        )
