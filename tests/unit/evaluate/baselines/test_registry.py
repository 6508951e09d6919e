import subprocess
import sys

import numpy as np
import pytest

from cactus.config.sections.evaluation import BaselineName, BaselineSettings, FewShotSetting
from cactus.evaluate.baselines.registry import build
from tests.unit.evaluate.cases import clustered_episodes

SETTINGS = BaselineSettings.model_validate(
    {
        "knn": {"neighbors": [5, 1, 9]},
        "linear": {"c": [0.1, 1]},
        "mlp": {"hidden_units": [4, 9], "dropout": [0.5, 0.1], "epochs": 2},
    }
)


@pytest.mark.parametrize("method", ["knn", "linear", "mlp", "cluster_matching"])
def test_choices_side_by_side_label_as_each_alone(method: BaselineName) -> None:
    support, query = clustered_episodes(noise=2.0)
    choices = SETTINGS.choices(method, FewShotSetting(way=5, shot=3))
    labels = build(method, choices, 7, np.eye(16)).predict(support, query)
    assert labels.shape == (len(choices), *query.shape[:3])
    for one, expected in zip(choices, labels, strict=True):
        alone = build(method, [one], 7, np.eye(16)).predict(support, query)
        np.testing.assert_array_equal(alone, [expected])


def test_scikit_learn_is_loaded_only_if_it_is_selected() -> None:
    code = """
import sys
from cactus.config.sections.evaluation import BaselineSettings, FewShotSetting
from cactus.evaluate.baselines.registry import build
for solver in ("newton", "scikit-learn"):
    settings = BaselineSettings.model_validate({"linear": {"solver": solver}})
    build("linear", settings.choices("linear", FewShotSetting()), 0, None)
    print("sklearn" in sys.modules)
"""
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": "workflow/scripts"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.split() == ["False", "True"]
