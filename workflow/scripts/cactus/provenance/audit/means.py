"""Means and intervals, with code of the audit's own."""

import math
from collections.abc import Sequence
from typing import Final

# Sums in different order differ by less than this, relative to numbers above 1; a printed digit is
# far larger.
_ROUNDING: Final = 1e-9


def mean_and_interval(series: Sequence[Sequence[float]]) -> dict[str, float]:
    """Average series of the same length, then their values; ``ci95`` is half the interval."""
    averaged = [math.fsum(values) / len(values) for values in zip(*series, strict=True)]
    mean = math.fsum(averaged) / len(averaged)
    variance = math.fsum((value - mean) ** 2 for value in averaged) / len(averaged)
    return {"mean": mean, "ci95": 1.96 * math.sqrt(variance / len(averaged))}


def differences(recorded: dict[str, float], right: dict[str, float], what: str) -> str:
    """Return which recorded numbers are not the right ones, which `what` gives; empty if none."""
    wrong = [
        f"{name} {value!r}, but its {what} give {right[name]!r}"
        for name, value in recorded.items()
        if not abs(value - right[name]) <= _ROUNDING * max(1.0, abs(right[name]))
    ]
    return "; ".join(wrong)
