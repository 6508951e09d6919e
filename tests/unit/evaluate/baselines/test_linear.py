import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression as Peer

from cactus.evaluate.baselines.linear import LogisticRegression
from tests.unit.evaluate.cases import centered, clustered_episodes


@pytest.mark.slow
@pytest.mark.parametrize("c", [0.01, 1.0, 100.0])
@pytest.mark.parametrize(("shot", "dims"), [(1, 64), (4, 64), (4, 6), (4, 20)])
def test_optimum_is_that_of_scikit_learn(c: float, shot: int, dims: int) -> None:
    support, query = clustered_episodes(tasks=5, shot=shot, dims=dims)
    model = LogisticRegression([c], 1e-9, 100)
    logits, labels = model.logits(support, query)[0], model.predict(support, query)[0]
    for episode in range(5):
        peer = Peer(C=c, tol=1e-10, max_iter=10_000)
        peer.fit(
            support[episode].reshape(5 * shot, dims).astype(float), np.repeat(np.arange(5), shot)
        )
        points = query[episode].reshape(-1, dims).astype(float)
        expected = centered(peer.decision_function(points))
        np.testing.assert_allclose(logits[episode].reshape(-1, 5), expected, atol=1e-4)
        np.testing.assert_array_equal(labels[episode].ravel(), peer.predict(points))


def test_two_classes_are_a_softmax_too() -> None:
    """The penalty on two opposite weights u and -u is that of binomial weights 2u at 2C."""
    support, query = clustered_episodes(tasks=4, way=2, shot=5)
    logits = LogisticRegression([3.0], 1e-9, 100).logits(support, query)[0]
    for episode in range(4):
        peer = Peer(C=6.0, tol=1e-10, max_iter=10_000)
        peer.fit(support[episode].reshape(10, 16).astype(float), np.repeat([0, 1], 5))
        expected = peer.decision_function(query[episode].reshape(-1, 16).astype(float))
        found = (logits[episode, ..., 1] - logits[episode, ..., 0]).ravel()
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_regressions_side_by_side_reach_the_optimum_of_each_alone() -> None:
    support, query = clustered_episodes(noise=2.0)
    values = [10.0, 0.01, 1.0]
    logits = LogisticRegression(values, 1e-10, 100).logits(support, query)
    alone = [LogisticRegression([c], 1e-10, 100).logits(support, query)[0] for c in values]
    np.testing.assert_allclose(logits, alone, atol=1e-6)


def test_blocks_do_not_matter() -> None:
    support, query = clustered_episodes(tasks=30, way=20, shot=5, dims=200)
    model = LogisticRegression([1.0], 1e-6, 100)
    logits = model.logits(support, query)
    alone = np.concatenate([model.logits(support[[t]], query[[t]]) for t in range(30)], axis=1)
    np.testing.assert_allclose(logits, alone, atol=1e-9)
