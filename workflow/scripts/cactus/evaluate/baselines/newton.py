"""Many small multinomial logistic regressions, solved to their optimum at once.

For each task the objective is ``sum_i CE_i + |W|^2 / (2 C)`` in weights W (d, K) and biases b (K);
the biases carry no penalty. Newton's method takes its direction from conjugate gradients and its
step length from a backtracking line search (Nocedal and Wright, "Numerical Optimization", 2006,
algorithm 7.1). There is no preconditioner: Boehning's bound on the Hessian pays at 1 shot, but at
many shots and a high C it is loose, and takes far more time than it saves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from cactus.errors import TrainingError

Array = npt.NDArray[np.float64]

_DIRECTION_STEPS = 500  # of conjugate gradients; a truncated direction still leads downhill
_HALVINGS = 40
_FORCING = 0.1  # largest relative residual of a Newton direction
_SUFFICIENT = 1e-4  # share of the predicted decrease that a step must achieve
_ROUNDING = 1e-11  # relative increase of the objective that counts as rounding


@dataclass(frozen=True)
class _Problem:
    """T regressions on reduced features.

    Attributes
    ----------
    design
        (T, n, r) features with a last column of ones.
    penalty
        (r, 1) weight of half the squared coefficients, 0 for the biases.
    targets
        (n, K) one-hot labels.
    """

    design: Array
    penalty: Array
    targets: Array

    @classmethod
    def build(cls, features: Array, targets: Array, c: float) -> Self:
        design = np.concatenate([features, np.ones((*features.shape[:2], 1))], axis=2)
        penalty = np.full((design.shape[2], 1), 1 / c)
        penalty[-1] = 0.0
        return cls(design, penalty, targets)

    def select(self, kept: npt.NDArray[np.bool_]) -> "_Problem":
        return _Problem(self.design[kept], self.penalty, self.targets)

    def value(self, coefficients: Array) -> Array:
        """Return the objective (T,)."""
        logits = self.design @ coefficients
        top = logits.max(axis=-1, keepdims=True)
        log_sums = np.log(np.exp(logits - top).sum(axis=-1)) + top[..., 0]
        loss = log_sums - (logits * self.targets).sum(axis=-1)
        squares = self.penalty * coefficients**2
        result: Array = loss.sum(axis=-1) + 0.5 * squares.sum(axis=(1, 2))
        return result

    def probabilities(self, coefficients: Array) -> Array:
        """Return the class probabilities (T, n, K)."""
        logits = self.design @ coefficients
        powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
        result: Array = powers / powers.sum(axis=-1, keepdims=True)
        return result

    def gradient(self, probabilities: Array, coefficients: Array) -> Array:
        """Return the gradient (T, r, K)."""
        residuals = probabilities - self.targets
        return self.design.swapaxes(1, 2) @ residuals + self.penalty * coefficients

    def curvature(self, probabilities: Array, direction: Array) -> Array:
        """Return the Hessian times a direction (T, r, K)."""
        change = probabilities * (self.design @ direction)
        change -= probabilities * change.sum(axis=-1, keepdims=True)
        return self.design.swapaxes(1, 2) @ change + self.penalty * direction


def fit_logistic(
    features: Array, targets: Array, c: Sequence[float], tolerance: float, max_iterations: int
) -> tuple[Array, Array]:
    """Fit one multinomial logistic regression per task and C.

    The lowest C starts from zero, every other one from the optimum of the next lower C.

    Parameters
    ----------
    features
        (T, n, d) features.
    targets
        (n, K) one-hot labels, the same for all tasks.
    c
        V weights of the summed cross-entropy relative to half the squared weights.
    tolerance
        Bound on the Euclidean norm of the gradient of the objective divided by n.
    max_iterations
        Largest number of Newton steps.

    Returns
    -------
    weights
        (V, T, d, K); at the optimum they sum to zero over the classes.
    biases
        (V, T, K); they sum to zero over the classes.

    Raises
    ------
    TrainingError
        A task did not converge.
    """
    reduced, basis = _reduce(features)
    tasks, points, rank = reduced.shape
    last = np.zeros((tasks, rank + 1, targets.shape[1]))
    optima = {}
    for value in sorted(c):
        problem = _Problem.build(reduced, targets, value)
        last = optima[value] = _minimize(problem, last, tolerance * points, max_iterations)
    coefficients = np.stack([optima[value] for value in c])
    weights, biases = coefficients[..., :-1, :], coefficients[..., -1, :]
    return (weights if basis is None else basis @ weights), biases


def _reduce(features: Array) -> tuple[Array, Array | None]:
    """Express the features in an orthonormal basis of their span, which contains the optimum."""
    _, points, dims = features.shape
    if points >= dims:
        return features, None
    basis, triangle = np.linalg.qr(features.swapaxes(1, 2))
    return triangle.swapaxes(1, 2), basis


def _minimize(problem: _Problem, start: Array, tolerance: float, max_iterations: int) -> Array:
    tasks = len(start)
    result = np.zeros_like(start)
    active, current = np.arange(tasks), start
    for _ in range(max_iterations + 1):
        probabilities = problem.probabilities(current)
        gradient = problem.gradient(probabilities, current)
        going = ~(np.sqrt((gradient**2).sum(axis=(1, 2))) <= tolerance)
        result[active[~going]] = current[~going]
        if not going.any():
            return result
        active, current, problem = active[going], current[going], problem.select(going)
        probabilities, gradient = probabilities[going], gradient[going]
        direction = _newton_direction(problem, probabilities, gradient)
        current = _step(problem, current, gradient, direction)
    raise TrainingError(
        "Logistic regression did not converge.",
        where=f"{len(active)} of {tasks} episodes",
        got=f"a gradient norm above {tolerance:.3g} after {max_iterations} Newton steps",
        fix="raise baselines.linear.tolerance or max_iterations, or lower baselines.linear.c",
    )


def _newton_direction(problem: _Problem, probabilities: Array, gradient: Array) -> Array:
    """Solve Hessian x direction = -gradient by conjugate gradients.

    The relative residual to reach shrinks with the gradient, so that Newton's method converges
    faster than linearly. Solved tasks keep their direction while the others continue.
    """
    direction = np.zeros_like(gradient)
    search = residual = _centered(-gradient)
    size = _dot(residual, residual)
    target = size * np.minimum(_FORCING**2, size)
    going = size > target
    for _ in range(_DIRECTION_STEPS):
        curved = problem.curvature(probabilities, search)
        bend = _dot(search, curved)
        going &= bend > 0
        if not going.any():
            break
        length = np.where(going, size / np.where(going, bend, 1.0), 0.0)
        direction = direction + length * search
        residual = _centered(residual - length * curved)
        last, size = size, np.where(going, _dot(residual, residual), size)
        search = residual + np.where(going, size / np.where(going, last, 1.0), 0.0) * search
        going &= size > target
    return direction


def _step(problem: _Problem, current: Array, gradient: Array, direction: Array) -> Array:
    """Step along the direction; halve the step until the objective decreases enough."""
    start, slope = problem.value(current), _dot(gradient, direction)[:, 0, 0]
    slack = _ROUNDING * (1 + np.abs(start))
    length = np.ones((len(current), 1, 1))
    for _ in range(_HALVINGS):
        bound = start + _SUFFICIENT * length[:, 0, 0] * slope + slack
        short = problem.value(current + length * direction) <= bound
        if short.all():
            break
        length[~short] *= 0.5
    return current + length * direction


def _centered(residual: Array) -> Array:
    """Return a residual (T, r, K) minus its mean over the classes, which is zero but for rounding.

    A bias common to all classes does not change the objective, so rounding could make it drift.
    """
    result: Array = residual - residual.mean(axis=-1, keepdims=True)
    return result


def _dot(first: Array, second: Array) -> Array:
    """Return the inner products of (T, r, K) arrays as (T, 1, 1)."""
    result: Array = np.einsum("trk,trk->t", first, second)[:, None, None]
    return result
