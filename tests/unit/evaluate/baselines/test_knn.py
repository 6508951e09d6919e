import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from cactus.errors import EpisodeError
from cactus.evaluate.baselines.knn import NearestNeighbors
from tests.unit.evaluate.cases import clustered_episodes


@pytest.mark.parametrize(("way", "shot"), [(5, 3), (2, 5), (20, 5)])
def test_labels_are_those_of_scikit_learn(way: int, shot: int) -> None:
    """Tied votes are common here; tied distances, for which it has no rule, do not occur."""
    values = [k for k in (20, 1, 2, 3, 5, 10, 50) if k <= way * shot]
    support, query = clustered_episodes(tasks=20, way=way, shot=shot, noise=2.0)
    labels = NearestNeighbors(values).predict(support, query)
    for index, neighbors in enumerate(values):
        for episode in range(20):
            peer = KNeighborsClassifier(neighbors)
            peer.fit(support[episode].reshape(-1, 16), np.repeat(np.arange(way), shot))
            expected = peer.predict(query[episode].reshape(-1, 16))
            np.testing.assert_array_equal(labels[index, episode].ravel(), expected)


def test_equal_distances_go_to_the_first_class() -> None:
    support = np.array([[[[1.0]], [[-1.0]], [[3.0]]]])
    query = np.array([[[[0.0]], [[2.0]], [[-0.1]]]])
    assert NearestNeighbors([1]).predict(support, query).ravel().tolist() == [0, 0, 1]


def test_equal_points_are_equally_far() -> None:
    point = np.random.default_rng(0).normal(size=(1, 1, 1, 300)).astype(np.float32)
    support = np.tile(point, (1, 20, 1, 1))
    query = np.random.default_rng(1).normal(size=(1, 20, 5, 300)).astype(np.float32)
    assert not NearestNeighbors([1]).predict(support, query).any()


def test_tied_votes_go_to_the_lowest_class() -> None:
    support = np.array([[[[5.0], [9.0]], [[1.0], [2.0]], [[0.5], [3.0]]]])
    query = np.zeros((1, 3, 1, 1))
    votes = {1: 2, 2: 1, 3: 1, 4: 1, 5: 1, 6: 0}
    for neighbors, label in votes.items():
        assert NearestNeighbors([neighbors]).predict(support, query)[0, 0, 0, 0] == label


def test_more_neighbors_than_points_are_refused() -> None:
    support, query = clustered_episodes(way=2, shot=1)
    with pytest.raises(EpisodeError, match="neighbors"):
        NearestNeighbors([1, 3]).predict(support, query)
