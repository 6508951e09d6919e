import pytest
from pydantic import ValidationError

from cactus.config.load import parse_config
from cactus.config.sections.partition import (
    HyperplaneSettings,
    PartitionSettings,
    RandomSettings,
)
from cactus.config.sections.source import Source
from cactus.errors import ConfigError


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
    assert (acai.unit, acai.margin, acai.point_range) == ("spread", 0.6, 0.4)
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
        {"scale_low": 3.0, "scale_high": 0.5},
    ],
)
def test_wrong_values_are_refused(values):
    with pytest.raises(ValidationError):
        PartitionSettings.model_validate(values)


VARIANTS = {
    "count": 20,
    "per_dataset": {"mnist": {"clusters": 10}},
    "hyperplanes": {"margin": 0.3, "per_embedding": {"acai": {"margin": 0.5, "planes": 9}}},
    "variants": {
        "k-50": {"clusters": 50},
        "wide": {"hyperplanes": {"margin": 0.9}, "maml": {"n_init": 4}},
    },
}


@pytest.mark.parametrize(
    ("source", "dataset", "clusters", "margin", "planes", "n_init"),
    [
        ("acai", "omniglot", 500, 0.5, 9, 1),
        ("acai", "mnist", 10, 0.5, 9, 1),
        ("acai+k-50", "mnist", 50, 0.5, 9, 1),  # over the data set's
        ("bigan+k-50", "omniglot", 50, 0.3, 1000, 1),
        ("hyperplanes-acai+wide", "mnist", 10, 0.9, 9, 4),  # over the embedding's, key by key
        ("hyperplanes-bigan+wide+5-way", "omniglot", 500, 0.9, 1000, 4),
    ],
)
def test_a_variant_wins_over_data_sets_embeddings_and_plain_values(
    source, dataset, clusters, margin, planes, n_init
):
    settings = PartitionSettings.model_validate(VARIANTS)
    resolved = settings.of_source(Source.parse(source), dataset)
    assert (resolved.clusters, resolved.count, resolved.maml.n_init) == (clusters, 20, n_init)
    assert (resolved.hyperplanes.margin, resolved.hyperplanes.planes) == (margin, planes)
    overriding = resolved.variants, resolved.per_dataset, resolved.hyperplanes.per_embedding
    assert overriding == ({}, {}, {})


def test_a_studys_plain_values_do_not_take_those_of_variants():
    config = parse_config({"partitions": {"count": 7, "variants": {"k-9": {"clusters": 9}}}})
    resolved = [
        config.partitions.of_source(Source.parse(name), "omniglot")
        for name in ("acai", "acai+p-1", "acai+k-9")
    ]
    assert [(one.count, one.clusters) for one in resolved] == [(7, 500), (1, 500), (7, 9)]


@pytest.mark.parametrize("name", ["", "P-1", "a b", "a/b", "5-way", "0-way", "-a", "a" * 41, "a+b"])
def test_names_of_variants_that_no_source_could_have_are_refused(name):
    with pytest.raises(ConfigError) as error:
        parse_config({"partitions": {"variants": {name: {"count": 1}}}})
    assert "a variant's name has" in error.value.fix


@pytest.mark.parametrize("name", ["acai", "mnist"])
def test_a_variant_does_not_share_its_name_with_what_else_has_values_of_its_own(name):
    with pytest.raises(ConfigError, match="choose another") as error:
        parse_config({"partitions": {"variants": {name: {"count": 1}}}})
    assert error.value.where.endswith(f"partitions.variants.{name}")


@pytest.mark.parametrize(
    ("values", "key", "fix"),
    [
        ({"cluster": 5}, "partitions.variants.x.cluster", "did you mean 'clusters'"),
        ({"clusters": 0}, "partitions.variants.x.clusters", ">= 1"),
        ({"hyperplanes": {"unit": "absolute"}}, "variants.x.hyperplanes.unit", "embedding"),
        ({"variants": {"y": {}}}, "partitions.variants.x.variants", "cannot be nested"),
        ({"per_dataset": {"mnist": {}}}, "variants.x.per_dataset", "cannot be nested"),
        (None, "partitions.variants.x", "mapping"),
        (3, "partitions.variants.x", "mapping"),
    ],
)
def test_what_a_variant_cannot_hold_is_refused_whether_or_not_it_is_used(values, key, fix):
    with pytest.raises(ConfigError) as error:
        parse_config({"partitions": {"variants": {"x": values}}})
    assert key in error.value.where
    assert fix in error.value.fix


@pytest.mark.parametrize(
    ("name", "values", "wanted"),
    [
        ("p-1", {"count": 2, "clusters": 25}, "`count: 1` and nothing else"),
        ("p-1", {"clusters": 25}, "`count: 1` and nothing else"),  # beside the default's count
        ("k-40", {"clusters": 26}, "`clusters: 40` and nothing else"),
        ("k-40", {}, "`clusters: 40` and nothing else"),
        ("k-40", {"random": {"labels": 40}}, "`clusters: 40` and nothing else"),
        ("p-07", {"count": 7}, "`p-7` in other digits"),
        ("margin-0.50", {"hyperplanes": {"margin": 0.5}}, "`margin-0.5` in other digits"),
        ("margin-1.0", {"hyperplanes": {"margin": 1.0}}, "`margin-1` in other digits"),
        ("margin-0", {"hyperplanes": {"margin": 0.1}}, "`hyperplanes: {margin: 0}`"),
        ("margin-0.5", {"hyperplanes": {"planes": 9}}, "`hyperplanes: {margin: 0.5}`"),
        ("margin-0.5", {"count": 9}, "`hyperplanes: {margin: 0.5}`"),
        ("margin-2", {"hyperplanes": {"margin": 2}, "count": 3}, "`hyperplanes: {margin: 2}`"),
        (
            "margin-2",
            {"hyperplanes": {"margin": 2, "per_embedding": {"acai": {"margin": 1}}}},
            "`hyperplanes: {margin: 2}`, beside it only plain keys of hyperplanes",
        ),
    ],
)
def test_a_variant_does_not_bear_the_name_of_other_values(name, values, wanted):
    with pytest.raises(ConfigError) as error:
        parse_config({"partitions": {"variants": {name: values}}})
    assert "partitions.variants." in error.value.where
    assert name in error.value.where
    assert f"`{name}` is the name of {wanted}" in error.value.fix


def test_a_variant_with_a_value_of_the_wrong_type_is_refused_whatever_its_name():
    for name in ("margin-0", "margin-3", "wide"):
        with pytest.raises(ConfigError):
            parse_config({"partitions": {"variants": {name: {"hyperplanes": 3}}}})


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("p-10", {"count": 10}),
        ("k-26", {"clusters": 26}),
        ("margin-0.25", {"hyperplanes": {"margin": 0.25, "unit": "embedding", "planes": 9}}),
        ("margin-wide", {"count": 3}),
        ("k-many", {"clusters": 900}),
        ("p", {"clusters": 9}),
    ],
)
def test_a_variant_bears_the_name_of_its_values_or_any_that_says_no_number(name, values):
    partitions = parse_config({"partitions": {"variants": {name: values}}}).partitions
    assert partitions.variants[name] == values


@pytest.mark.parametrize(
    ("path", "fix"),
    [
        ("variants.fine.random.classes", "did you mean 'labels'?"),
        ("variants.fine.margin", "did you mean `partitions.variants.fine.hyperplanes.margin`?"),
        ("per_dataset.mnist.margin", "`partitions.per_dataset.mnist.hyperplanes.margin`?"),
        ("hyperplanes.per_embedding.acai.labels", "did you mean 'planes'?"),
    ],
)
def test_a_key_of_a_variant_gets_one_that_it_can_have(path, fix):
    values: dict = {}
    for part in reversed(path.split(".")):
        values = {part: values or 3}
    with pytest.raises(ConfigError) as caught:
        parse_config({"partitions": values}, "--config")
    assert caught.value.where == f"--config: partitions.{path}"
    assert fix in caught.value.fix


@pytest.mark.parametrize(
    ("partitions", "missing"),
    [
        ({"hyperplanes": {"unit": "embedding"}}, "margin and partitions.hyperplanes.point_range"),
        ({"hyperplanes": {"unit": "embedding", "margin": 1.0}}, "hyperplanes.point_range"),
        ({"hyperplanes": {"unit": "spread"}}, ""),
        ({"hyperplanes": {"unit": "embedding", "margin": 1.0, "point_range": 1.0}}, ""),
        ({"hyperplanes": {"unit": "embedding", "margin": 0.0, "point_range": 1.0}}, ""),
        ({"variants": {"margin-1.2": {"hyperplanes": {"unit": "spread"}}}}, "hyperplanes.margin"),
        (
            {"variants": {"own": {"hyperplanes": {"unit": "embedding"}}}},
            "partitions.hyperplanes.ma",
        ),
    ],
)
def test_lengths_of_hyperplanes_are_given_in_the_unit_that_is_chosen(partitions, missing):
    sources = ["hyperplanes-acai", "hyperplanes-acai+margin-1.2"]
    sources += ["hyperplanes-acai+own"] if "own" in partitions.get("variants", {}) else []
    sources += ["hyperplanes-acai+margin-0"]
    values = {"grid": {"controls": {"omniglot": sources}}, "partitions": partitions}
    if not missing:
        parse_config(values)
        return
    with pytest.raises(ConfigError, match="another unit") as error:
        parse_config(values)
    assert missing in error.value.fix
    assert ".unit" in error.value.where
