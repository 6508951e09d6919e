"""Checkpoints for tests of training."""

from pathlib import Path

from cactus.train.checkpoint import Checkpoints
from cactus.train.stop import StopRequest


def every(folder: Path, steps: int | None, seconds: float | None = None) -> Checkpoints:
    """Return checkpoints below `folder` that are saved every so many steps or seconds."""
    stop = StopRequest("test")
    return Checkpoints(folder / "checkpoints", "test", seconds=seconds, steps=steps, stop=stop)


def none(folder: Path) -> Checkpoints:
    """Return checkpoints of which none is saved."""
    return every(folder, None)
