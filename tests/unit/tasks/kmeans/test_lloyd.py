"""k-means against scikit-learn's, from the same initial centroids, and its parts against loops."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from cactus.tasks.kmeans.cpu_points import cpu_points
from cactus.tasks.kmeans.gpu_points import gpu_points
from cactus.tasks.kmeans.lloyd import initial_centroids, kmeans, kmeans_plus_plus, lloyd

CPU = torch.device("cpu")
LOADERS = [
    pytest.param(lambda x: cpu_points(x, 1), id="one thread"),
    pytest.param(lambda x: cpu_points(x, 3, chunk_rows=37), id="threads and chunks"),
    pytest.param(lambda x: gpu_points(x, CPU), id="PyTorch"),
    pytest.param(lambda x: gpu_points(x, torch.device("cuda")), id="GPU", marks=pytest.mark.gpu),
]


def mixture(points=600, groups=40, dims=12, noise=0.6, seed=0):
    generator = np.random.default_rng(seed)
    centroids = generator.normal(size=(groups, dims))
    drawn = centroids[generator.integers(groups, size=points)]
    return (3 + drawn + noise * generator.normal(size=drawn.shape)).astype(np.float32)


@pytest.fixture(autouse=True)
def _skip_without_gpu(request):
    if request.node.get_closest_marker("gpu") and not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")


@pytest.mark.parametrize("load", LOADERS)
def test_lloyd_is_scikit_learns(load):
    embeddings = mixture()
    first = embeddings[:30]
    peer = KMeans(30, init=first, n_init=1, max_iter=300, tol=0).fit(embeddings)
    with load(embeddings) as points:
        run = lloyd(points, first - embeddings.mean(0), 300, 0.0)
    np.testing.assert_array_equal(run.labels, peer.labels_)
    assert run.iterations + 1 == peer.n_iter_  # it sees a step later that no label changes
    assert run.inertia == pytest.approx(peer.inertia_, rel=1e-5)
    np.testing.assert_allclose(run.centroids + embeddings.mean(0), peer.cluster_centers_, atol=1e-5)


@pytest.mark.parametrize("load", LOADERS)
def test_parts_are_those_of_loops(load):
    embeddings = mixture(points=120)
    centered = embeddings.astype(np.float64) - embeddings.mean(0, dtype=np.float64)
    centroids = centered[:7].astype(np.float32)
    distances = np.array([[((x - c) ** 2).sum() for x in centered] for c in centroids])
    with load(embeddings) as points:
        labels, sums = points.nearest(centroids)
        own = points.distances_to_own(centroids, labels)
        np.testing.assert_allclose(points.rows(np.array([5, 2])), centered[[5, 2]], atol=1e-6)
    np.testing.assert_array_equal(labels, distances.argmin(0))
    np.testing.assert_allclose(own, distances.min(0), atol=1e-4)
    for cluster in range(7):
        members = centered[distances.argmin(0) == cluster]
        np.testing.assert_allclose(sums[cluster], members.sum(0), atol=1e-4)


def test_bits_do_not_depend_on_the_number_of_threads():
    embeddings = mixture(points=5000)
    runs = []
    for threads in (1, 2, 5):
        with cpu_points(embeddings, threads) as points:
            runs.append(lloyd(points, embeddings[:50], 20, 0.0))
    for run in runs[1:]:
        np.testing.assert_array_equal(run.centroids, runs[0].centroids)
        assert run.inertia == runs[0].inertia


@pytest.mark.parametrize("load", LOADERS)
def test_an_empty_cluster_takes_the_farthest_point(load):
    embeddings = np.array([[0.0], [1.0], [2.0], [50.0]], np.float32)
    first = np.array([[0.0], [1.0], [900.0]], np.float32) - embeddings.mean()
    with load(embeddings) as points:
        run = lloyd(points, first, 100, 0.0)
    assert run.labels.tolist()[3] not in run.labels.tolist()[:3]
    assert len(set(run.labels.tolist())) == 3


def test_points_that_coincide_make_fewer_clusters():
    with cpu_points(np.ones((9, 2), np.float32), 1) as points:
        run = kmeans(
            points, 4, np.random.default_rng(0), starts=1, max_iterations=10, tolerance=0.0
        )
    assert run.inertia == 0
    assert len(set(run.labels.tolist())) == 1


@pytest.mark.parametrize("load", LOADERS)
def test_initial_centroids_are_one_point_of_each_distant_group(load):
    groups = np.repeat(np.arange(9) * 100.0, 11)[:, None].astype(np.float32)
    for seed in range(5):
        with load(groups) as points:
            first = initial_centroids(points, 9, np.random.default_rng(seed))
        assert len(np.unique(first)) == 9


def test_plus_plus_draws_by_weight_times_squared_distance():
    points, weights = np.array([[0.0], [1.0], [3.0]], np.float32), np.array([1, 4, 2], np.float32)
    generator = np.random.default_rng(0)
    pairs = [kmeans_plus_plus(points, weights, 2, generator)[:, 0].tolist() for _ in range(3000)]
    firsts = np.array([sum(pair[0] == x for pair in pairs) for x in (0, 1, 3)]) / len(pairs)
    np.testing.assert_allclose(firsts, weights / weights.sum(), atol=0.03)
    # After the 1, the 0 has weight 1 x 1 and the 3 weight 2 x 4; the better of two candidates, the
    # 3, is missed only if both are the 0.
    after = [pair[1] for pair in pairs if pair[0] == 1]
    assert after.count(0.0) / len(after) == pytest.approx((1 / 9) ** 2, abs=0.01)


@pytest.mark.parametrize("tolerance", [0.0, 0.02, 0.2])
def test_lloyd_continues_while_more_than_the_tolerance_changes(tolerance):
    embeddings = mixture(points=3000)
    centered = embeddings - embeddings.mean(0)
    with cpu_points(embeddings, 1) as points:
        run = lloyd(points, embeddings[:40] - embeddings.mean(0), 3000, tolerance)
    centroids, changes = centered[:40], [1.0]
    labels = ((centered[:, None] - centroids) ** 2).sum(2).argmin(1)
    while changes[-1] > tolerance:
        before = labels
        centroids = np.stack([centered[labels == label].mean(0) for label in range(40)])
        labels = ((centered[:, None] - centroids) ** 2).sum(2).argmin(1)
        changes.append((labels != before).mean())
    np.testing.assert_array_equal(run.labels, labels)
    assert run.iterations == len(changes) - 1


def test_inertia_and_difference_of_partitions_are_those_of_the_original():
    """The original: scikit-learn's k-means++ and n_init=1 on randomly scaled embeddings."""
    embeddings = mixture(points=3000, groups=60, dims=24, noise=1.0)
    generator = np.random.default_rng(0)
    ours, theirs, ratios = [], [], []
    for seed in range(4):
        scaled = embeddings * generator.uniform(size=24).astype(np.float32)
        peer = KMeans(100, n_init=1, max_iter=3000, random_state=seed).fit(scaled)
        with cpu_points(scaled, 2) as points:
            run = kmeans(points, 100, generator, starts=1, max_iterations=3000, tolerance=0.02)
        ours.append(run.labels)
        theirs.append(peer.labels_)
        ratios.append(run.inertia / peer.inertia_)
    assert np.mean(ratios) < 1.01
    assert _agreement(ours) < _agreement(theirs) + 0.03


def _agreement(partitions):
    """Return the mean adjusted Rand index of neighboring partitions."""
    pairs = pairwise(partitions)
    return np.mean([adjusted_rand_score(one, other) for one, other in pairs])
