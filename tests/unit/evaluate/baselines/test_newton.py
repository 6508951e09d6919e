import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cactus.errors import TrainingError
from cactus.evaluate.baselines.newton import fit_logistic


def stationarity(
    features: np.ndarray, targets: np.ndarray, c: float, weights: np.ndarray, biases: np.ndarray
) -> float:
    """Return the largest norm, over tasks, of the objective's gradient divided by n."""
    norms = []
    for x, w, b in zip(features, weights, biases, strict=True):
        logits = x @ w + b
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        residuals = powers / powers.sum(axis=1, keepdims=True) - targets
        gradient = np.vstack([x.T @ residuals + w / c, residuals.sum(axis=0)])
        norms.append(np.linalg.norm(gradient) / len(x))
    return max(norms)


@settings(max_examples=40, deadline=None)
@given(
    way=st.integers(2, 6),
    shot=st.integers(1, 5),
    dims=st.integers(1, 40),
    log_scale=st.floats(-3, 3),
    log_c=st.floats(-3, 3),
    seed=st.integers(0, 1000),
)
def test_gradient_vanishes_at_any_scale(
    way: int, shot: int, dims: int, log_scale: float, log_c: float, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    features = 10**log_scale * generator.normal(size=(3, way * shot, dims))
    targets, c = np.eye(way)[np.repeat(np.arange(way), shot)], 10**log_c
    (weights,), (biases,) = fit_logistic(features, targets, [c], 1e-6, 200)
    assert stationarity(features, targets, c, weights, biases) <= 1.1e-6
    np.testing.assert_allclose(weights.sum(axis=2), 0, atol=1e-6 * max(1.0, abs(weights).max()))
    np.testing.assert_allclose(biases.sum(axis=1), 0, atol=1e-6 * max(1.0, abs(biases).max()))


@pytest.mark.parametrize("dims", [3, 30])
def test_equal_and_zero_features_are_solved(dims: int) -> None:
    targets = np.eye(3)[[0, 0, 1, 1, 2]]
    row = np.random.default_rng(0).normal(size=dims)
    features = np.stack([np.zeros((5, dims)), np.tile(row, (5, 1))])
    (weights,), (biases,) = fit_logistic(features, targets, [1.0], 1e-8, 100)
    assert stationarity(features, targets, 1.0, weights, biases) <= 1.1e-8
    frequencies = np.exp(biases[0]) / np.exp(biases[0]).sum()
    np.testing.assert_allclose(frequencies, [0.4, 0.4, 0.2], atol=1e-7)


@pytest.mark.parametrize("c", [0.01, 100.0])
def test_features_of_very_different_sizes_are_solved(c: float) -> None:
    """Tasks need different numbers of steps here, with residuals far above and below 1."""
    generator = np.random.default_rng(1)
    features = np.maximum(generator.normal(size=(6, 40, 60)), 0)
    features *= 10.0 ** generator.uniform(-3, 4, size=(6, 1, 60))
    targets = np.eye(8)[np.repeat(np.arange(8), 5)]
    (weights,), (biases,) = fit_logistic(features, targets, [c], 1e-6, 200)
    assert stationarity(features, targets, c, weights, biases) <= 1.1e-6


def test_a_warm_start_reaches_the_optimum() -> None:
    features = np.random.default_rng(0).normal(size=(4, 20, 30))
    targets, values = np.eye(4)[np.repeat(np.arange(4), 5)], [10.0, 0.1, 1.0]
    weights, biases = fit_logistic(features, targets, values, 1e-8, 100)
    for index, c in enumerate(values):
        found = stationarity(features, targets, c, weights[index], biases[index])
        assert found <= 1.1e-8


def test_too_few_steps_are_an_error() -> None:
    features = np.random.default_rng(0).normal(size=(4, 6, 10))
    with pytest.raises(TrainingError, match="converge") as caught:
        fit_logistic(features, np.eye(3)[[0, 0, 1, 1, 2, 2]], [100.0], 1e-12, 1)
    assert caught.value.where == "4 of 4 episodes"
