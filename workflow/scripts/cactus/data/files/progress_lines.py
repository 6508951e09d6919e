"""Progress lines for long loops over files."""

import sys
import time

_MEGABYTE = 1_000_000


class ProgressLines:
    """Print the progress of a loop to standard error, every few seconds and at the end.

    Parameters
    ----------
    label
        What is being done.
    total
        Total number of steps, or None if unknown.
    unit
        What a step is: ``"images"`` or ``"bytes"``.
    interval
        Seconds between lines; a shorter loop prints nothing.
    """

    def __init__(self, label: str, total: int | None, unit: str, interval: float = 10.0) -> None:
        self._label, self._total, self._unit, self._interval = label, total, unit, interval
        self._start = self._last = time.monotonic()
        self._done = 0

    def advance(self, steps: int = 1) -> None:
        """Count finished steps and print a line if one is due."""
        self._done += steps
        now = time.monotonic()
        if now - self._last >= self._interval:
            self._last = now
            self._print(now - self._start)

    def finish(self) -> None:
        """Print a last line if there were any before."""
        if self._last > self._start:
            self._print(time.monotonic() - self._start)

    def _print(self, elapsed: float) -> None:
        rate = self._done / elapsed
        scale, unit = (_MEGABYTE, "MB") if self._unit == "bytes" else (1, self._unit)
        text = f"{self._done / scale:.0f}"
        if self._total is not None:
            left = max(self._total - self._done, 0) / rate if rate else float("inf")
            text += f" of {self._total / scale:.0f}"
            unit += f", {left:.0f} s left"
        print(f"{self._label}: {text} {unit}, {rate / scale:.1f}/s", file=sys.stderr, flush=True)
