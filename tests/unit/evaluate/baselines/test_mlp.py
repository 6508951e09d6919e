import numpy as np
import pytest

from cactus.errors import TrainingError
from cactus.evaluate.baselines.mlp import MlpClassifier, Network, NumpyAdam
from tests.unit.evaluate.cases import clustered_episodes, perceptron

POINTS, DIMS, HIDDEN, WAY = 8, 5, 7, 4
LABELS = np.repeat(np.arange(WAY), 2)
TARGETS = np.eye(WAY)[LABELS]


def random_network(seed: int = 0) -> tuple[Network, np.ndarray, np.ndarray]:
    """Return a network in double precision, inputs and a scaled dropout mask."""
    generator = np.random.default_rng(seed)
    network = Network(DIMS, HIDDEN, WAY, np.float64)
    network.parameters[:] = generator.normal(size=len(network.parameters))
    inputs = generator.normal(size=(POINTS, DIMS))
    return network, inputs, 2.0 * generator.integers(0, 2, (POINTS, HIDDEN))


def loss(network: Network, inputs: np.ndarray, scale: np.ndarray, l2: float) -> float:
    """Return the training loss by its definition, point by point."""
    (first, second), (first_bias, second_bias) = network.weights, network.biases
    total = 0.0
    for point, label, factors in zip(inputs, LABELS, scale, strict=True):
        hidden = np.maximum(point @ first + first_bias, 0) * factors
        logits = hidden @ second + second_bias
        total += np.log(np.exp(logits).sum()) - logits[label]
    return float(total / POINTS + 0.5 * l2 * ((first**2).sum() + (second**2).sum()))


def test_logits_are_those_of_two_layers() -> None:
    network, inputs, _ = random_network()
    first, second = network.weights
    hidden = np.einsum("nd,dh->nh", inputs, first) + network.biases[0]
    hidden[hidden < 0] = 0
    expected = np.einsum("nh,hk->nk", hidden, second) + network.biases[1]
    np.testing.assert_allclose(network.logits(inputs), expected, rtol=1e-12)


@pytest.mark.parametrize("l2", [0.0, 0.3])
def test_gradient_is_the_slope_of_the_loss(l2: float) -> None:
    network, inputs, scale = random_network()
    network.backward(inputs, TARGETS, scale, l2)
    step = 1e-6
    for index, slope in enumerate(network.gradient.copy()):
        values = []
        for sign in (1, -1):
            network.parameters[index] += sign * step
            values.append(loss(network, inputs, scale, l2))
            network.parameters[index] -= sign * step
        assert slope == pytest.approx((values[0] - values[1]) / (2 * step), abs=1e-8)


def test_adam_takes_the_steps_of_the_paper() -> None:
    """Kingma and Ba, algorithm 1, with both moments as they stand there."""
    generator = np.random.default_rng(0)
    parameters = generator.normal(size=20)
    expected, first, second = parameters.copy(), np.zeros(20), np.zeros(20)
    optimizer = NumpyAdam(parameters, 0.01)
    for step in range(1, 31):
        gradient = generator.normal(size=20) * 10.0 ** generator.uniform(-8, 2)
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        corrected = first / (1 - 0.9**step), second / (1 - 0.999**step)
        expected -= 0.01 * corrected[0] / (np.sqrt(corrected[1]) + 1e-8)
        optimizer.step(gradient)
        np.testing.assert_allclose(parameters, expected, rtol=1e-10, atol=1e-12)


def test_first_weights_are_glorot_uniform() -> None:
    network = Network(60, 50, 5)
    network.draw_weights(np.random.default_rng(0))
    for weights in network.weights:
        bound = (6 / sum(weights.shape)) ** 0.5
        assert abs(weights).max() <= bound
        assert weights.std() == pytest.approx(bound / 3**0.5, rel=0.1)
    assert not any(biases.any() for biases in network.biases)


def test_generator_decides_the_result() -> None:
    support, query = clustered_episodes(tasks=20, noise=3.0)
    settings = perceptron(epochs=5)

    def labels(seed: int) -> np.ndarray:
        return MlpClassifier([settings], seed).predict(support, query)

    np.testing.assert_array_equal(labels(1), labels(1))
    assert (labels(1) != labels(2)).any()


def test_more_steps_fit_the_support_better() -> None:
    support, _ = clustered_episodes(tasks=20, noise=2.0)

    def accuracy(epochs: int) -> float:
        settings = perceptron(epochs=epochs, dropout=0.2)
        labels = MlpClassifier([settings], 0).predict(support, support)
        return float((labels == np.arange(5)[:, None]).mean())

    assert accuracy(1) < 0.6 < 0.99 < accuracy(300)


def test_divergence_is_an_error() -> None:
    settings = perceptron(epochs=5, learning_rate=1e30)
    with pytest.raises(TrainingError, match="diverged"):
        MlpClassifier([settings], 0).predict(*clustered_episodes())


def test_dropout_changes_training() -> None:
    support, query = clustered_episodes(tasks=20, noise=3.0)
    settings = [perceptron(epochs=20, dropout=dropout) for dropout in (0.0, 0.8)]
    labels = MlpClassifier(settings, 0).predict(support, query)
    assert (labels[0] != labels[1]).any()


def test_networks_side_by_side_are_those_of_each_alone() -> None:
    support, query = clustered_episodes(noise=2.0)
    settings = [perceptron(epochs=9, hidden_units=units) for units in (8, 128, 30)]
    labels = MlpClassifier(settings, 3).predict(support, query)
    alone = [MlpClassifier([one], 3).predict(support, query)[0] for one in settings]
    np.testing.assert_array_equal(labels, alone)
