from functools import partial

import numpy as np
import pytest

from cactus.config.sections.acceptance import MamlAcceptanceSettings, ProtonetsAcceptanceSettings
from cactus.config.sections.partition import (
    PartitionSettings,
)
from cactus.errors import DataError, EpisodeError
from cactus.seeding import numpy_generator
from cactus.tasks.kmeans.cpu_points import cpu_points
from cactus.tasks.kmeans.lloyd import kmeans
from cactus.tasks.kmeans_partitions import (
    KMeansPlan,
    accepts,
    embedding_plan,
    kmeans_partition,
    kmeans_partitions,
)

MAML = MamlAcceptanceSettings()
LOAD = partial(cpu_points, threads=1)
PROTONETS = ProtonetsAcceptanceSettings()


def blobs(sizes=(20,) * 8, dims=5, spread=0.05, seed=0):
    generator = np.random.default_rng(seed)
    centroids = generator.normal(size=(len(sizes), dims))
    points = np.repeat(centroids, sizes, axis=0)
    return (points + spread * generator.normal(size=points.shape)).astype(np.float32)


def plan(clusters=8, count=3, n_init=1, minimum=6, rule=MAML, **settings):
    return KMeansPlan(
        PartitionSettings(clusters=clusters, **settings), count, n_init, minimum, rule
    )


# R = 6. MAML wants more than 75 % of all clusters with 7 images or more, ProtoNets more than 80 %
# with 6 or more.
@pytest.mark.parametrize(
    ("rule", "sizes", "accepted"),
    [
        (MAML, [7, 7, 7, 7], True),  # 4 of 4
        (MAML, [7, 7, 7, 6], False),  # 3 of 4 is 75 %, not more
        (MAML, [6, 6, 6, 6], False),  # 6 is not more than R
        (MAML, [7, 7, 7, 7, 0], True),  # 4 of 5 is 80 %
        (MAML, [7] * 375 + [6] * 125, False),  # 375 of 500 is 75 %
        (MAML, [7] * 376 + [6] * 124, True),
        (PROTONETS, [6, 6, 6, 6, 5], False),  # 4 of 5 is 80 %, not more
        (PROTONETS, [6, 6, 6, 6, 6], True),
        (PROTONETS, [6, 6, 6, 6, 6, 5], True),  # 5 of 6 is 83 %
        (PROTONETS, [6] * 400 + [5] * 100, False),  # 400 of 500 is 80 %
        (PROTONETS, [6] * 401 + [0] * 99, True),
    ],
)
def test_acceptance_at_its_boundaries(rule, sizes, accepted):
    assert accepts(rule, np.array(sizes), 6) is accepted


@pytest.mark.parametrize(
    ("dataset", "learner", "count", "n_init"),
    [
        ("omniglot", "maml", 1, 10),
        ("omniglot", "maml", 100, 1),
        ("omniglot", "protonets", 1, 10),
        ("omniglot", "protonets", 2, 3),
        ("celeba", "maml", 1, 1),
    ],
)
def test_starts_per_run(dataset, learner, count, n_init):
    settings = PartitionSettings(count=count).resolve(dataset).model_copy(update={"count": count})
    rule = settings.acceptance(learner)
    made = embedding_plan(settings, rule, 6)
    assert (made.n_init, made.count, made.minimum) == (n_init, count, 6)
    assert made.rule == rule


def test_first_partition_is_plain_kmeans():
    embeddings = blobs()
    made = kmeans_partition(
        embeddings, plan(rule=None, n_init=2), 0, np.random.default_rng(4), LOAD
    )
    reference = clustering(embeddings, np.random.default_rng(4), starts=2)
    kept = np.bincount(reference.labels, minlength=8) >= 6
    assert np.array_equal(made.labels, np.where(kept[reference.labels], reference.labels, -1))
    assert made.facts == {"restarts": 0, "inertia": reference.inertia}


def test_other_partitions_scale_every_dimension():
    embeddings = blobs(dims=7)
    made = kmeans_partition(embeddings, plan(rule=None), 1, np.random.default_rng(4), LOAD)
    generator = np.random.default_rng(4)
    scaled = embeddings * generator.uniform(0, 1, 7).astype(np.float32)
    reference = clustering(scaled, generator)
    assert made.facts["inertia"] == reference.inertia
    kept = made.labels >= 0
    assert np.array_equal(made.labels[kept], reference.labels[kept])


def clustering(embeddings, generator, starts=1):
    with LOAD(embeddings) as points:
        return kmeans(
            points,
            8,
            generator,
            starts=starts,
            max_iterations=3000,
            tolerance=0.02,
        )


def test_scaling_range_is_a_setting():
    embeddings = blobs()
    doubled = plan(rule=None, scale_low=2.0, scale_high=2.0)
    inertia = [
        kmeans_partition(embeddings, doubled, 1, np.random.default_rng(4), LOAD).facts["inertia"],
        kmeans_partition(2 * embeddings, doubled, 0, skip(np.random.default_rng(4), 5), LOAD).facts[
            "inertia"
        ],
    ]
    assert inertia[0] == inertia[1]


def skip(generator, draws):
    """Return the generator after the draws of the weights."""
    generator.uniform(size=draws)
    return generator


def test_input_is_left_as_it_was():
    embeddings = blobs()
    before = embeddings.copy()
    list(kmeans_partitions(embeddings, plan(), ("test",), LOAD))
    assert np.array_equal(embeddings, before)


def test_well_separated_blobs_are_found():
    sizes = (20, 7, 30, 6, 9, 12, 40, 8)
    embeddings = blobs(sizes, spread=0.001)
    (made,) = kmeans_partitions(embeddings, plan(count=1, n_init=10), ("test",), LOAD)
    truth = np.repeat(np.arange(8), sizes)
    pairs = set(zip(truth.tolist(), made.labels.tolist(), strict=True))
    assert len(pairs) == 8
    assert {label for _, label in pairs} == set(range(8))


def test_small_clusters_are_dropped():
    sizes = (20, 5, 20, 20, 20, 20, 20, 20)
    embeddings = blobs(sizes, spread=0.001)
    (made,) = kmeans_partitions(embeddings, plan(count=1, n_init=10), ("test",), LOAD)
    dropped = np.repeat(np.arange(8), sizes) == 1
    assert (made.labels[dropped] == -1).all()
    assert (made.labels[~dropped] >= 0).all()


def test_partitions_do_not_depend_on_their_order():
    embeddings = blobs()
    made = list(kmeans_partitions(embeddings, plan(count=4), ("test", 3), LOAD))
    again = list(kmeans_partitions(embeddings, plan(count=2), ("test", 3), LOAD))
    for one, other in zip(made, again, strict=False):
        assert np.array_equal(one.labels, other.labels)
    alone = kmeans_partition(embeddings, plan(), 3, numpy_generator("test", 3, 3), LOAD)
    assert np.array_equal(alone.labels, made[3].labels)
    weights_differ = {partition.facts["inertia"] for partition in made}
    assert len(weights_differ) == 4


def test_seeds_give_different_partitions():
    embeddings = blobs(spread=1.0)
    inertia = {
        next(kmeans_partitions(embeddings, plan(), ("test", seed), LOAD)).facts["inertia"]
        for seed in range(3)
    }
    assert len(inertia) == 3


def test_restarts_are_counted():
    # Eight clusters of points without groups: only some runs end with 20 points in each.
    embeddings = np.random.default_rng(3).normal(size=(240, 4)).astype(np.float32)
    strict = MamlAcceptanceSettings(fraction=0.99)
    chosen = plan(minimum=20, rule=strict, max_restarts=2000)
    made = kmeans_partition(embeddings, chosen, 0, np.random.default_rng(0), LOAD)
    generator, runs = np.random.default_rng(0), 0
    while True:
        labels = clustering(embeddings, generator).labels
        if (np.bincount(labels, minlength=8) > 20).all():
            break
        runs += 1
    assert runs > 0
    assert made.facts["restarts"] == runs
    just_enough = plan(minimum=20, rule=strict, max_restarts=runs)
    again = kmeans_partition(embeddings, just_enough, 0, np.random.default_rng(0), LOAD)
    assert np.array_equal(again.labels, made.labels)
    one_less = plan(minimum=20, rule=strict, max_restarts=runs - 1)
    with pytest.raises(EpisodeError):
        kmeans_partition(embeddings, one_less, 0, np.random.default_rng(0), LOAD)


def test_an_embedding_that_collapsed_stops_with_an_error():
    embeddings = np.zeros((100, 4), np.float32)
    with pytest.raises(EpisodeError, match="more than 6 images in more than 75%") as error:
        list(kmeans_partitions(embeddings, plan(max_restarts=2), ("test",), LOAD))
    assert error.value.where == "partition 1 of 3, 2 restarts"
    assert error.value.got == "1 of 8 clusters with more than 6 images in the last run"


def test_too_few_images_for_the_clusters_are_refused_before_any_run():
    with pytest.raises(EpisodeError, match="at least 8 images") as error:
        list(kmeans_partitions(blobs((7,)), plan(rule=None), ("test",), LOAD))
    assert error.value.got == "7 images"


@pytest.mark.parametrize(
    ("rule", "needed"),
    [(MAML, 7 * 7), (PROTONETS, 7 * 6)],  # more than 6 or 6.4 of 8 clusters: 7 clusters
)
def test_a_rule_that_cannot_be_met_is_refused_before_any_run(rule, needed):
    embeddings = blobs((needed - 1,))
    with pytest.raises(EpisodeError, match=f"at least {needed} images"):
        list(kmeans_partitions(embeddings, plan(rule=rule), ("test",), LOAD))


def test_no_rule_means_no_check_of_sizes():
    embeddings = blobs((50, 1, 1, 1), spread=0.001)
    (made,) = kmeans_partitions(embeddings, plan(clusters=4, count=1, rule=None), ("test",), LOAD)
    assert made.facts["restarts"] == 0


def test_embeddings_that_are_not_finite_are_refused():
    embeddings = blobs()
    embeddings[3, 1] = np.nan
    embeddings[9, 0] = np.inf
    with pytest.raises(DataError, match="NaN or infinity") as error:
        list(kmeans_partitions(embeddings, plan(), ("test",), LOAD))
    assert error.value.got == "2 of 160 rows"
