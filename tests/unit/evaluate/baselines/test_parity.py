"""Batched baselines against their slow twins in `loops`, and against scikit-learn tightly."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression as PeerRegression
from sklearn.neural_network import MLPClassifier as PeerPerceptron

from cactus.config.sections.evaluation import ClusterMatchingSettings
from cactus.evaluate.baselines import mlp
from cactus.evaluate.baselines.cluster_matching import ClusterMatching, fit_centroids
from cactus.evaluate.baselines.knn import NearestNeighbors
from cactus.evaluate.baselines.linear import LogisticRegression
from tests.unit.evaluate.baselines import loops
from tests.unit.evaluate.cases import centered, clustered_episodes, perceptron

COUNT = st.integers(1, 4)
SIZES = st.fixed_dictionaries(
    {"tasks": COUNT, "way": st.integers(2, 5), "shot": COUNT, "query": COUNT, "dims": COUNT}
)


def _on_a_grid(sizes, seed, scale):
    """Return episodes of whole numbers: equal distances and equal points are common."""
    support, query = clustered_episodes(**sizes, seed=seed, noise=2.0)
    return np.round(scale * support), np.round(scale * query)


@settings(max_examples=60, deadline=None)
@given(
    sizes=SIZES,
    seed=st.integers(0, 999),
    scale=st.sampled_from([1, 3, 100]),
    share=st.floats(0, 1),
)
def test_neighbors_vote_as_in_loops(sizes, seed, scale, share):
    support, query = _on_a_grid(sizes, seed, scale)
    neighbors = max(1, round(share * sizes["way"] * sizes["shot"]))
    expected = loops.label_queries(support, query, loops.nearest_neighbors(neighbors))
    np.testing.assert_array_equal(
        NearestNeighbors([neighbors]).predict(support, query)[0], expected
    )


@pytest.mark.parametrize("neighbors", [1, 3])
@pytest.mark.parametrize(("way", "shot", "query", "dims"), [(3, 7, 5, 90), (6, 1, 1, 40)])
def test_neighbors_among_repeated_points_vote_as_in_loops(way, shot, query, dims, neighbors):
    """The points are far from zero and fill all digits, so that rounding parts equal ones."""
    generator = np.random.default_rng(0)
    few = 7 + generator.normal(size=(2, dims))
    support = few[generator.integers(2, size=(30, way, shot))]
    queries = 7 + generator.normal(size=(30, way, query, dims))
    expected = loops.label_queries(support, queries, loops.nearest_neighbors(neighbors))
    found = NearestNeighbors([neighbors]).predict(support, queries)[0]
    np.testing.assert_array_equal(found, expected)


@settings(max_examples=60, deadline=None)
@given(
    sizes=SIZES,
    seed=st.integers(0, 999),
    scale=st.sampled_from([1, 3, 100]),
    clusters=st.integers(1, 12),
)
def test_clusters_are_matched_as_in_loops(sizes, seed, scale, clusters):
    support, query = _on_a_grid(sizes, seed, scale)
    generator = np.random.default_rng(seed)
    centroids = np.round(scale * generator.normal(size=(clusters, sizes["dims"])))
    expected = loops.label_queries(support, query, loops.cluster_matching(centroids))
    np.testing.assert_array_equal(ClusterMatching(centroids).predict(support, query)[0], expected)


def test_centroids_are_means_of_their_points_and_as_good_as_scikit_learns():
    generator = np.random.default_rng(0)
    groups = 4 * generator.normal(size=(12, 5))
    points = groups[generator.integers(12, size=400)] + generator.normal(size=(400, 5)) + 9
    points = points.astype(np.float32)
    chosen = ClusterMatchingSettings(clusters=12, max_iterations=500, tolerance=0.0)
    centroids = fit_centroids(points, chosen, 1)
    own = [min(range(12), key=lambda k: loops.distance(centroids[k], p)) for p in points]
    for cluster in range(12):
        members = [
            p.astype(float) for p, label in zip(points, own, strict=True) if label == cluster
        ]
        np.testing.assert_allclose(centroids[cluster], sum(members) / len(members), atol=1e-5)
    inertia = sum(loops.distance(centroids[k], p) for k, p in zip(own, points, strict=True))
    peer = KMeans(12, n_init=10, max_iter=500, tol=0.0, random_state=0).fit(points)
    assert inertia <= 1.001 * peer.inertia_


@pytest.mark.filterwarnings("ignore:Line Search", "ignore:The line search")
@pytest.mark.parametrize("c", [0.01, 1.0, 100.0])
@pytest.mark.parametrize(("way", "shot", "dims"), [(5, 1, 12), (3, 4, 5), (2, 3, 6), (4, 3, 12)])
def test_regression_is_that_of_loops_and_of_scikit_learn(c, way, shot, dims):
    """More points than dimensions, fewer, and as many."""
    support, query = clustered_episodes(tasks=3, way=way, shot=shot, dims=dims)
    logits = LogisticRegression([c], 1e-13, 200).logits(support, query).reshape(3, -1, way)
    for task in range(3):
        slow = loops.logistic_logits(support[task], query[task], c)
        np.testing.assert_allclose(logits[task], slow, rtol=1e-9, atol=1e-9)
        # scikit-learn penalizes the logit difference of two classes twice as much.
        peer = PeerRegression(
            C=c * 2 if way == 2 else c, tol=1e-12, max_iter=10_000, solver="newton-cg"
        )
        points, labels = loops.points_and_labels(support[task])
        peer.fit(np.stack(points), labels)
        found = peer.decision_function(query[task].reshape(-1, dims).astype(float))
        if way == 2:  # the logit difference
            found = np.stack([np.zeros_like(found), found], axis=1)
        np.testing.assert_allclose(logits[task], centered(found), rtol=1e-6, atol=1e-6)


@pytest.fixture
def double(monkeypatch):
    """Train perceptrons in double precision."""
    monkeypatch.setattr(mlp, "Network", partial(mlp.Network, dtype=np.float64))


def _draws(chosen, way, shot, dims, seed):
    """Return the first network and the masks of one episode, drawn as the classifier does."""
    generator = np.random.default_rng(seed)
    network = mlp.Network(dims, chosen.hidden_units, way)
    network.draw_weights(generator)
    keep = np.float32(1 - chosen.dropout)
    shape = way * shot, chosen.hidden_units
    drawn = [generator.random(shape, dtype=np.float32) for _ in range(chosen.epochs)]
    return network, [np.where(one < keep, 1 / float(keep), 0.0) for one in drawn]


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize(("dropout", "l2"), [(0.0, 0.0), (0.5, 0.0), (0.5, 0.1)])
def test_perceptron_trains_as_in_loops(dropout, l2):
    support, query = clustered_episodes(tasks=1, way=3, shot=2, dims=4)
    chosen = perceptron(hidden_units=6, epochs=25, dropout=dropout, l2=l2)
    points, labels = loops.points_and_labels(support[0])
    inputs = np.stack(points).astype(np.float32)
    trained = mlp.train(inputs, np.array(labels), chosen, np.random.default_rng(1))
    network, masks = _draws(chosen, 3, 2, 4, seed=1)
    slow = loops.perceptron_logits(
        network, points, np.eye(3)[labels], masks, rate=chosen.learning_rate, l2=l2
    )
    queries = query[0].reshape(-1, 4).astype(float)
    expected = np.stack([slow(point) for point in queries])
    np.testing.assert_allclose(trained.logits(queries), expected, rtol=1e-10, atol=1e-10)


class _SameStart(PeerPerceptron):
    """scikit-learn's perceptron from given weights."""

    start: mlp.Network

    def _init_coef(self, fan_in, fan_out, dtype):  # noqa: ARG002
        layer = 0 if fan_in == len(self.start.weights[0]) else 1
        return self.start.weights[layer].astype(dtype), self.start.biases[layer].astype(dtype)


@pytest.mark.usefixtures("double")
@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_perceptron_without_dropout_is_scikit_learns(monkeypatch):
    """Its Adam scales epsilon otherwise, so both get one that vanishes."""
    monkeypatch.setattr(mlp, "_EPSILON", 1e-30)
    support, query = clustered_episodes(tasks=1, way=3, shot=4, dims=5)
    chosen = perceptron(hidden_units=7, epochs=40, dropout=0.0, l2=0.02)
    points, labels = loops.points_and_labels(support[0])
    inputs = np.stack(points).astype(np.float32)
    trained = mlp.train(inputs, np.array(labels), chosen, np.random.default_rng(2))
    peer = _SameStart(
        (7,), solver="adam", alpha=0.02 * len(points), batch_size=len(points), shuffle=False,
        learning_rate_init=chosen.learning_rate, max_iter=40, tol=0.0, n_iter_no_change=99,
        epsilon=1e-30,
    )  # fmt: skip
    peer.start, _ = _draws(chosen, 3, 4, 5, seed=2)
    peer.fit(np.stack(points), labels)
    assert peer.n_iter_ == 40
    expected = peer.predict_proba(query[0].reshape(-1, 5).astype(float))
    powers = np.exp(trained.logits(query[0].reshape(-1, 5).astype(float)))
    found = powers / powers.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-9)
