import importlib
import sys

import pytest
import torch

from cactus.config.sections.learners.maml import MamlSpeed
from cactus.config.sections.learners.section import BUILT_IN, LearnerSettings
from cactus.config.sections.learners.speed import SpeedSettings
from cactus.errors import TrainingError
from cactus.meta.registry import build
from tests.unit.meta.tiny import CPU, episodes, learner, task_source

NAMES = BUILT_IN
MODULES = {f"cactus.meta.{name}.learner" for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("dataset", "shape"), [("omniglot", (28, 28, 1)), ("celeba", (84, 84, 3))])
def test_the_seed_decides_the_weights(name, dataset, shape):
    settings, speed = (
        LearnerSettings().resolve(name, dataset),
        SpeedSettings().resolve(name, dataset),
    )
    first, second, third = (
        build(name, settings, speed, shape, seed=seed, device=CPU).state_dict()
        for seed in (1, 1, 2)
    )
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert not all(torch.equal(first[key], third[key]) for key in first)


@pytest.mark.parametrize("name", NAMES)
def test_predictions_that_are_no_numbers_are_an_error(name):
    source, built = task_source(shape=(16, 16, 1)), learner(name, shape=(16, 16, 1))
    with torch.no_grad():
        for one in built.parameters():
            one.fill_(float("nan"))
    with pytest.raises(TrainingError, match="NaN or infinity") as caught:
        built.accuracies(source.images, episodes(source, 2))
    assert caught.value.where == f"learners.{name}"


def test_a_learner_is_imported_only_when_asked_for(monkeypatch):
    for module in (*MODULES, "cactus.meta.registry"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    registry = importlib.import_module("cactus.meta.registry")
    assert not MODULES & set(sys.modules)
    settings = LearnerSettings().resolve("maml", "omniglot")
    registry.build("maml", settings, MamlSpeed(), (28, 28, 1), seed=0, device=CPU)
    assert "cactus.meta.maml.learner" in sys.modules
    assert "cactus.meta.protonets.learner" not in sys.modules
