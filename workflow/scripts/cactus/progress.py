"""Metrics as JSON lines, and progress lines that read well in a log file."""

import json
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from cactus.errors import TrainingError


class MetricsLog:
    """Write one JSON object per logged step, and a progress line every minute.

    Parameters
    ----------
    path
        The JSON-lines file; it is written from the start.
    label
        What is trained, for the progress line.
    total_steps
        Steps of the whole training.
    interval
        Seconds between progress lines.
    """

    def __init__(self, path: Path, label: str, total_steps: int, interval: float = 60.0) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._file: IO[str] = path.open("w", encoding="utf-8")
        self._label, self._total, self._interval = label, total_steps, interval
        self._start = self._last = time.monotonic()
        self._first_step = 0
        self._metrics: dict[str, float] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def write(self, step: int, **metrics: float) -> None:
        """Record the metrics of a step (counted from 1).

        Raises
        ------
        TrainingError
            A metric is NaN or infinite.
        """
        for name, value in metrics.items():
            if not abs(value) < float("inf"):
                raise TrainingError(
                    f"The metric '{name}' is not a finite number.",
                    where=f"{self._label}, step {step} of {self._total}",
                    got=str(value),
                    fix="lower the learning rate or change the seed in the config, then run again",
                )
        self._file.write(json.dumps({"step": step, **metrics}) + "\n")
        self._file.flush()
        self._metrics = metrics
        self.passed(step)

    def passed(self, step: int) -> None:
        """Print a progress line, with the metrics last recorded, if one is due after this step."""
        now = time.monotonic()
        if now - self._last < self._interval:
            return
        self._last = now
        rate = (step - self._first_step) / (now - self._start)
        values = " ".join(f"{name} {value:.4g}" for name, value in self._metrics.items())
        self._print(
            f"step {step}/{self._total}, {rate:.3g} steps/s, "
            f"{(self._total - step) / rate:.0f} s left; {values}"
        )

    def text(self) -> str:
        """Return all that has been recorded, for a checkpoint."""
        return self._path.read_text(encoding="utf-8")

    def resume(self, step: int, text: str) -> None:
        """Go on after a step, with what `text` returned then; say so.

        The rate and the time left count from here.
        """
        self._file.write(text)
        self._file.flush()
        self._first_step, self._start = step, time.monotonic()
        self._print(f"resumed from step {step} of {self._total}")

    def _print(self, line: str) -> None:
        print(f"{self._label}: {line}", file=sys.stderr, flush=True)
