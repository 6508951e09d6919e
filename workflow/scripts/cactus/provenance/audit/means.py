"""Means and intervals, with code of the audit's own."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

# Sums in different order differ by less than this, relative to numbers above 1; a printed digit is
# far larger.
ROUNDING: Final = 1e-9


def mean_and_interval(series: Sequence[Sequence[float]]) -> dict[str, float]:
    """Average series of the same length, then their values; ``ci95`` is half the interval."""
    averaged = averages(series)
    deviation = math.sqrt(squares(averaged) / len(averaged))
    return {"mean": mean(averaged), "ci95": 1.96 * deviation / math.sqrt(len(averaged))}


def averages(series: Sequence[Sequence[float]]) -> list[float]:
    """Average series of the same length, entry by entry."""
    return [mean(values) for values in zip(*series, strict=True)]


def mean(values: Sequence[float]) -> float:
    """Return the mean."""
    return math.fsum(values) / len(values)


def squares(values: Sequence[float]) -> float:
    """Return the sum of squared deviations from the mean."""
    center = mean(values)
    return math.fsum((value - center) ** 2 for value in values)


def differences(
    recorded: Mapping[str, float | str | None], right: Mapping[str, float | str | None], what: str
) -> str:
    """Return which recorded values are not the right ones, which `what` gives; empty if none."""
    wrong = [
        f"{name} {value!r}, but its {what} give {right[name]!r}"
        for name, value in recorded.items()
        if not _agree(value, right[name])
    ]
    return "; ".join(wrong)


def _agree(value: float | str | None, right: float | str | None) -> bool:
    if isinstance(value, float) and isinstance(right, float):
        return abs(value - right) <= ROUNDING * max(1.0, abs(right))
    return value == right
