"""Requests to stop (SIGTERM, SIGINT or SIGHUP) that leave a job time to save its work."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final, Self

from cactus.errors import StoppedError

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
# Slurm and terminals signal every process of a job, and Snakemake forwards what it receives, so
# several signals within this time are one request. [seconds]
_BURST: Final = 3.0


class StopRequest:
    """Turns SIGTERM, SIGINT and SIGHUP into a `StoppedError` while the block runs.

    The error is raised at once. Inside `deferred`, a first request is only noted, and the block
    polls for it; a second request always raises. Only the main thread may enter.

    Parameters
    ----------
    job
        Name of the job, for the error.
    clock
        A monotonic clock, in seconds.
    """

    def __init__(self, job: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._job, self._clock = job, clock
        self._first: float | None = None
        self._name = ""
        self._deferring = False
        self._before: dict[signal.Signals, Any] = {}

    @property
    def requested(self) -> bool:
        """Whether a signal has arrived."""
        return self._first is not None

    def __enter__(self) -> Self:
        # SIGHUP tells of a closed terminal; nohup ignores it so that the job goes on.
        handled = (
            number
            for number in _SIGNALS
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN
        )
        self._before = {number: signal.signal(number, self._handle) for number in handled}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Defer a first request while the block runs; the block polls `requested`.

        Raises
        ------
        StoppedError
            The block ended without acting on a request.
        """
        self._deferring = True
        try:
            yield
        finally:
            self._deferring = False
        if self.requested:
            raise self.error()

    def error(self, step: int | None = None) -> StoppedError:
        """Return the error that ends the job.

        Parameters
        ----------
        step
            The step whose checkpoint was just saved, if any.
        """
        future = "it resumes from its last checkpoint, or starts over if it has none"
        if step is not None:
            future = f"it resumes from step {step}"
        return StoppedError(
            "The job was asked to stop.",
            where=self._job if step is None else f"{self._job}, after step {step}",
            got=self._name,
            fix=f"run the workflow again: {future}",
        )

    def _handle(self, number: int, frame: FrameType | None) -> None:
        del frame
        now = self._clock()
        if self._first is None:
            self._first, self._name = now, signal.Signals(number).name
            if self._deferring:
                return
        elif now - self._first < _BURST:
            return
        raise self.error()
