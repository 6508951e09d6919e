import pytest
from pydantic import ValidationError

from cactus.config.sections.partition import (
    HyperplaneSettings,
    PartitionSettings,
    RandomSettings,
)


@pytest.mark.parametrize(
    ("dataset", "clusters", "count"),
    [("omniglot", 500, 100), ("mnist", 10, 100), ("miniimagenet", 500, 50), ("celeba", 500, 50)],
)
def test_clusters_and_partitions_of_the_paper(dataset, clusters, count):
    settings = PartitionSettings().resolve(dataset)
    assert (settings.clusters, settings.count) == (clusters, count)
    assert (settings.max_iterations, settings.tolerance) == (3000, 0.02)
    assert (settings.scale_low, settings.scale_high) == (0.0, 1.0)


def test_acceptance_of_the_two_learners():
    settings = PartitionSettings().resolve("omniglot")
    maml, protonets = settings.acceptance("maml"), settings.acceptance("protonets")
    assert (maml.fraction, maml.strict, maml.n_init, maml.n_init_single) == (0.75, True, 1, 10)
    assert (protonets.fraction, protonets.strict) == (0.8, False)
    assert (protonets.n_init, protonets.n_init_single) == (3, 10)


def test_a_part_of_a_learners_keys_leaves_its_other_defaults():
    settings = PartitionSettings.model_validate({"protonets": {"n_init": 2}})
    assert (settings.protonets.n_init, settings.protonets.fraction) == (2, 0.8)
    assert settings.protonets.strict is False


def test_overrides_reach_nested_keys():
    settings = PartitionSettings.model_validate(
        {"per_dataset": {"mnist": {"maml": {"fraction": 0.5}, "random": {"labels": 10}}}}
    )
    mnist = settings.resolve("mnist")
    assert (mnist.maml.fraction, mnist.maml.strict) == (0.5, True)
    assert mnist.random == RandomSettings(labels=10)
    assert settings.resolve("omniglot").maml.fraction == 0.75


def test_hyperplanes_by_embedding():
    settings = HyperplaneSettings()
    acai, deepcluster = settings.resolve("acai"), settings.resolve("deepcluster")
    assert (acai.margin, acai.point_range) == (1.2, 0.8)
    assert (deepcluster.margin, deepcluster.point_range) == (0.0, 0.0)
    assert settings.resolve("bigan") == settings.model_copy(update={"per_embedding": {}})
    assert acai.resolve("acai") == acai


@pytest.mark.parametrize(
    "values",
    [
        {"clusters": 0},
        {"tolerance": 1.5},
        {"maml": {"fraction": 1.0}},
        {"maml": {"share": 0.5}},
        {"hyperplanes": {"margin": -0.1}},
        {"per_dataset": {"cifar": {}}},
    ],
)
def test_wrong_values_are_refused(values):
    with pytest.raises(ValidationError):
        PartitionSettings.model_validate(values)
