"""Paired comparison of two methods on the same episodes."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from cactus.errors import DataError

_PERMUTATIONS = 9999
_BATCH = 1000  # permutations held in memory at once


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
        Two-sided p-value of the sign-flip permutation test of no difference.
    """

    tasks: int
    difference: float
    low: float
    high: float
    p_value: float


def compare_paired(
    first: npt.NDArray[np.float64],
    second: npt.NDArray[np.float64],
    generator: np.random.Generator,
    *,
    level: float = 0.95,
) -> PairedComparison:
    """Compare two methods on the same T episodes.

    Parameters
    ----------
    first, second
        (T,) accuracies, T at least 2.
    generator
        Draws 9999 random sign flips of the differences; all 2^T are taken if they are not more.
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
    differences = first - second
    mean, error = float(differences.mean()), float(stats.sem(differences))
    half = float(stats.t.ppf((1 + level) / 2, len(differences) - 1)) * error
    test = stats.permutation_test(
        (differences,),
        np.mean,
        permutation_type="samples",
        vectorized=True,
        n_resamples=_PERMUTATIONS,
        batch=_BATCH,
        rng=generator,
    )
    return PairedComparison(len(first), mean, mean - half, mean + half, float(test.pvalue))
