"""A multi-layer perceptron with dropout on the support embeddings.

The networks are so small that NumPy trains them faster on a CPU than PyTorch does, one by one or in
batches (`bench/mlp.py`). It also saves the import of PyTorch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

import numpy as np

from cactus.errors import TrainingError
from cactus.evaluate.baselines.base import FloatArray, IntArray, support_labels

# Decay of Adam's moments and the constant in its denominator, as in Kingma and Ba, "Adam", 2015.
_BETAS: Final = (0.9, 0.999)
_EPSILON: Final = 1e-8


@dataclass(frozen=True)
class Perceptron:
    """Size and training of a network; see `cactus.config.sections.evaluation.MlpSettings`."""

    hidden_units: int
    dropout: float
    learning_rate: float
    epochs: int
    l2: float


class MlpClassifier:
    """One hidden ReLU layer with dropout, trained by Adam on the full support for fixed steps.

    Each episode trains its own network. Its initial weights (uniform, Glorot and Bengio, 2010;
    biases zero) and dropout masks come from a generator, episode by episode. Predictions use the
    weights after the last step; the query set takes no part in training.

    Parameters
    ----------
    settings
        Sizes and training of the networks.
    seed
        Seed of the generators that draw initial weights and masks, one for each of the settings.
    """

    def __init__(self, settings: Sequence[Perceptron], seed: int) -> None:
        self._networks = [(one, np.random.default_rng(seed)) for one in settings]

    def predict(self, support: FloatArray, query: FloatArray) -> IntArray:
        """Return the labels (V, T, way, query) of queries (T, way, query, d).

        Raises
        ------
        TrainingError
            The training of a network diverged.
        """
        way, shot, dims = support.shape[1:]
        labels = np.empty((len(self._networks), *query.shape[:3]), dtype=np.int64)
        for task, (points, queries) in enumerate(zip(support, query, strict=True)):
            inputs = points.reshape(way * shot, dims).astype(np.float32)
            for index, (settings, generator) in enumerate(self._networks):
                network = train(inputs, support_labels(way, shot), settings, generator)
                labels[index, task] = network.logits(queries.astype(np.float32)).argmax(axis=-1)
        return labels


def train(
    inputs: FloatArray, labels: IntArray, settings: Perceptron, generator: np.random.Generator
) -> "Network":
    """Train a network on the support (n, d) of an episode, labeled from 0 to its highest label.

    Raises
    ------
    TrainingError
        The training diverged.
    """
    way = int(labels.max()) + 1
    network = Network(inputs.shape[1], settings.hidden_units, way)
    network.draw_weights(generator)
    optimizer = NumpyAdam(network.parameters, settings.learning_rate)
    targets = np.eye(way, dtype=np.float32)[labels]
    keep = np.float32(1 - settings.dropout)
    shape = len(inputs), settings.hidden_units
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(settings.epochs):
            kept = generator.random(shape, dtype=np.float32) < keep
            network.backward(inputs, targets, kept / keep, settings.l2)
            optimizer.step(network.gradient)
    if not np.isfinite(network.parameters).all():
        raise _diverged(settings)
    return network


def _diverged(settings: Perceptron) -> TrainingError:
    return TrainingError(
        "Training of a multi-layer perceptron diverged (NaN or infinity).",
        where="baselines.mlp",
        got=f"NaN or infinite weights after {settings.epochs} steps",
        fix=f"lower baselines.mlp.learning_rate, now {settings.learning_rate}",
    )


class Network:
    """A perceptron with one hidden ReLU layer, and the gradient of its training loss.

    Parameters
    ----------
    dims, hidden, way
        Sizes of the input, the hidden layer and the output.
    dtype
        Precision.

    Attributes
    ----------
    parameters, gradient
        All parameters, initially zero, and the last gradient, each as one vector. `weights`
        (d, h), (h, way) and `biases` (h,), (way,) are views of the parameters.
    """

    def __init__(self, dims: int, hidden: int, way: int, dtype: type[np.floating] = np.float32):
        shapes = [(dims, hidden), (hidden, way), (hidden,), (way,)]
        sizes = [int(np.prod(shape)) for shape in shapes]
        self.parameters: FloatArray = np.zeros(sum(sizes), dtype=dtype)
        self.gradient = np.zeros_like(self.parameters)
        ends = list(accumulate(sizes))[:-1]
        views, gradients = (
            [part.reshape(shape) for part, shape in zip(np.split(whole, ends), shapes, strict=True)]
            for whole in (self.parameters, self.gradient)
        )
        self.weights, self.biases = views[:2], views[2:]
        self._weight_gradients, self._bias_gradients = gradients[:2], gradients[2:]

    def draw_weights(self, generator: np.random.Generator) -> None:
        """Draw the weights uniformly within +-sqrt(6 / (inputs + outputs)); zero the biases."""
        self.parameters[:] = 0
        for weights in self.weights:
            bound = np.sqrt(6 / sum(weights.shape))
            weights[:] = generator.uniform(-bound, bound, weights.shape)

    def logits(self, inputs: FloatArray) -> FloatArray:
        """Return the logits (..., way) of inputs (..., d), without dropout."""
        hidden = np.maximum(inputs @ self.weights[0] + self.biases[0], 0)
        logits: FloatArray = hidden @ self.weights[1] + self.biases[1]
        return logits

    def backward(
        self, inputs: FloatArray, targets: FloatArray, scale: FloatArray, l2: float
    ) -> None:
        """Set `gradient` to the gradient of the training loss.

        The loss is the mean cross-entropy plus `l2` times half the squared weights.

        Parameters
        ----------
        inputs
            (n, d) inputs.
        targets
            (n, way) one-hot labels.
        scale
            (n, h) factors of the hidden units: the dropout mask divided by the keep probability.
        """
        hidden = inputs @ self.weights[0]
        hidden += self.biases[0]
        np.maximum(hidden, 0, out=hidden)
        hidden *= scale
        logits = hidden @ self.weights[1] + self.biases[1]
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        errors = (powers / powers.sum(axis=1, keepdims=True) - targets) / len(inputs)
        hidden_errors = errors @ self.weights[1].T
        hidden_errors *= scale
        hidden_errors *= hidden > 0
        pairs = ((inputs, hidden_errors), (hidden, errors))
        for layer, (values, layer_errors) in enumerate(pairs):
            np.matmul(values.T, layer_errors, out=self._weight_gradients[layer])
            layer_errors.sum(axis=0, out=self._bias_gradients[layer])
            if l2:
                self._weight_gradients[layer] += l2 * self.weights[layer]


class NumpyAdam:
    """Adam (Kingma and Ba, 2015) on one vector, in place.

    The moments are decayed sums g + b g' + b^2 g'' + ...; the paper's factors 1 - b are part of the
    scalars of a step.

    Parameters
    ----------
    parameters
        The vector to update.
    learning_rate
        Step size.
    """

    def __init__(self, parameters: FloatArray, learning_rate: float) -> None:
        self._parameters, self._learning_rate = parameters, learning_rate
        self._first, self._second = np.zeros_like(parameters), np.zeros_like(parameters)
        self._buffer = np.empty_like(parameters)
        self._steps = 0

    def step(self, gradient: FloatArray) -> None:
        """Take a step; `gradient` is overwritten."""
        self._steps += 1
        scales = [(1 - beta) / (1 - beta**self._steps) for beta in _BETAS]
        root = scales[1] ** 0.5
        self._first *= _BETAS[0]
        self._first += gradient
        gradient *= gradient
        self._second *= _BETAS[1]
        self._second += gradient
        step = np.sqrt(self._second, out=self._buffer)
        step += _EPSILON / root
        np.divide(self._first, step, out=step)
        step *= self._learning_rate * scales[0] / root
        self._parameters -= step
