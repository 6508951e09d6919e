from typing import Literal

import numpy as np
import pytest

from cactus.config.sections.evaluation import ClusterMatchingSettings
from cactus.errors import ConfigError
from cactus.evaluate.baselines.cluster_matching import ClusterMatching, fit_centroids

# Four clusters on a line.
CENTROIDS = np.array([[0.0], [10.0], [20.0], [30.0]])


def labels(support: list[list[float]], query: list[float]) -> list[int]:
    points = np.array(support, dtype=np.float32)[None, :, :, None]
    queries = np.tile(
        np.array(query, dtype=np.float32)[None, None, :, None], (1, len(support), 1, 1)
    )
    result: list[int] = ClusterMatching(CENTROIDS).predict(points, queries)[0, 0, 0].tolist()
    return result


def test_worked_example() -> None:
    # Class 0 labels cluster 0 (two points); class 1 labels clusters 1 and 2; cluster 3 has none.
    support = [[1.0, 2.0], [11.0, 19.0]]
    assert labels(support, [3.0, 9.0, 24.0, 30.0]) == [0, 1, 1, 1]


def test_query_skips_clusters_without_support() -> None:
    # The query's own cluster 1 is unlabeled; cluster 0 is nearer to it than cluster 3.
    assert labels([[29.0], [1.0]], [12.0, 16.0]) == [1, 0]


def test_majority_labels_a_cluster() -> None:
    assert labels([[0.0, 21.0, 19.0], [1.0, 2.0, 3.0]], [0.0, 20.0]) == [1, 0]


def test_tied_majority_goes_to_the_lowest_class() -> None:
    assert labels([[1.0], [-1.0], [21.0]], [0.0, 20.0]) == [0, 2]


def test_equally_near_centroids_go_to_the_first() -> None:
    # The support point 15 belongs to cluster 1, not 2; so does the query 15.
    assert labels([[15.0], [21.0]], [15.0]) == [0]


@pytest.mark.parametrize("kmeans", ["lloyd", "scikit-learn"])
def test_k_means_finds_the_centres_of_separated_groups(
    kmeans: Literal["lloyd", "scikit-learn"],
) -> None:
    generator = np.random.default_rng(0)
    centers = np.array([[0.0, 0.0], [5.0, 0.0], [0.0, 5.0]])
    groups = [center + 0.1 * generator.normal(size=(50, 2)) for center in centers]
    settings = ClusterMatchingSettings(clusters=3, kmeans=kmeans)
    found = fit_centroids(np.concatenate(groups).astype(np.float32), settings, 1)
    expected = np.array([group.mean(axis=0) for group in groups])
    order = np.argmin(((found[:, None] - expected) ** 2).sum(axis=2), axis=0)
    np.testing.assert_allclose(found[order], expected, atol=1e-5)
    again = fit_centroids(np.concatenate(groups).astype(np.float32), settings, 1)
    np.testing.assert_array_equal(found, again)


def test_more_clusters_than_points_are_refused() -> None:
    with pytest.raises(ConfigError, match="clusters"):
        fit_centroids(np.zeros((9, 2), np.float32), ClusterMatchingSettings(clusters=10), 1)
