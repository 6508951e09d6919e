"""A key that the values of others leave unread changes no spec; where it is read, it does."""

from typing import Any

import pytest

from cactus.config.load import parse_config
from cactus.config.printed.schedule import schedule_changes
from cactus.config.sections.base import merge
from cactus.stages.base import CellWildcards, EmbeddingWildcards, stage_named
from tests.unit.config.dotted import nested

PARTITIONS = CellWildcards("omniglot", "acai", "maml", 0)
LABELS = CellWildcards("omniglot", "labels", "maml", 0)
BASELINES = EmbeddingWildcards("omniglot", "acai", 0)


def embedding(name: str) -> EmbeddingWildcards:
    return EmbeddingWildcards("omniglot", name, 0)


def text(stage: str, wildcards: Any, values: dict[str, Any]) -> str:
    return stage_named(stage).spec(parse_config(values), wildcards).text()


def study(keys: dict[str, Any]) -> dict[str, Any]:
    """Return a study with the values of some dotted keys."""
    found: dict[str, Any] = {}
    for path, value in keys.items():
        found = merge(found, nested(path, value))
    return found


@pytest.mark.parametrize(
    ("stage", "wildcards", "key", "value", "unread", "read"),
    [
        ("run_baselines", BASELINES, "baselines.mlp.epochs", 7, {"baselines.methods": ["knn"]}, {}),
        (
            "run_baselines", BASELINES, "baselines.linear.c", [3.0],
            {"baselines.methods": ["knn"]}, {},
        ),
        (
            "run_baselines", BASELINES, "baselines.knn.neighbors", [1],
            {"baselines.methods": ["mlp"]}, {},
        ),
        (
            "run_baselines", BASELINES, "baselines.cluster_matching.seed", 4,
            {"baselines.methods": ["knn"]}, {},
        ),
        (
            "run_baselines", BASELINES, "baselines.cluster_matching.tolerance", 0.5,
            {"baselines.cluster_matching.kmeans": "scikit-learn"}, {},
        ),
        (
            "run_baselines", BASELINES, "baselines.validation_tasks", 9,
            {"baselines.knn.neighbors": [1], "baselines.linear.c": [1.0]}, {},
        ),
        (
            "run_baselines", BASELINES, "baselines.mlp.validation_tasks", 9,
            {"baselines.mlp.hidden_units": [8], "baselines.mlp.dropout": [0.1]}, {},
        ),
        (
            "make_partitions", PARTITIONS, "partitions.tolerance", 0.5,
            {"partitions.kmeans": "scikit-learn"}, {},
        ),
        ("make_partitions", PARTITIONS, "partitions.scale_low", 0.5, {"partitions.count": 1}, {}),
        ("make_partitions", PARTITIONS, "partitions.maml.n_init", 3, {"partitions.count": 1}, {}),
        (
            "make_partitions", PARTITIONS, "compute.deterministic", False,
            {"compute.device": "cpu"}, {},
        ),
        (
            "make_partitions", PARTITIONS, "compute.device", "cpu",
            {"partitions.kmeans": "scikit-learn"}, {},
        ),
        (
            "train_embedding", embedding("contrastive"), "embeddings.contrastive.filters", 8,
            {"embeddings.contrastive.network": "resnet"}, {},
        ),
        (
            "train_embedding", embedding("bigan"), "embeddings.bigan.final_rate", 0.5,
            {"embeddings.bigan.decay_epochs": 0}, {},
        ),
        (
            "train_embedding", embedding("bigan"), "embeddings.bigan.kernel", 3,
            {
                "grid.datasets": ["omniglot"],
                "embeddings.bigan.networks": "mlp",
                "embeddings.bigan.encoder": "mlp",
            },
            {},
        ),
        (
            "train_embedding", embedding("bigan"), "embeddings.bigan.width", 8,
            {
                "grid.datasets": ["omniglot"],
                "embeddings.bigan.networks": "mlp",
                "embeddings.bigan.encoder": "mlp",
            },
            {},
        ),
        (
            "meta_train", PARTITIONS, "compute.deterministic", False,
            {"compute.device": "cpu"}, {},
        ),
        (
            "train_embedding", embedding("infogan"), "embeddings.infogan.categorical_weight", 0.5,
            {"embeddings.infogan.categorical": [], "embeddings.infogan.continuous": 2}, {},
        ),
        (
            "make_partitions", PARTITIONS, "partitions.maml.n_init_single", 3,
            {}, {"partitions.count": 1},
        ),
        (
            "train_embedding", embedding("contrastive"), "embeddings.contrastive.widths", [8],
            {}, {"embeddings.contrastive.network": "resnet"},
        ),
        (
            "train_embedding", embedding("contrastive"),
            "embeddings.contrastive.views.blur_probability", 0.1,
            {}, {"embeddings.contrastive.views.blur_sigma": 1.0},
        ),
        (
            "meta_train", PARTITIONS, "learners.maml.augmentation.blur_probability", 0.1,
            {}, {"learners.maml.augmentation.blur_sigma": 1.0},
        ),
    ],
)  # fmt: skip
def test_a_key_is_in_the_plan_only_where_it_is_read(stage, wildcards, key, value, unread, read):
    edit = study({key: value})
    without, with_it = (
        [text(stage, wildcards, merge(study(keys), one)) for one in ({}, edit)]
        for keys in (unread, read)
    )
    assert without[0] == without[1]
    assert with_it[0] != with_it[1]


@pytest.mark.parametrize("values", [{"device": "cpu"}, {"deterministic": False}])
def test_true_classes_read_no_device(values):
    plain = text("make_partitions", LABELS, {})
    assert text("make_partitions", LABELS, {"compute": values}) == plain


def test_a_table_names_no_key_that_nothing_reads():
    grid = {"datasets": ["omniglot"], "embeddings": ["contrastive"], "learners": ["maml"]}
    own = {"contrastive": {"widths": [8], "views": {"blur_probability": 0.1}}}
    partitions = {"kmeans": "scikit-learn", "tolerance": 0.5}
    config = parse_config({"grid": grid, "embeddings": own, "partitions": partitions})
    assert [change[1] for change in schedule_changes(config, "omniglot")] == ["k-means"]
    values = {"grid": grid, "partitions": {"count": 1, "scale_low": 0.5}}
    changes = schedule_changes(parse_config(values), "omniglot")
    assert [change[1] for change in changes] == ["number by k-means", "k-means starts"]
    own["contrastive"]["network"] = "resnet"
    config = parse_config({"grid": grid, "embeddings": own})
    named = {change[1] for change in schedule_changes(config, "omniglot")}
    assert named == {"network", "widths"}
