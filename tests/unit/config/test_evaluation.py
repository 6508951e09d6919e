from typing import Any

import pytest
from pydantic import ValidationError

from cactus.config.sections.base import DatasetName
from cactus.config.sections.evaluation import (
    BaselineSettings,
    EvaluationSettings,
    FewShotSetting,
)


@pytest.mark.parametrize(
    ("dataset", "pairs"),
    [
        ("mnist", [(10, 1), (10, 5), (10, 10)]),
        ("omniglot", [(5, 1), (5, 5), (20, 1), (20, 5)]),
        ("miniimagenet", [(5, 1), (5, 5), (5, 20), (5, 50)]),
        ("celeba", [(2, 5)]),
    ],
)
def test_defaults_are_the_papers_settings(
    dataset: DatasetName, pairs: list[tuple[int, int]]
) -> None:
    settings = EvaluationSettings().resolve(dataset)
    assert [(one.way, one.shot) for one in settings.settings] == pairs
    assert (settings.tasks, settings.query, settings.split) == (1000, 5, "test")


def test_clusters_follow_the_data_set() -> None:
    settings = BaselineSettings()
    assert settings.resolve("mnist").cluster_matching.clusters == 10
    assert settings.resolve("omniglot").cluster_matching.clusters == 500
    assert settings.resolve("mnist").cluster_matching.n_init == 10


@pytest.mark.parametrize(
    "values",
    [
        {"settings": []},
        {"settings": [{"way": 5, "shot": 1}, {"way": 5, "shot": 1}]},
        {"settings": [{"way": 1, "shot": 1}]},
        {"split": "train"},
        {"tasks": 0},
    ],
)
def test_evaluation_refuses(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        EvaluationSettings.model_validate(values)


@pytest.mark.parametrize(
    "values",
    [
        {"methods": []},
        {"methods": ["knn", "knn"]},
        {"methods": ["svm"]},
        {"knn": {"neighbors": []}},
        {"knn": {"neighbors": [0]}},
        {"linear": {"c": [1.0, 1.0]}},
        {"linear": {"c": [0.0]}},
        {"linear": {"solver": "saga"}},
        {"mlp": {"dropout": [1.0]}},
        {"mlp": {"dropout": []}},
        {"mlp": {"dropout": 0.5}},
        {"mlp": {"hidden_units": [8, 8]}},
        {"mlp": {"validation_tasks": 0}},
        {"mlp": {"patience": 2}},
    ],
)
def test_baselines_refuse(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        BaselineSettings.model_validate(values)


@pytest.mark.parametrize(
    ("way", "shot", "expected"), [(5, 1, [5, 1]), (2, 2, [1]), (5, 5, [5, 1, 9]), (2, 4, [5, 1])]
)
def test_neighbors_are_cut_to_the_support(way: int, shot: int, expected: list[int]) -> None:
    settings = BaselineSettings.model_validate({"knn": {"neighbors": [5, 1, 9]}})
    choices = settings.choices("knn", FewShotSetting(way=way, shot=shot))
    assert choices == [{"neighbors": k} for k in expected]


def test_no_number_of_neighbors_may_fit_the_support() -> None:
    settings = BaselineSettings.model_validate({"knn": {"neighbors": [6]}})
    assert settings.choices("knn", FewShotSetting(way=5, shot=1)) == []


def test_a_perceptron_has_every_pair_of_width_and_dropout() -> None:
    values = {"hidden_units": [8, 4], "dropout": [0.1, 0.5], "epochs": 3}
    settings = BaselineSettings.model_validate({"mlp": values})
    pairs = [(8, 0.1), (8, 0.5), (4, 0.1), (4, 0.5)]
    expected = [
        {"hidden_units": h, "dropout": p, "epochs": 3, "learning_rate": 1e-3, "l2": 0.0}
        for h, p in pairs
    ]
    assert settings.choices("mlp", FewShotSetting()) == expected


@pytest.mark.parametrize("model", [EvaluationSettings, BaselineSettings])
def test_every_key_is_described(model: Any) -> None:
    schema = model.model_json_schema()
    for definition in [schema, *schema["$defs"].values()]:
        for key, field in definition["properties"].items():
            assert field.get("description"), key
