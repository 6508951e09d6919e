"""Metrics as JSON lines, their running means, and progress lines for a log file."""

import json
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

import torch
from torch import Tensor

from cactus.errors import TrainingError


@dataclass
class TrainingProgress:
    """How far a training has come, for status reports."""

    step: int = 0  # steps done
    steps: int = 0  # steps of the whole training; 0 before it starts
    seconds_left: float | None = None  # None before there is a rate
    seconds_per_step: float | None = None  # the same, since the start or the last interruption


class RunningMeans:
    """Means of metrics since the last line of the log, kept on the device until then."""

    def __init__(self) -> None:
        self.steps: list[Tensor] = []  # the metrics of each step, (metrics,)
        self._names: tuple[str, ...] = ()

    def add(self, metrics: Mapping[str, Tensor]) -> None:
        """Add the metrics of one step, scalars on the device."""
        self._names = tuple(metrics)
        self.steps.append(torch.stack([value.detach() for value in metrics.values()]))

    def pop(self) -> dict[str, float]:
        """Return the means and start over."""
        means = dict(zip(self._names, _mean(self.steps).tolist(), strict=True))
        self.steps = []
        return means

    def restore(self, steps: Iterable[Tensor], device: torch.device) -> None:
        """Restore `steps` from a checkpoint."""
        self.steps = [step.to(device) for step in steps]


def _mean(steps: list[Tensor]) -> Tensor:
    if steps[0].dtype == torch.float64:
        return torch.stack(steps).mean(0)
    # In the order of the steps: PyTorch's own sum, in blocks, would round float32 differently.
    total = steps[0]
    for step in steps[1:]:
        total = total + step
    return total.double() / len(steps)


class MetricsLog:
    """Write one JSON object per logged step, and a progress line every minute.

    Parameters
    ----------
    path
        The JSON-lines file; it is overwritten.
    label
        What is trained, for the progress line.
    total_steps
        Steps of the whole training.
    progress
        Is kept up to date.
    interval
        Seconds between progress lines.
    """

    def __init__(
        self,
        path: Path,
        label: str,
        total_steps: int,
        progress: TrainingProgress | None = None,
        interval: float = 60.0,
    ) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._file: IO[str] = path.open("w", encoding="utf-8")
        self._label, self._total, self._interval = label, total_steps, interval
        self._start = self._last = time.monotonic()
        self._first_step = 0
        self._metrics: dict[str, float] = {}
        self._progress = progress or TrainingProgress()
        self._progress.steps = total_steps

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, step: int, **metrics: float) -> None:
        """Record the metrics of a step (counted from 1): numbers, or scalars on any device.

        Raises
        ------
        TrainingError
            A metric is NaN, infinite or no number.
        """
        step = int(step)
        metrics = {name: self._number(name, value) for name, value in metrics.items()}
        for name, value in metrics.items():
            if not abs(value) < float("inf"):
                raise TrainingError(
                    "Training diverged (NaN or infinity).",
                    where=f"{self._label}, step {step} of {self._total}",
                    got=f"{name} {value}",
                    fix="lower the learning rate or change the seed in the config, then run again",
                )
        self._file.write(json.dumps({"step": step, **metrics}) + "\n")
        self._file.flush()
        self._metrics = metrics
        self.passed(step)

    def _number(self, name: str, value: object) -> float:
        if isinstance(value, int | float):
            return value
        try:
            plain: Any = value.detach() if isinstance(value, Tensor) else value
            return float(plain)
        except (TypeError, ValueError, RuntimeError) as error:
            raise TrainingError(
                "A metric is no number.",
                where=f"{self._label}, log.write({name}=...)",
                got=f"{type(value).__name__}: {value}",
                fix="write numbers, or tensors and arrays of one number",
            ) from error

    def passed(self, step: int) -> None:
        """Print a progress line, with the latest recorded metrics, if one is due after a step."""
        now = time.monotonic()
        self._progress.step = step
        done = step - self._first_step
        if done <= 0 or now <= self._start:
            return  # without a rate
        rate = done / (now - self._start)
        self._progress.seconds_left = (self._total - step) / rate
        self._progress.seconds_per_step = 1 / rate
        if now - self._last < self._interval:
            return
        self._last = now
        values = " ".join(f"{name} {value:.4g}" for name, value in self._metrics.items())
        self._print(
            f"step {step}/{self._total}, {rate:.3g} steps/s, "
            f"{self._progress.seconds_left:.0f} s left; {values}"
        )

    def text(self) -> str:
        """Return everything recorded so far, for a checkpoint."""
        return self._path.read_text(encoding="utf-8")

    def resume(self, step: int, text: str) -> None:
        """Continue after a step, with what `text` returned then, and print so.

        The rate and the time left count from here.
        """
        self._file.write(text)
        self._file.flush()
        self._first_step, self._start = step, time.monotonic()
        self._progress.step = step
        self._print(f"resumed from step {step} of {self._total}")

    def _print(self, line: str) -> None:
        print(f"{self._label}: {line}", file=sys.stderr, flush=True)
