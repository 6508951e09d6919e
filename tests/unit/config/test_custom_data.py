"""The configuration of data sets of one's own: names, keys, and what the grid asks of them."""

import json
from copy import deepcopy
from typing import Any

import pytest

from cactus.config.layers import Layer
from cactus.config.load import checked, parse_config, stacked
from cactus.config.models import Config
from cactus.config.resolved import check_training_images
from cactus.errors import ConfigError
from cactus.stages.prepare_data import STAGE as PREPARE_DATA
from cactus.stages.prepare_data import PrepareDataSpec, raw_access

SMALL = {"way": 5, "query": 5, "validation": {"way": 5}}


def study(
    own: dict[str, Any] | None = None, name: str = "birds", **sections: dict[str, Any]
) -> dict[str, Any]:
    """Return a study of one data set of one's own; `own` has keys of it."""
    entry = {"image_size": 32, "channels": 3, **(own or {})}
    return {
        "grid": {"datasets": [name], "embeddings": ["acai"]},
        "data": {"custom": {name: entry}},
        "learners": {"maml": SMALL, "protonets": SMALL},
        **sections,
    }


def refused(values: dict[str, Any]) -> ConfigError:
    with pytest.raises(ConfigError) as error:
        parse_config(values)
    return error.value


def test_a_data_set_of_ones_own_has_cells_like_others():
    config = parse_config(study({"title": "Birds, 32 pixels"}))
    assert [cell.name for cell in config.expanded_grid.cells] == [
        "birds/acai/maml/s0",
        "birds/acai/protonets/s0",
    ]
    assert config.data.title("birds") == "Birds, 32 pixels"
    assert config.data.image_shape("birds") == (32, 32, 3)
    assert config.data.image_shape("omniglot") == (28, 28, 1)


def test_values_for_single_data_sets_reach_it():
    settings = [{"way": 3, "shot": 2}]
    evaluation = {"query": 4, "per_dataset": {"birds": {"settings": settings}}}
    config = parse_config(study(evaluation=evaluation))
    assert config.evaluation.resolve("birds").settings[0].way == 3
    assert config.evaluation.resolve("mnist").settings[0].way == 10


@pytest.mark.parametrize("key", ["datasets", "controls", "per_dataset", "exclude"])
def test_a_data_set_that_nobody_declared_is_refused(key):
    wrong: dict[str, Any] = {
        "datasets": ["birds", "bird"],
        "controls": {"bird": ["labels"]},
        "per_dataset": {"bird": {"scratch": True}},
        "exclude": [{"dataset": "bird"}],
    }
    values = study()
    values["grid"][key] = wrong[key]
    error = refused(values)
    assert f"grid.{key}" in error.where
    assert "did you mean 'birds'?" in error.fix


def test_an_undeclared_data_set_tells_where_to_declare_it():
    values = study()
    values["grid"]["datasets"] = ["flowers"]
    assert "data.custom" in refused(values).fix


@pytest.mark.parametrize(
    "name",
    ["mnist", "Birds", "my-birds", "1bird", "b" * 101, "a/b", "", "acai", "labels", "random"],
)
def test_names_that_mean_something_else_are_refused(name):
    error = refused(study(name=name))
    assert error.where.startswith("the configuration: data.custom")


def test_names_of_tables_and_of_variants_are_taken():
    assert "a table has this name" in refused(study(name="partition_quality")).fix
    variants = {"variants": {"birds": {"count": 3}}}
    assert "a data set has this name" in refused(study(partitions=variants)).fix


def test_titles_are_distinct_and_printable():
    assert "title" in refused(study({"title": "Omniglot"})).fix
    for title in ("$x$", "\\alpha", "two\nlines", " ", ""):
        assert refused(study({"title": title})).where.endswith("data.custom.birds.title")


def test_there_is_no_synthetic_version():
    error = refused(study(synthetic_data=True))
    assert error.where.endswith("grid.datasets.0")
    assert "no synthetic version" in error.fix


@pytest.mark.parametrize(
    ("own", "key"),
    [
        ({"channels": 2}, "channels"),
        ({"image_size": 4}, "image_size"),
        ({"split": {}}, "split"),
        ({"split": {"shares": [0.5, 0.2, 0.2]}}, "split.shares"),
        ({"split": {"shares": [1.0, 0.0, 0.0]}}, "split.shares.1"),
        ({"split": {"file": "a.csv", "shares": [0.5, 0.25, 0.25]}}, "split"),
        ({"split": {"classes": {"train": ["a"], "val": ["b"], "test": ["a"]}}}, "classes.test"),
        ({"split": {"classes": {"train": ["a", "a"], "val": ["b"], "test": ["c"]}}}, "train"),
        ({"settings": {"a": 1}}, "settings"),
        ({"files": ["a"]}, "files"),
        ({"module": "m.py", "table": "t.csv"}, "table"),
        ({"module": "m.py", "split": {"file": "t.csv"}}, "split.file"),
        ({"shared_classes": True, "split": {"file": "t.csv"}}, "split"),
        ({"min_classes": {"tests": 3}}, "min_classes.tests"),
    ],
)
def test_keys_that_do_not_fit_are_named(own, key):
    assert refused(study(own)).where.endswith(key)


def test_an_overlap_of_listed_classes_names_the_class():
    lists = {"train": ["owl", "wren"], "val": ["tit"], "test": ["wren"]}
    assert "the class 'wren' is in train, too" in refused(study({"split": {"classes": lists}})).fix


@pytest.mark.parametrize(
    ("own", "settings", "told"),
    [
        ({}, {"way": 6, "shot": 1}, "the test split of birds has 5 classes"),
        ({"min_classes": {"test": 7}}, {"way": 8, "shot": 1}, "has 7 classes"),
        ({}, {"way": 5, "shot": 16}, "data.custom.birds.min_images_per_class"),
    ],
)
def test_tasks_need_no_more_than_the_data_promises(own, settings, told):
    large = {**SMALL, "way": 10}
    learners = {"maml": large, "protonets": large}
    evaluation = {"settings": [settings], "query": 5}
    assert told in refused(study(own, evaluation=evaluation, learners=learners)).fix


def test_listed_classes_are_counted():
    lists = {"train": list("abcdef"), "val": list("ghijk"), "test": list("lmno")}
    fix = refused(study({"split": {"classes": lists}})).fix
    assert "the test split of birds has 4 classes" in fix
    assert "min_classes" not in fix


def test_images_are_large_enough_for_pooling():
    error = refused(study({"image_size": 15}))
    assert error.where.endswith("data.custom.birds.image_size")
    assert "protonets halves images" in error.fix
    values = study({"image_size": 8})
    values["grid"]["learners"] = ["maml"]
    parse_config(values)
    pooling = {"maml": {**SMALL, "downsampling": "max_pool"}}
    assert "downsampling to stride" in refused({**values, "learners": pooling}).fix


def test_more_classes_can_be_promised():
    values = study({"min_classes": {"test": 8}}, evaluation={"settings": [{"way": 8, "shot": 1}]})
    values["learners"]["maml"] = {**SMALL, "way": 8}
    parse_config(values)


def spec(values: dict[str, Any], dataset: str = "birds") -> str:
    config: Config = parse_config(values)
    return PREPARE_DATA.spec(config, PREPARE_DATA.parse(dataset)).text()


def test_the_plan_has_what_the_arrays_depend_on_alone():
    first = spec(study())
    assert spec(study({"title": "Birds"})) == first
    assert spec(study({"image_size": 33})) != first
    assert spec(study({"split": {"shares": [0.5, 0.25, 0.25]}})) != first
    values = study()
    values["data"]["custom"]["fish"] = {"image_size": 32, "channels": 3}
    assert spec(values) == first
    parsed = PrepareDataSpec.parse(json.dumps(json.loads(first)))
    assert [*parsed.settings.custom] == ["birds"]


def test_other_data_sets_know_nothing_of_it():
    values = study()
    values["grid"]["datasets"] = ["birds", "omniglot"]
    del values["learners"]
    assert spec(values, "omniglot") == spec({"grid": {"datasets": ["omniglot"]}}, "omniglot")


def test_where_raw_files_are_is_told_to_the_job():
    values = study()
    values["data"]["raw_dir"] = "elsewhere"
    assert raw_access(parse_config(values)).raw_dir == "elsewhere"


CLUSTERING = {
    "embeddings": {"deepcluster": {"clusters": 70}},
    "partitions": {"clusters": 50, "variants": {"fine": {"clusters": 90}}},
}


@pytest.mark.parametrize(
    ("images", "key", "got", "fix"),
    [
        (89, "partitions.variants.fine.clusters", "90", "split of birds has 89 images"),
        (69, "embeddings.deepcluster.clusters (for birds)", "70", "split of birds has 69 images"),
        (49, "partitions.clusters (for birds)", "50", "split of birds has 49 images"),
        (39, "learners.maml.way (for birds)", "5", "a task has 40 images, the training split 39"),
    ],
)
def test_the_images_that_there_are_have_to_do(images, key, got, fix):
    own = {"maml": {**SMALL, "query": 7}}
    values = study(**deepcopy(CLUSTERING), learners=own)
    values["partitions"]["maml"] = {"fraction": 0.0}
    grid = {"learners": ["maml"], "controls": {"birds": ["acai+fine"]}}
    kinds = {90: ["deepcluster"], 70: ["deepcluster"], 50: ["acai"], 5: ["acai"]}
    values["grid"] |= {**grid, "embeddings": kinds[int(got)]}
    layers = stacked([Layer("study", values)])
    config = checked(layers)
    check_training_images(config, layers, "birds", 1000)
    with pytest.raises(ConfigError) as error:
        check_training_images(config, layers, "birds", images)
    assert (error.value.where, error.value.got) == (f"study: {key}", got)
    assert fix in error.value.fix


def test_a_default_that_the_images_cannot_meet_is_named():
    layers = stacked([Layer("study", study({"min_images_per_class": 10}))])
    with pytest.raises(ConfigError) as error:
        check_training_images(checked(layers), layers, "birds", 499)
    assert error.value.where == "built-in default: partitions.clusters (for birds)"
    assert error.value.fix == "lower it: the training split of birds has 499 images"
