"""What holds for every baseline."""

from collections.abc import Callable

import numpy as np
import pytest

from cactus.evaluate.baselines.base import Baseline, flatten, support_labels
from cactus.evaluate.baselines.cluster_matching import ClusterMatching
from cactus.evaluate.baselines.knn import NearestNeighbors
from cactus.evaluate.baselines.linear import LogisticRegression
from cactus.evaluate.baselines.mlp import MlpClassifier
from tests.unit.evaluate.cases import clustered_episodes, perceptron


def make_mlp() -> Baseline:
    return MlpClassifier([perceptron(epochs=25)], 0)


def make_cluster_matching() -> Baseline:
    return ClusterMatching(np.random.default_rng(5).normal(size=(40, 16)))


MAKERS: dict[str, Callable[[], Baseline]] = {
    "knn 1": lambda: NearestNeighbors([1]),
    "knn 4": lambda: NearestNeighbors([4]),
    "linear": lambda: LogisticRegression([1.0], 1e-6, 100),
    "mlp": make_mlp,
    "cluster matching": make_cluster_matching,
}


@pytest.fixture(params=MAKERS)
def make(request: pytest.FixtureRequest) -> Callable[[], Baseline]:
    return MAKERS[request.param]


def test_labels_have_the_shape_of_the_queries(make: Callable[[], Baseline]) -> None:
    labels = make().predict(*clustered_episodes())
    assert labels.shape == (1, 6, 5, 4)
    assert labels.dtype == np.int64
    assert set(np.unique(labels)) <= set(range(5))


def test_a_query_is_labeled_alone(make: Callable[[], Baseline]) -> None:
    """No label depends on another query, nor on the class under which a query is filed."""
    support, query = clustered_episodes(noise=1.5)
    expected = make().predict(support, query).reshape(6, 20)
    order = np.random.default_rng(1).permutation(20)
    shuffled = query.reshape(6, 20, 16)[:, order].reshape(query.shape)
    np.testing.assert_array_equal(
        make().predict(support, shuffled).reshape(6, 20), expected[:, order]
    )
    single = make().predict(support, query[:, :, :1]).reshape(6, 5)
    np.testing.assert_array_equal(single, expected.reshape(6, 5, 4)[:, :, 0])


def test_an_episode_is_scored_alone(make: Callable[[], Baseline]) -> None:
    support, query = clustered_episodes(tasks=11, noise=1.5)
    baseline = make()
    parts = [baseline.predict(support[cut], query[cut]) for cut in (slice(0, 4), slice(4, 11))]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), make().predict(support, query))


def test_same_input_same_labels(make: Callable[[], Baseline]) -> None:
    support, query = clustered_episodes(noise=2.0)
    np.testing.assert_array_equal(make().predict(support, query), make().predict(support, query))


@pytest.mark.parametrize("name", ["knn 1", "knn 4", "linear", "mlp"])
def test_separated_classes_are_told_apart(name: str) -> None:
    labels = MAKERS[name]().predict(*clustered_episodes(noise=0.05))
    np.testing.assert_array_equal(labels, np.broadcast_to(np.arange(5)[:, None], labels.shape))


@pytest.mark.parametrize(
    ("name", "right"),
    [("knn 1", 186), ("knn 4", 188), ("linear", 214), ("mlp", 148), ("cluster matching", 135)],
)
def test_right_labels_of_a_small_run_are_those_held_here(name: str, right: int) -> None:
    """Of 400; no speed-up changes them, but for a perceptron's single query by rounding."""
    labels = MAKERS[name]().predict(*clustered_episodes(tasks=20, noise=2.0))
    found = int((labels == np.arange(5)[:, None]).sum())
    assert abs(found - right) <= (name == "mlp")


def test_flattened_support_is_class_by_class() -> None:
    support = np.arange(2 * 3 * 2).reshape(2, 3, 2, 1).astype(np.float32)
    assert flatten(support)[1, :, 0].tolist() == [6, 7, 8, 9, 10, 11]
    assert flatten(support).dtype == np.float64
    assert support_labels(3, 2).tolist() == [0, 0, 1, 1, 2, 2]
