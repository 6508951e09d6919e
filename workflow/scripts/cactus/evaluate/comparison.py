"""Paired comparison of two methods on the same episodes, and of many such pairs."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from cactus.errors import DataError
from cactus.evaluate.statistics import Accuracies


@dataclass(frozen=True)
class PairedComparison:
    """The mean difference of two methods over shared episodes.

    Attributes
    ----------
    tasks
        Number of episodes.
    difference
        Mean accuracy of the first method minus that of the second.
    low, high
        Student's t interval of the mean difference.
    p_value
        Two-sided p-value of the paired t-test of no difference.
    """

    tasks: int
    difference: float
    low: float
    high: float
    p_value: float


def compare_paired(
    first: Accuracies, second: Accuracies, *, level: float = 0.95
) -> PairedComparison:
    """Compare two methods on the same T episodes by the paired t-test.

    The test asks about the mean accuracy, which is what tables print. With hundreds of episodes,
    each a fraction from 0 to 1, the mean of their differences is close to normal.

    Parameters
    ----------
    first, second
        (T,) accuracies, T at least 2.
    level
        Coverage of the interval.

    Raises
    ------
    DataError
        The methods differ in their number of episodes, or have fewer than 2.
    """
    if first.shape != second.shape or first.ndim != 1 or len(first) < 2:
        raise DataError(
            "Two methods can be compared only on the same episodes, at least two of them.",
            where="the accuracies of the two methods",
            got=f"{first.shape} and {second.shape} accuracies",
            fix="evaluate both with the same number of tasks",
        )
    differences = (first - second).round(12)  # 0 where averages over seeds differ by rounding
    tasks, mean = len(differences), float(differences.mean())
    error = float(differences.std(ddof=1)) / math.sqrt(tasks)
    half = float(special.stdtrit(tasks - 1, (1 + level) / 2)) * error
    p_value = 2 * float(special.stdtr(tasks - 1, -abs(mean) / error)) if error else float(mean == 0)
    return PairedComparison(tasks, mean, mean - half, mean + half, p_value)


def shared_seeds(first: Iterable[str], second: Iterable[str]) -> list[set[str]]:
    """Return the seeds of two methods to compare: those that both have, or all if they share none.

    A method is not better for a seed that the other lacks.
    """
    seeds = [set(first), set(second)]
    shared = set.intersection(*seeds)
    return [shared or one for one in seeds]


def over_shared_seeds(
    first: Mapping[str, Accuracies], second: Mapping[str, Accuracies]
) -> list[Accuracies]:
    """Return two methods' accuracies (T,), averaged over `shared_seeds`; (T,) each by seed."""
    kept = shared_seeds(first, second)
    return [
        np.stack([accuracies for seed, accuracies in one.items() if seed in seeds]).mean(axis=0)
        for one, seeds in zip((first, second), kept, strict=True)
    ]


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p-values of a family of tests, adjusted by Holm's step-down method.

    The chance that any true null hypothesis of the family has an adjusted p-value below a level is
    at most that level, however the tests depend on each other (Holm, 1979).
    """
    values = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    factors = np.arange(len(values), 0, -1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(np.maximum.accumulate(factors * values[order]), 1.0)
    return [float(value) for value in adjusted]
