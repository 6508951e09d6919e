"""The baselines written down slowly: loops over episodes, queries and points, in float64."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
LabelOne = Callable[[Array, Array], int]


def points_and_labels(support: Array) -> tuple[list[Array], list[int]]:
    """Return the points of a support (way, shot, d) one by one, and their labels."""
    pairs = [(point.astype(float), label) for label, row in enumerate(support) for point in row]
    return [point for point, _ in pairs], [label for _, label in pairs]


def distance(one: Array, other: Array) -> float:
    """Return the squared Euclidean distance, dimension by dimension."""
    return sum((float(a) - float(b)) ** 2 for a, b in zip(one, other, strict=True))


def label_queries(support: Array, query: Array, label_one: LabelOne) -> Array:
    """Label the queries (T, way, query, d) of each episode one by one."""
    labels = np.empty(query.shape[:3], int)
    for task, way, image in np.ndindex(labels.shape):
        labels[task, way, image] = label_one(support[task], query[task, way, image])
    return labels


def nearest_neighbors(neighbors: int) -> LabelOne:
    """Return a function that labels a query by the vote of its neighbors."""

    def label_one(support: Array, point: Array) -> int:
        points, labels = points_and_labels(support)
        order = sorted(range(len(points)), key=lambda i: (distance(points[i], point), i))
        votes = [labels[i] for i in order[:neighbors]]
        return min(set(votes), key=lambda label: (-votes.count(label), label))

    return label_one


def cluster_matching(centroids: Array) -> LabelOne:
    """Return a function that labels a query by the nearest cluster with a name."""

    def nearest(point: Array, clusters: Iterable[int]) -> int:
        return min(clusters, key=lambda k: (distance(centroids[k], point), k))

    def label_one(support: Array, point: Array) -> int:
        votes: dict[int, list[int]] = {}
        for example, label in zip(*points_and_labels(support), strict=True):
            votes.setdefault(nearest(example, range(len(centroids))), []).append(label)
        own = votes[nearest(point, votes)]
        return min(set(own), key=lambda label: (-own.count(label), label))

    return label_one


def _softmax(logits: Array) -> Array:
    powers = [np.exp(value - max(logits)) for value in logits]
    return np.array([power / sum(powers) for power in powers])


def logistic_logits(support: Array, query: Array, c: float) -> Array:
    """Return the logits (way * query, way) of one episode at the optimum of the regression.

    Newton's method on all weights and biases at once, with the gradient and the Hessian summed
    example by example. The Hessian gets a little weight on a bias common to all classes, which
    the objective does not see.
    """
    points, labels = points_and_labels(support)
    way, dims = len(support), len(points[0])
    coefficients = np.zeros((way, dims + 1))
    penalty = np.diag([1 / c] * dims + [0.0])
    for _ in range(60):
        gradient = coefficients @ penalty
        hessian = np.kron(np.eye(way), penalty)
        for point, label in zip(points, labels, strict=True):
            row = np.append(point, 1.0)
            share = _softmax(coefficients @ row)
            gradient += np.outer(share - np.eye(way)[label], row)
            hessian += np.kron(np.diag(share) - np.outer(share, share), np.outer(row, row))
        common = np.tile([0.0] * dims + [1.0], way)
        hessian += np.outer(common, common)
        step = np.linalg.solve(hessian, gradient.ravel()).reshape(way, dims + 1)
        length = min(1.0, 1.0 / np.abs(step).max())
        coefficients -= length * step
        if np.abs(step).max() < 1e-12:
            break
    queries = query.reshape(-1, dims).astype(float)
    logits = np.stack([coefficients @ np.append(point, 1.0) for point in queries])
    centered: Array = logits - logits.mean(axis=1, keepdims=True)
    return centered


def perceptron_logits(
    network: Any, inputs: Array, targets: Array, masks: Iterable[Array], *, rate: float, l2: float
) -> Callable[[Array], Array]:
    """Train a copy of a network's weights, one dropout mask (n, h) a step; return its logits.

    Backpropagation example by example, then Adam as in Kingma and Ba's algorithm 1.
    """
    values = [array.astype(float).copy() for array in (*network.weights, *network.biases)]
    firsts, seconds = ([np.zeros_like(value) for value in values] for _ in range(2))
    for step, mask in enumerate(masks, start=1):
        slopes = _slopes(values, inputs, targets, mask)
        for layer in (0, 1):
            slopes[layer] += l2 * values[layer]
        for value, slope, first, second in zip(values, slopes, firsts, seconds, strict=True):
            first[:] = 0.9 * first + 0.1 * slope
            second[:] = 0.999 * second + 0.001 * slope**2
            corrected = first / (1 - 0.9**step), second / (1 - 0.999**step)
            value -= rate * corrected[0] / (np.sqrt(corrected[1]) + 1e-8)
    return lambda point: np.maximum(point @ values[0] + values[2], 0) @ values[1] + values[3]


def _slopes(values: Sequence[Array], inputs: Array, targets: Array, mask: Array) -> list[Array]:
    """Return the gradients of the mean cross-entropy."""
    slopes = [np.zeros_like(value) for value in values]
    for point, target, factors in zip(inputs, targets, mask, strict=True):
        before = point @ values[0] + values[2]
        hidden = np.maximum(before, 0) * factors
        error = (_softmax(hidden @ values[1] + values[3]) - target) / len(inputs)
        below = (values[1] @ error) * factors * (before > 0)
        for slope, part in zip(
            slopes, (np.outer(point, below), np.outer(hidden, error), below, error), strict=True
        ):
            slope += part
    return slopes
