"""Random embeddings of episodes, small perceptrons, and what a softmax identifies of logits."""

from typing import Any

import numpy as np

from cactus.evaluate.baselines.mlp import Perceptron


def clustered_episodes(
    *,
    tasks: int = 6,
    way: int = 5,
    shot: int = 3,
    query: int = 4,
    dims: int = 16,
    noise: float = 1.0,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Return support and query embeddings around a random center per class."""
    generator = np.random.default_rng(seed)
    centers = generator.normal(size=(tasks, way, 1, dims))
    points = centers + noise * generator.normal(size=(tasks, way, shot + query, dims))
    points = points.astype(np.float32)
    return points[:, :, :shot], points[:, :, shot:]


def perceptron(**changes: float) -> Perceptron:
    """Return a perceptron's settings."""
    values: dict[str, Any] = {
        "hidden_units": 128, "dropout": 0.5, "learning_rate": 1e-3, "epochs": 500, "l2": 0.0,
    }  # fmt: skip
    return Perceptron(**values | changes)


def centered(logits: np.ndarray) -> np.ndarray:
    """Return logits (..., way) of sum zero: a softmax leaves a constant per point free."""
    result: np.ndarray = logits - logits.mean(axis=-1, keepdims=True)
    return result
