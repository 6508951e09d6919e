"""Learners of users: the example, how they train and score, and that they see no labels."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from cactus.errors import DataError, TrainingError
from cactus.meta.base import cut
from cactus.meta.episodic import EpisodicLearner
from cactus.meta.store import load_model, save_model
from cactus.meta.train import meta_train
from cactus.train.device import one_thread
from tests.unit.checkpoints import none
from tests.unit.meta.custom_modules import (
    CURVE,
    DROPOUT,
    PLAIN,
    SHAPE,
    SOURCE,
    changing,
    example,
    module,
)
from tests.unit.meta.tiny import episodes, task_source


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


def test_an_error_of_the_module_says_on_what_it_was_called(tmp_path: Path):
    learner = module(tmp_path, changing("raise IndexError('mine')"))()
    with pytest.raises(IndexError, match="mine") as caught:
        learner.accuracies(SOURCE.images, episodes(SOURCE, 2))
    note = "in logits() of learners.custom.mine on support (2, 3, 2, 1, 16, 16)"
    assert note in caught.value.__notes__[0]


def test_weights_of_layers_are_not_those_of_the_generator(tmp_path: Path):
    line = "self.settings_of_mine = settings"
    drawn = "self.own = torch.rand(self.linear.weight.shape, generator=generator)"
    learner = module(tmp_path, PLAIN.replace(line, f"{line}\n        {drawn}"))()
    bound = learner.linear.in_features**-0.5  # PyTorch's layers are uniform up to it
    assert not torch.allclose(learner.linear.weight / bound, 2 * learner.own - 1, atol=1e-3)


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
