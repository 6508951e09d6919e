import numpy as np
import pytest

from cactus.config.evaluation import BaselineName, BaselineSettings, FewShotSetting
from cactus.errors import ConfigError
from cactus.evaluate.baselines.registry import build, choices
from tests.unit.evaluate.cases import clustered_episodes

SETTINGS = BaselineSettings.model_validate(
    {"knn": {"neighbors": [5, 1, 9]}, "linear": {"c": [0.1, 1]}, "mlp": {"epochs": 2}}
)


def test_neighbors_are_cut_to_the_support() -> None:
    def neighbors(way: int, shot: int) -> list[int]:
        values = choices("knn", SETTINGS, FewShotSetting(way=way, shot=shot))
        return [value["neighbors"] for value in values]

    assert neighbors(5, 1) == [5, 1]
    assert neighbors(2, 2) == [1]
    assert neighbors(5, 5) == [5, 1, 9]


def test_too_many_neighbors_are_refused() -> None:
    settings = BaselineSettings.model_validate({"knn": {"neighbors": [6]}})
    with pytest.raises(ConfigError, match="neighbors") as caught:
        choices("knn", settings, FewShotSetting(way=5, shot=1))
    assert "5-way 1-shot" in caught.value.where


@pytest.mark.parametrize("method", ["knn", "linear", "mlp", "cluster_matching"])
def test_every_choice_can_be_built(method: BaselineName) -> None:
    support, query = clustered_episodes()
    for parameters in choices(method, SETTINGS, FewShotSetting(way=5, shot=3)):
        baseline = build(method, parameters, 0, np.eye(16))
        assert baseline.predict(support, query).shape == query.shape[:3]
