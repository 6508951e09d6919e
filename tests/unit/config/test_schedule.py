"""Tables say where trainings and their tasks are not as by default."""

from typing import Any

import pytest

from cactus.config.load import parse_config
from cactus.config.printed.schedule import schedule_changes
from cactus.config.sections.learners.section import LearnerSettings

GRID = {"datasets": ["omniglot"], "embeddings": ["acai", "bigan"], "learners": ["maml"]}


def changes(**values: Any) -> list[tuple[str, str, int | float | str, int | float | str]]:
    config = parse_config({"grid": GRID, **values})
    return list(schedule_changes(config, "omniglot"))


def test_the_defaults_are_no_change():
    assert changes() == []


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (
            {"embeddings": {"acai": {"iterations": 7}}},
            [("embedding-acai", "iterations", 7, 262_144)],
        ),
        (
            {"embeddings": {"bigan": {"epochs": 3, "decay_epochs": 0}}},
            [("embedding-bigan", "epochs", 3, 200), ("embedding-bigan", "decay_epochs", 0, 200)],
        ),
        ({"embeddings": {"deepcluster": {"epochs": 1}}}, []),  # not in the grid
        ({"learners": {"maml": {"outer_lr": 0.5}}}, [("learner-maml", "outer_lr", 0.5, 0.001)]),
        (
            {"learners": {"maml": {"gradient_clip": 9}}},
            [("learner-maml", "gradient_clip", 9, "none")],
        ),
        ({"learners": {"maml": {"log_every": 7}}}, []),
        ({"embeddings": {"acai": {"encode_batch_size": 7}}}, []),
        ({"embeddings": {"bigan": {"width": 8}}}, [("embedding-bigan", "width", 8, 64)]),
        (
            {"embeddings": {"bigan": {"features": "logits"}}},
            [("embedding-bigan", "features", "logits", "code")],
        ),
        (
            {"partitions": {"maml": {"fraction": 0.5, "n_init_single": 3}}},  # of 100, not of one
            [("learner-maml", "fraction of large clusters", 0.5, 0.75)],
        ),
        ({"partitions": {"protonets": {"fraction": 0.5}}}, []),  # not in the grid
        ({"baselines": {"mlp": {"epochs": 3}, "validation_tasks": 9}}, []),  # neither
        ({"evaluation": {"seed": 7}}, [("apart-evaluation", "seed of the tasks", 7, 0)]),
        ({"partitions": {"max_restarts": 3}}, []),
        ({"evaluation": {"query": 15}}, [("apart-evaluation", "query", 15, 5)]),
        ({"evaluation": {"per_dataset": {"mnist": {"query": 15}}}}, []),
        ({"data": {"omniglot": {"ink": "black"}}}, [("apart-images", "ink", "black", "white")]),
        ({"data": {"omniglot": {"min_images_per_class": 7}}}, []),
        ({"data": {"mnist": {"val_size": 7}}}, []),
        (
            {"partitions": {"clusters": 70, "count": 3, "random": {"count": 5}}},
            [
                ("apart-partitions", "clusters", 70, 500),
                ("apart-partitions", "number by k-means", 3, 100),
            ],
        ),
        (
            {"learners": {"maml": {"iterations": 90_000}}},
            [("learner-maml", "iterations", 90_000, 30_000)],
        ),
        ({"learners": {"maml": {"per_dataset": {"mnist": {"iterations": 7}}}}}, []),
    ],
)
def test_what_the_grid_reads_is_compared(
    values: dict[str, Any], found: list[tuple[str, str, int | float | str, int | float | str]]
):
    assert changes(**values) == found


def test_the_oracle_is_named_apart():
    grid = {**GRID, "controls": {"omniglot": ["labels"]}}
    usual = LearnerSettings().resolve("maml", "omniglot", "labels").iterations
    learner = {"iterations": 7, "oracle_iterations": 9, "tasks_per_batch": 2}
    found = changes(grid=grid, learners={"maml": learner})
    assert found == [
        ("learner-maml", "iterations", 7, 30_000),
        ("learner-maml", "tasks_per_batch", 2, 8),
        ("oracle-maml", "iterations", 9, usual),
        ("oracle-maml", "tasks_per_batch", 2, 8),
    ]


@pytest.mark.parametrize(
    ("source", "values", "found"),
    [
        ("pixels", {"clusters": 40}, [("clusters", 40, 500)]),
        ("pixels", {"pixels": {"count": 4}}, [("number by pixels", 4, 1)]),
        ("random", {"random": {"labels": 30}}, [("random labels", 30, 500)]),
        ("hyperplanes-acai", {"hyperplanes": {"per_embedding": {"acai": {"count": 7}}}},
         [("number by hyperplanes", 7, 2400)]),
        ("hyperplanes-acai", {"hyperplanes": {"per_embedding": {"acai": {"margin": 0.2}}}},
         [("margin of hyperplanes-acai", 0.2, 0.6)]),
        ("hyperplanes-acai", {"maml": {"fraction": 0.5}, "clusters": 9}, []),
        ("acai+p-1", {"count": 5}, []),  # its own number is in its name
        ("acai+k-50", {"clusters": 40, "variants": {"k-50": {"clusters": 50}}}, []),
    ],
)  # fmt: skip
def test_a_source_names_what_it_reads(
    source: str, values: dict[str, Any], found: list[tuple[str, int, int]]
):
    grid = {**GRID, "controls": {"omniglot": [source]}, "exclude": [{"source": "acai"}]}
    grid = {**grid, "embeddings": ["acai"]}
    assert changes(grid=grid, partitions=values) == [("apart-partitions", *one) for one in found]


def test_a_model_of_one_way_departs_from_no_other():
    grid = {**GRID, "controls": {"omniglot": ["acai+5-way"]}, "exclude": [{"source": "acai"}]}
    grid = {**grid, "embeddings": ["acai"]}
    assert changes(grid=grid, learners={"maml": {"way": 12}}) == []


def test_methods_without_meta_training_are_named_where_they_run():
    values: dict[str, Any] = {
        "learners": {"scratch": {"steps": 7}},
        "baselines": {
            "mlp": {"dropout": [0.5]},
            "knn": {"neighbors": [1, 3]},
            "methods": ["mlp", "knn"],
            "validation_tasks": 9,
        },
    }
    assert changes(**values) == []
    found = changes(grid={**GRID, "scratch": True, "baselines": True}, **values)
    assert found == [
        ("apart-scratch", "evaluation_steps", 7, 50),
        ("apart-baselines", "validation tasks", 9, 500),
        ("apart-mlp", "dropout", "0.5", "0.2/0.5"),
        ("apart-knn", "neighbors", "1/3", "1/3/5/10/20/50"),
    ]


def test_a_custom_embedding_has_no_default_length():
    custom = {"pca": {"module": "tests.pca", "settings": {"epochs": 3}}}
    assert changes(grid={**GRID, "embeddings": ["pca"]}, embeddings={"custom": custom}) == []


def test_one_like_another_has_the_default_length_of_that_one():
    custom = {"fresh": {"like": "acai", "settings": {"iterations": 0}}}
    found = changes(grid={**GRID, "embeddings": ["fresh"]}, embeddings={"custom": custom})
    assert found == [("embedding-fresh", "iterations", 0, 262_144)]


def test_augmentation_is_named_for_each_learner_that_has_it():
    augmented = {"augmentation": {"rotation": 10}}
    custom = {"mine": {"module": "tests.mine", **augmented}}
    grid = {**GRID, "learners": ["maml", "protonets", "mine"]}
    found = changes(grid=grid, learners={"protonets": augmented, "custom": custom})
    texts = ("training images", "augmented", "unchanged")
    assert found == [("learner-protonets", *texts), ("learner-mine", *texts)]


def test_a_data_set_of_ones_own_has_no_default_whatever_its_name():
    custom = {"download": {"image_size": 28, "channels": 1}}
    values: dict[str, Any] = {"learners": {"protonets": {"way": 5}}, "data": {"custom": custom}}
    grid = {"datasets": ["download"], "embeddings": ["acai"], "learners": ["protonets"]}
    config = parse_config({"grid": grid, **values})
    found = list(schedule_changes(config, "download"))
    assert found == [("learner-protonets", "way", 5, 20)]


def test_the_attributes_of_celebas_tasks_are_those_of_all_cells():
    grid = {**GRID, "datasets": ["celeba"], "embeddings": ["bigan"]}
    config = parse_config({"grid": grid, "partitions": {"pool_attributes": 2}})
    found = list(schedule_changes(config, "celeba"))
    assert found == [("apart-evaluation", "attributes of a task", 2, 3)]


def test_validation_tasks_that_nothing_draws_are_not_named():
    baselines = {"methods": ["cluster_matching"], "validation_tasks": 9}
    assert changes(grid={**GRID, "baselines": True}, baselines=baselines) == []


def test_an_embedding_with_the_name_of_a_learner_is_told_from_it():
    custom = {"maml": {"like": "acai", "settings": {"iterations": 5}}}
    found = changes(
        grid={**GRID, "embeddings": ["maml"]},
        embeddings={"custom": custom},
        learners={"maml": {"iterations": 6}},
    )
    assert found == [
        ("embedding-maml", "iterations", 5, 262_144),
        ("learner-maml", "iterations", 6, 30_000),
    ]
