"""Faults that a process inflicts on itself at a chosen moment of a training."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cactus.files
import cactus.train.checkpoint
from cactus.train.checkpoint import Checkpoints

# After a step but before its checkpoint; and in the writing of one: when its temporary file is
# still empty, half written, whole but not renamed, renamed while older ones still lie there.
MOMENTS = ("step", "empty", "half", "whole", "renamed")


@dataclass(frozen=True)
class Fault:
    """A signal that the process sends itself.

    Attributes
    ----------
    moment
        One of `MOMENTS`.
    count
        Which such moment of the process, from 1.
    signal
        Its number.
    """

    moment: str
    count: int
    signal: int = signal.SIGKILL


def inflict(fault: Fault) -> None:
    """Lie in wait: put the fault around the functions that this process is going to call."""
    left = fault.count

    def strike() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), fault.signal)

    match fault.moment:
        case "step":
            _before_each_step(strike)
        case "empty":
            _in_each_empty_file(strike)
        case _:
            _at_each_flush(fault.moment, strike)


def _before_each_step(strike: Callable[[], None]) -> None:
    reached = Checkpoints.reached

    def struck(self: Checkpoints, step: int, state: Callable[[], dict[str, Any]]) -> None:
        strike()
        reached(self, step, state)

    Checkpoints.reached = struck  # type: ignore[method-assign]


def _in_each_empty_file(strike: Callable[[], None]) -> None:
    atomic_path = cactus.files.atomic_path

    @contextmanager
    def struck(path: Path, *, flush: bool = True) -> Iterator[Path]:
        with atomic_path(path, flush=flush) as temporary:
            strike()
            yield temporary

    cactus.train.checkpoint.atomic_path = struck  # type: ignore[attr-defined]


def _at_each_flush(moment: str, strike: Callable[[], None]) -> None:
    flush = cactus.files._flush_to_disk

    def struck(path: Path) -> None:
        unfinished = path.name.startswith(".step-")
        if moment == "half" and unfinished:
            content = path.read_bytes()
            os.truncate(path, len(content) // 2)
            strike()
            path.write_bytes(content)
        if moment == "whole" and unfinished:
            strike()
        if moment == "renamed" and path.name == "checkpoints":
            strike()
        flush(path)

    cactus.files._flush_to_disk = struck
