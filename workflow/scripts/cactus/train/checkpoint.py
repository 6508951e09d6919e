"""Checkpoints of a training: written atomically, and tied to what is being trained."""

import hashlib
import io
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import torch

from cactus.errors import CactusError
from cactus.files import atomic_path
from cactus.train.metrics import TrainingProgress
from cactus.train.stop import StopRequest

_KEPT: Final = 2
# A checkpoint is not to blame for these.
_NO_MEMORY: Final = (MemoryError, torch.OutOfMemoryError, torch.AcceleratorError)


class Checkpoints:
    """The checkpoints of one job, in a folder that no other process writes to.

    A file ``step-<step>.ckpt`` is a line of JSON, with the fingerprint, the sha256 of what follows
    it and the steps done and to do, and a state written by `torch.save`. The last two are kept.

    Parameters
    ----------
    folder
        Their folder, created when the first is saved.
    fingerprint
        Identifies everything that the states depend on; a checkpoint with another is not used.
    seconds, steps
        Save when this much time or this many steps have passed since the last; None for never.
    stop
        Request to stop; the state is saved before the job stops. A training that calls `reached`
        must run in ``stop.deferred()``.
    clock
        A monotonic clock, in seconds.
    check
        Raises an error if this process may not write anymore; called just before each write.
    """

    def __init__(
        self,
        folder: Path,
        fingerprint: str,
        *,
        seconds: float | None,
        steps: int | None,
        stop: StopRequest,
        clock: Callable[[], float] = time.monotonic,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self.stop = stop
        self.progress = TrainingProgress()  # the training's metrics log keeps it up to date
        # Steps from which it resumed, this time and before, as far as its result depends on them.
        self.resumed_from: list[int] = []
        self._folder, self._fingerprint = folder, fingerprint
        self._seconds, self._steps, self._clock = seconds, steps, clock
        self._last_time, self._last_step = clock(), 0
        self._check = check

    def restore(
        self,
        take_over: Callable[[dict[str, Any]], None] = lambda _: None,
        current: Callable[[], dict[str, Any]] = dict,
    ) -> dict[str, Any] | None:
        """Return the newest usable state, its tensors on the CPU, or None if there is none.

        Files that are damaged, unfinished or have another fingerprint, and those that the training
        cannot take over, are deleted; standard error says which, and why.

        Parameters
        ----------
        take_over
            Makes the training continue from a state. If it fails, an older state is taken over, and
            at last the one that the training had before.
        current
            Returns the state that the training has now.
        """
        for unfinished in self._folder.glob(".step-*"):
            unfinished.unlink(missing_ok=True)
        before = None
        for path in self._newest_first():
            try:
                content = _read(path, self._fingerprint)
                before = before or _packed({"state": current()})
                _try(take_over, content["state"])
            except (OSError, ValueError) as error:
                _report(f"deleting checkpoint {path}, which cannot be used: {error}")
                path.unlink(missing_ok=True)
                continue
            self._delete_old()
            self.resumed_from = [*content["resumed_from"], content["step"]]
            self._last_time, self._last_step = self._clock(), content["step"]
            state: dict[str, Any] = content["state"]
            return state
        if before:
            _report("starting over")
            take_over(_unpacked(before)["state"])
        return None

    def reached(self, step: int, state: Callable[[], dict[str, Any]]) -> None:
        """Save the state after a step if a checkpoint is due or a stop was requested.

        Parameters
        ----------
        step
            Steps done.
        state
            Returns all that the next steps and the results depend on: tensors on any device,
            numbers, strings, and lists and dicts of these.

        Raises
        ------
        StoppedError
            A stop was requested; the state has been saved.
        StorageError
            The checkpoint cannot be written. Earlier ones are unchanged.
        LeaseError
            Another process has taken over the training; nothing was saved.
        """
        if not (self.stop.requested or self._is_due(step)):
            return
        self._save(step, state())
        if self.stop.requested:
            raise self.stop.error(step)

    def _is_due(self, step: int) -> bool:
        waited, done = self._clock() - self._last_time, step - self._last_step
        by_time = self._seconds is not None and waited >= self._seconds
        return by_time or (self._steps is not None and done >= self._steps)

    def _save(self, step: int, state: dict[str, Any]) -> None:
        payload = _packed({"step": step, "resumed_from": self.resumed_from, "state": state})
        digest = hashlib.sha256(payload).hexdigest()
        header = json.dumps(
            {
                "fingerprint": self._fingerprint,
                "sha256": digest,
                "step": step,
                "steps": self.progress.steps,
            }
        )
        self._check()
        with (
            atomic_path(self._folder / f"step-{step:09d}.ckpt") as temporary,
            temporary.open("wb") as file,
        ):
            file.write(header.encode() + b"\n")
            file.write(payload)
            self._check()  # writing takes long enough to be stopped in it
        self._delete_old()
        self._last_time, self._last_step = self._clock(), step

    def _delete_old(self) -> None:
        for old in self._newest_first()[_KEPT:]:
            old.unlink(missing_ok=True)

    def _newest_first(self) -> list[Path]:
        return sorted(self._folder.glob("step-*.ckpt"), reverse=True)


def _read(path: Path, fingerprint: str) -> dict[str, Any]:
    """Read a checkpoint; a ValueError says what is wrong with it."""
    header, _, payload = path.read_bytes().partition(b"\n")
    try:
        facts = json.loads(header)
        found, digest = str(facts["fingerprint"]), str(facts["sha256"])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError("its first line is damaged") from error
    if found != fingerprint:
        raise ValueError("it belongs to other code, configuration or data")
    if hashlib.sha256(payload).hexdigest() != digest:
        raise ValueError("its content is damaged: the sha256 differs from its first line")
    try:
        content = _unpacked(payload)
    except _NO_MEMORY:
        raise
    except Exception as error:  # PyTorch's reader has no error of its own
        raise ValueError(f"PyTorch cannot read its content ({type(error).__name__})") from error
    step, before = content.get("step"), content.get("resumed_from")
    counted = isinstance(before, list) and all(type(one) is int for one in [step, *before])
    if not counted or not isinstance(content.get("state"), dict):
        raise ValueError("its content is not that of a checkpoint")
    return content


def _packed(content: dict[str, Any]) -> memoryview:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getbuffer()


def _unpacked(payload: bytes | memoryview) -> dict[str, Any]:
    return dict(torch.load(io.BytesIO(payload), "cpu", weights_only=True))


def _try(take_over: Callable[[dict[str, Any]], None], state: dict[str, Any]) -> None:
    """Take over a state; a ValueError says why the training cannot."""
    try:
        take_over(state)
    except (CactusError, *_NO_MEMORY):
        raise  # the state is not to blame
    except Exception as error:  # a state of another form fails wherever it is used
        why = " ".join(str(error).split())[:200]
        raise ValueError(f"it does not fit the training: {type(error).__name__}: {why}") from error


def _report(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
