"""Learners of users: the example, what is checked of them, and that they see no labels."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from cactus.config.sections.learners.custom import CustomLearner
from cactus.errors import ConfigError, DataError, TrainingError
from cactus.meta.base import cut
from cactus.meta.episodic import EpisodicLearner
from cactus.meta.registry import build, check_custom
from cactus.meta.store import load_model, save_model
from cactus.meta.train import meta_train
from cactus.train.device import one_thread
from tests.unit.checkpoints import none
from tests.unit.meta.tiny import CPU, episodes, task_source
from tests.workflow.project import ROOT

EXAMPLE = str(ROOT / "docs/examples/matching_networks.py")
SHAPE = (16, 16, 1)
SMALL: dict[str, Any] = {"way": 3, "shot": 2, "query": 2, "tasks_per_batch": 3, "iterations": 3}
CURVE = {"every": 2, "tasks": 4, "way": 3, "shot": 2, "query": 2}
SOURCE = task_source(shape=SHAPE)
PLAIN = """
import torch
from torch import nn
from cactus.config.sections import base
from cactus.meta.episodic import EpisodicLearner


class Settings(base.Settings):
    scale: base.Positive = 1.0


class Learner(EpisodicLearner):
    def __init__(self, settings, training, image_shape, generator):
        super().__init__(training, image_shape)
        height, width, channels = image_shape
        self.linear = nn.Linear(height * width * channels, 8)
        self.settings_of_mine = settings
        self.register_buffer("calls", torch.zeros(()))
        self.count = 0

    def vectors(self, images):
        return self.linear(images.flatten(-3))

    def logits(self, support, query):
        means = self.vectors(support).mean(2)
        return self.change(-torch.cdist(self.vectors(query), means), support, query)

    def change(self, logits, support, query):
        return logits
"""


def example(name: str = "matching", *, seed: int = 0, **changes: Any) -> Any:
    entry = CustomLearner(module=EXAMPLE, settings={"filters": 4}, **{**SMALL, **changes})
    return build(name, entry, None, SHAPE, seed=seed, device=CPU)


def module(folder: Path, text: str, **changes: Any) -> partial[Any]:
    """Write a module; return what builds its learner."""
    path = folder / "mine.py"
    path.write_text(text)
    entry = CustomLearner(module=str(path), **{**SMALL, **changes})
    return partial(build, "mine", entry, None, SHAPE, seed=0, device=CPU)


def changing(line: str, text: str = PLAIN) -> str:
    return text.replace("        return logits\n", f"        {line}\n        return logits\n")


DROPOUT = changing("logits = nn.functional.dropout(logits, 0.5, self.training)")


def plain_matching(learner: Any, support: Tensor, query: Tensor) -> np.ndarray:
    """Return the probabilities of Matching Networks by loops, for one episode."""
    way, shot = support.shape[:2]
    encode = lambda image: learner.encoder(image[None])[0].double().numpy()  # noqa: E731
    keys = [[encode(support[n, s]) for s in range(shot)] for n in range(way)]
    rows = []
    for image in query:
        vector = encode(image)
        cosine = [
            [key @ vector / np.linalg.norm(key) / np.linalg.norm(vector) for key in row]
            for row in keys
        ]
        weights = np.exp(cosine)
        rows.append(weights.sum(1) / weights.sum())
    return np.array(rows)


@torch.no_grad()
def test_the_example_gives_the_probabilities_of_the_formula():
    learner = example().eval()
    batch = learner.episodes(SOURCE.images, episodes(SOURCE, 3))
    found = learner.logits(batch.support, batch.query).exp().numpy()
    for one in range(3):
        expected = plain_matching(learner, batch.support[one], batch.query[one])
        np.testing.assert_allclose(found[one], expected, rtol=1e-4)
    np.testing.assert_allclose(found.sum(2), 1, rtol=1e-5)


def test_the_example_learns(tmp_path: Path):
    learner = example(iterations=60, outer_lr=0.01, validation={**CURVE, "tasks": 50, "every": 60})
    batch = episodes(SOURCE, 100, seed=5)
    with one_thread():
        before = float(learner.accuracies(SOURCE.images, batch).mean())
        train(learner, tmp_path)
        assert float(learner.accuracies(SOURCE.images, batch).mean()) > before + 0.1


def train(learner: Any, folder: Path) -> None:
    meta_train(
        learner, SOURCE, SOURCE, folder, seed=0, label="tiny", record={}, checkpoints=none(folder)
    )  # fmt: skip


def test_a_stored_model_predicts_the_same(tmp_path: Path):
    learner = example(validation=CURVE)
    train(learner, tmp_path)
    other = example(seed=1)
    load_model(other, tmp_path, learner="matching")
    batch = episodes(SOURCE, 5)
    found = [one.accuracies(SOURCE.images, batch) for one in (learner, other)]
    assert torch.equal(*found)
    with pytest.raises(DataError, match="cannot be read"):
        load_model(example("another"), tmp_path)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 6), st.integers(1, 4))
def test_episodes_are_those_of_the_batch_in_an_order_of_their_own(seed, tasks, at_once):
    batch = episodes(SOURCE, tasks, seed=seed)
    learner = LEARNER
    whole = learner.episodes(SOURCE.images, batch)
    pixels = SOURCE.images.permute(0, 3, 1, 2) / 255
    assert torch.equal(whole.support, pixels[torch.from_numpy(batch.support)])
    for one in range(tasks):
        for place, label in enumerate(whole.labels[one].tolist()):
            own = pixels[torch.from_numpy(batch.query[one, label])]
            assert (own == whole.query[one, place]).flatten(1).all(1).any()
        assert torch.bincount(whole.labels[one]).tolist() == [2, 2, 2]
    parts = [learner.episodes(SOURCE.images, part) for part in cut(batch, at_once)]
    for name, values in whole._asdict().items():
        assert torch.equal(values, torch.cat([getattr(part, name) for part in parts])), name


def test_the_place_of_a_query_says_nothing_about_its_label():
    labels = LEARNER.episodes(SOURCE.images, episodes(SOURCE, 600)).labels
    for place in range(labels.shape[1]):
        shares = torch.bincount(labels[:, place], minlength=3) / 600
        assert (shares - 1 / 3).abs().max() < 0.1, place


def test_gradients_are_those_of_the_mean_cross_entropy():
    learner = example()
    batch = episodes(SOURCE, 3)
    metrics = learner.accumulate_gradients(SOURCE.images, batch)
    found = [parameter.grad.clone() for parameter in learner.parameters()]
    learner.zero_grad()
    support, query, labels = learner.episodes(SOURCE.images, batch)
    probabilities = learner.logits(support, query).exp()
    loss = -torch.gather(probabilities, 2, labels[..., None]).log().mean()
    loss.backward()
    torch.testing.assert_close(metrics.loss, loss.detach(), rtol=1e-5, atol=1e-6)
    for one, parameter in zip(found, learner.parameters(), strict=True):
        torch.testing.assert_close(one, parameter.grad, rtol=1e-3, atol=1e-5)


def test_the_seed_decides_weights_and_dropout(tmp_path: Path):
    rebuild = module(tmp_path, DROPOUT)
    batch, gradients = episodes(SOURCE, 3), []
    for _ in range(2):
        learner = rebuild()
        learner.accumulate_gradients(SOURCE.images, batch)
        gradients.append(learner.linear.weight.grad)
    assert torch.equal(*gradients)


CHECKED = {
    "the example": (EXAMPLE, {"settings": {"filters": 4}}),
    "a plain one": (PLAIN, {}),
    "dropout": (DROPOUT, {}),
    "a transductive one": (
        changing("logits = logits - logits.mean(1, keepdim=True)"), {"transductive": True},
    ),
    "gradient steps in evaluation": (
        changing("\n".join([
            "with torch.enable_grad():",
            "            weights = self.linear.weight.expand(len(support), -1, -1)",
            "            features = support.flatten(-3).flatten(1, 2) @ weights.mT",
            "            steps, = torch.autograd.grad(features.square().sum(), weights)",
            "        logits = logits + steps.mean((1, 2))[:, None, None]",
        ])), {},
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", CHECKED)
def test_right_learners_pass_the_checks(tmp_path: Path, what: str):
    text, changes = CHECKED[what]
    source = Path(text).read_text() if text == EXAMPLE else text
    rebuild = module(tmp_path, source, **changes)
    learner = rebuild()
    batch = episodes(SOURCE, 4)
    check_custom(learner, SOURCE.images, batch, rebuild)
    learner.accumulate_gradients(SOURCE.images, batch)
    check_custom(learner, SOURCE.images, batch, rebuild)


REFUSED = {
    "NaN": ("logits = logits * float('nan')", "NaN or infinity"),
    "infinity": ("logits = logits / 0", "NaN or infinity"),
    "no class axis": ("logits = logits[..., 0]", "a number for each query and class"),
    "swapped axes": ("logits = logits.mT", "a number for each query and class"),
    "a class too few": ("logits = logits[..., :-1]", "(4, 6, 2), expected floating point"),
    "integers": ("logits = logits.long()", "a number for each query and class"),
    "no tensor": ("logits = logits.tolist()", "did not return a tensor"),
    "noise": ("logits = logits + torch.randn_like(logits)", "others when called again"),
    "a count": (
        "self.count += 1; logits = logits * self.count", "others when called again",
    ),
    "other episodes": (
        "logits = logits - logits.mean(0, keepdim=True)", "others without the other episodes",
    ),
    "the order of queries": (
        "logits = logits * torch.arange(logits.shape[1])[:, None]",
        "others in another order of the queries",
    ),
    "other queries": (
        "logits = logits - logits.mean(1, keepdim=True)", "others without the other queries",
    ),
    "a changed buffer": ("self.calls += 1", "A prediction changed the state."),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_wrong_predictions_are_refused(tmp_path: Path, what: str):
    line, expected = REFUSED[what]
    rebuild = module(tmp_path, changing(line))
    with pytest.raises(DataError) as caught:
        check_custom(rebuild(), SOURCE.images, episodes(SOURCE, 4), rebuild)
    assert expected in str(caught.value)
    assert caught.value.where.startswith("learners.custom.mine, ")
    assert "adding-a-learner.md" in caught.value.fix


def test_a_transductive_learner_may_still_not_depend_on_other_episodes(tmp_path: Path):
    text = changing("logits = logits - logits.mean((0, 1), keepdim=True)")
    rebuild = module(tmp_path, text, transductive=True)
    with pytest.raises(DataError, match="without the other episodes"):
        check_custom(rebuild(), SOURCE.images, episodes(SOURCE, 4), rebuild)


def test_what_training_changes_outside_the_state_is_noticed(tmp_path: Path):
    text = changing("self.count += self.training\n        logits = logits * (1 + self.count)")
    rebuild = module(tmp_path, text)
    learner, batch = rebuild(), episodes(SOURCE, 4)
    check_custom(learner, SOURCE.images, batch, rebuild)
    learner.accumulate_gradients(SOURCE.images, batch)
    with pytest.raises(DataError, match="with the state loaded into a new learner"):
        check_custom(learner, SOURCE.images, batch, rebuild)


def test_a_model_that_depends_on_keys_of_training_is_refused(tmp_path: Path):
    text = PLAIN.replace("channels, 8)", "channels, 8 * training.shot)")
    rebuild = module(tmp_path, text)
    scoring = partial(rebuild.func, "mine", rebuild.args[1].for_scoring(), *rebuild.args[2:])
    with pytest.raises(DataError, match="does not take the state") as caught:
        check_custom(
            rebuild(), SOURCE.images, episodes(SOURCE, 4), partial(scoring, seed=0, device=CPU)
        )
    assert "linear.weight" in caught.value.got


def test_a_state_that_is_not_tensors_is_refused(tmp_path: Path):
    extra = "\n    def get_extra_state(self):\n        return {'names': ['a']}\n"
    rebuild = module(tmp_path, PLAIN + extra)
    with pytest.raises(DataError, match="more than tensors") as caught:
        check_custom(rebuild(), SOURCE.images, episodes(SOURCE, 4), rebuild)
    assert "_extra_state" in caught.value.got


def test_an_error_of_the_module_says_on_what_it_was_called(tmp_path: Path):
    learner = module(tmp_path, changing("raise IndexError('mine')"))()
    with pytest.raises(IndexError, match="mine") as caught:
        learner.accuracies(SOURCE.images, episodes(SOURCE, 2))
    note = "in logits() of learners.custom.mine on support (2, 3, 2, 1, 16, 16)"
    assert note in caught.value.__notes__[0]


def test_logits_without_gradient_stop_the_training(tmp_path: Path):
    learner = module(tmp_path, changing("logits = logits.detach()"))()
    with pytest.raises(DataError, match="does not depend on the parameters"):
        learner.accumulate_gradients(SOURCE.images, episodes(SOURCE, 3))


def test_a_training_that_turns_into_nan_leaves_no_model(tmp_path: Path):
    text = changing("logits = logits * (float('nan') if self.training else 1)")
    learner = module(tmp_path, text, validation=CURVE)()
    with pytest.raises(TrainingError, match="NaN"):
        train(learner, tmp_path / "model")
    assert not (tmp_path / "model/model.json").exists()


def test_logits_that_turn_into_nan_stop_the_evaluation(tmp_path: Path):
    learner = module(tmp_path, changing("logits = logits / 0"))()
    with pytest.raises(TrainingError, match="NaN or infinity"):
        learner.accuracies(SOURCE.images, episodes(SOURCE, 3))


BAD_CLASSES = {
    "no base": (PLAIN.replace("Learner(EpisodicLearner)", "Learner(nn.Module)")
                .replace("super().__init__(training, image_shape)", "super().__init__()"),
                "not derived from EpisodicLearner"),
    "a function": (PLAIN.replace("class Learner", "class Mine") + "\ndef Learner(*a): ...\n",
                   "not derived from EpisodicLearner"),
    "no parameters": (PLAIN.replace("self.linear = nn.Linear(height * width * channels, 8)",
                                    "self.linear = nn.Identity()"), "no parameters"),
    "own accuracies": (PLAIN + "\n    def accuracies(self, images, batch): ...\n",
                       "it defines accuracies"),
    "own episodes": (PLAIN + "\n    def episodes(self, images, batch): ...\n", "defines episodes"),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD_CLASSES)
def test_classes_that_cannot_be_used_are_refused(tmp_path: Path, what: str):
    text, expected = BAD_CLASSES[what]
    with pytest.raises(ConfigError) as caught:
        module(tmp_path, text)()
    assert expected in caught.value.got
    assert caught.value.where == "learners.custom.mine.module"


def test_refused_settings_name_the_key(tmp_path: Path):
    with pytest.raises(ConfigError) as caught:
        module(tmp_path, PLAIN, settings={"scale": 0})()
    assert caught.value.where == "learners.custom.mine.settings.scale"


@pytest.mark.parametrize("at_once", [1, 2, 50])
def test_the_number_of_episodes_at_once_changes_no_accuracy(at_once: int):
    batch = episodes(SOURCE, 7)
    expected = example().accuracies(SOURCE.images, batch)
    found = example(evaluation_tasks_at_once=at_once).accuracies(SOURCE.images, batch)
    assert torch.equal(found, expected)


def test_a_model_on_fewer_classes_than_in_training_is_scored():
    batch = episodes(task_source(shape=SHAPE, way=2), 5)
    assert example().accuracies(SOURCE.images, batch).shape == (5,)


def test_saved_keys_are_those_of_the_entry(tmp_path: Path):
    save_model(example(), tmp_path, {})
    assert '"speed": null' in (tmp_path / "model.json").read_text()
    assert '"filters": 4' in (tmp_path / "model.json").read_text()


LEARNER: EpisodicLearner = example()
