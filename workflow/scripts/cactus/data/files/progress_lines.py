"""Progress lines of long loops over files."""

import sys
import time

_MEGABYTE = 1_000_000


class Progress:
    """Print to standard error how far a loop has come, every few seconds and at its end.

    Parameters
    ----------
    label
        What is being done.
    total
        Steps until the end, or None if that is not known.
    unit
        What a step is: ``"images"`` or ``"bytes"``.
    interval
        Seconds between lines; a loop that takes less prints none.
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
        """Print the last line if there was any before."""
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
