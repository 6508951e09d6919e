"""The training loop that embeddings and meta-learners share."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import torch
from torch import Tensor

from cactus.train.checkpoint import Checkpoints
from cactus.train.generators import global_states, set_global_states
from cactus.train.metrics import MetricsLog, RunningMeans


class Trainee(Protocol):
    """What is trained step by step: weights, optimizers, own generators, and the steps done."""

    @property
    def step(self) -> int:
        """Steps done."""

    def training_state(self) -> dict[str, Any]:
        """Return all that the coming steps depend on, as values that a checkpoint can hold.

        The loop itself saves and restores PyTorch's global generators.
        """

    def load_training_state(self, state: Mapping[str, Any]) -> None:
        """Take over what `training_state` returned, its tensors on the CPU."""


def train(
    trainee: Trainee,
    train_step: Callable[[], Mapping[str, Tensor]],
    *,
    steps: int,
    log_every: int,
    log: MetricsLog,
    checkpoints: Checkpoints,
    device: torch.device,
    validate: Callable[[int], dict[str, float]] = lambda _: {},
) -> None:
    """Train from the newest checkpoint to the last step, logging and saving.

    Parameters
    ----------
    trainee
        What is trained.
    train_step
        Does one step, counts it in the trainee, and returns its metrics: scalars on the device,
        the same ones each time.
    steps
        Steps of the whole training.
    log_every
        Steps between two lines of means in the log; the last step gets one too.
    log
        Gets the metrics.
    checkpoints
        Where the trainee's states are saved.
    device
        Of the training and its metrics.
    validate
        Returns further metrics for the log after a step, if any are due.

    Raises
    ------
    TrainingError
        A metric is NaN or infinite when it is logged, or the checkpoint was saved on another type
        of device.
    StoppedError
        A stop was requested.
    StorageError
        A checkpoint cannot be written.
    """
    means = RunningMeans()

    def checkpoint_state() -> dict[str, Any]:
        return {
            "global": global_states(device),
            "training": trainee.training_state(),
            "means": means.steps,
            "log": log.text(),
        }

    def take_over(saved: dict[str, Any]) -> None:
        set_global_states(saved["global"], device)
        _load(trainee, saved["training"], steps)
        means.restore(saved["means"], device)
        if trainee.step:
            log.resume(trainee.step, saved["log"])

    with checkpoints.stop.deferred():
        checkpoints.restore(take_over, checkpoint_state)
        while trainee.step < steps:
            means.add(train_step())
            step = trainee.step
            averages = means.pop() if step % log_every == 0 or step == steps else {}
            if metrics := {**averages, **validate(step)}:
                log.write(step, **metrics)
            log.passed(step)
            checkpoints.reached(step, checkpoint_state)


def _load(trainee: Trainee, state: Mapping[str, Any], steps: int) -> None:
    trainee.load_training_state(state)
    if not 0 <= trainee.step <= steps:
        raise ValueError(f"step {trainee.step} of {steps}")
