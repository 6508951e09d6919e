import json

import numpy as np
import pytest
import torch

from cactus.errors import DataError, EpisodeError, TrainingError
from cactus.files import file_hash
from cactus.meta.train import TaskSource, TrainState, meta_train, train_step
from tests.unit.checkpoints import none
from tests.unit.meta.tiny import episodes, learner, task_source

NAMES = ("maml", "protonets")
SHAPE = (16, 16, 1)
CURVE = {"every": 2, "tasks": 4, "way": 3, "shot": 2, "query": 2}


def _train(folder, name, *, seed=0, validate=True, **changes):
    changes = {"iterations": 5, "log_every": 2, "validation": CURVE, **changes}
    model = learner(name, shape=SHAPE, evaluation_tasks_at_once=4, **changes)
    validation = task_source(shape=SHAPE, seed=1) if validate else None
    meta_train(
        model,
        task_source(shape=SHAPE),
        validation,
        folder,
        seed=seed,
        label="tiny",
        record={"dataset": "tiny"},
        checkpoints=none(folder),
    )
    return model


def _metrics(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("name", NAMES)
def test_the_curve_has_its_points(tmp_path, name):
    _train(tmp_path, name, validation={**CURVE, "every": 3})
    lines = _metrics(tmp_path)
    assert [line["step"] for line in lines] == [2, 3, 4, 5]
    assert [line["step"] for line in lines if "loss" in line] == [2, 4, 5]
    assert [line["step"] for line in lines if "val_accuracy" in line] == [3, 5]
    assert all(0 <= line["accuracy"] <= 1 for line in lines if "accuracy" in line)


def test_logged_loss_is_the_mean_since_the_line_before(tmp_path):
    _train(tmp_path / "each", "maml", log_every=1)
    _train(tmp_path / "pairs", "maml", log_every=2)
    each = [line["loss"] for line in _metrics(tmp_path / "each")]
    pairs = [line["loss"] for line in _metrics(tmp_path / "pairs") if "loss" in line]
    assert pairs == pytest.approx([np.mean(each[:2]), np.mean(each[2:4]), each[4]])


@pytest.mark.parametrize("name", NAMES)
def test_same_seed_same_bits(tmp_path, name):
    for folder, seed in (("a", 0), ("b", 0), ("c", 1)):
        _train(tmp_path / folder, name, seed=seed)
    weights = [file_hash(tmp_path / folder / "model.safetensors") for folder in "abc"]
    curves = [(tmp_path / folder / "metrics.jsonl").read_bytes() for folder in "abc"]
    assert weights[0] == weights[1] != weights[2]
    assert curves[0] == curves[1] != curves[2]


@pytest.mark.parametrize("name", NAMES)
def test_validation_does_not_touch_the_model(tmp_path, name):
    for folder, validate in (("with", True), ("without", False)):
        _train(tmp_path / folder, name, validate=validate)
    with_curve, without = (
        file_hash(tmp_path / folder / "model.safetensors") for folder in ("with", "without")
    )
    assert with_curve == without


def test_the_record_names_settings_seed_and_device(tmp_path):
    model = _train(tmp_path, "maml", seed=3)
    record = json.loads((tmp_path / "model.json").read_text())
    assert record["dataset"] == "tiny"
    assert record["seed"] == 3
    assert record["settings"]["inner_lr"] == model.settings.inner_lr
    assert record["device"]["threads"] == torch.get_num_threads()
    assert record["weights"]["sha256"] == file_hash(tmp_path / "model.safetensors")


def test_no_iterations_store_the_initial_model(tmp_path):
    model = _train(tmp_path, "maml", iterations=0)
    fresh = learner("maml", shape=SHAPE)
    assert all(
        torch.equal(value, fresh.state_dict()[name]) for name, value in model.state_dict().items()
    )
    assert _metrics(tmp_path) == []
    assert (tmp_path / "model.json").exists()


def test_the_training_gradient_is_clipped_element_by_element():
    model, source = learner("maml", gradient_clip=1e-3), task_source()
    train_step(TrainState.start(model, 0), source)
    largest = max(float(parameter.grad.abs().max()) for parameter in model.parameters())
    assert largest == pytest.approx(1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_a_step_moves_every_parameter_by_about_the_rate(name):
    model, source = learner(name, shape=SHAPE, outer_lr=0.01), task_source(shape=SHAPE)
    before = [parameter.detach().clone() for parameter in model.parameters()]
    train_step(TrainState.start(model, 0), source)
    for old, new in zip(before, model.parameters(), strict=True):
        # Adam's first step is the rate times the sign of the gradient.
        assert 0 < float((new - old).detach().abs().max()) <= 0.0101


@pytest.mark.parametrize("name", NAMES)
def test_the_rate_falls_along_half_a_cosine(name):
    changes = {"outer_lr": 0.01, "outer_schedule": "cosine", "iterations": 4}
    model, source = learner(name, shape=SHAPE, **changes), task_source(shape=SHAPE)
    state = TrainState.start(model, 0)
    weight = torch.nn.Parameter(torch.zeros(1))
    reference = torch.optim.lr_scheduler.CosineAnnealingLR(torch.optim.Adam([weight], 0.01), 4)
    for _ in range(4):
        train_step(state, source)
        rate = state.optimizer.param_groups[0]["lr"]
        assert rate == pytest.approx(reference.get_last_lr()[0], rel=1e-12)
        reference.optimizer.step()
        reference.step()


@pytest.mark.parametrize("name", NAMES)
def test_a_loss_that_is_not_finite_stops_the_training(tmp_path, name):
    (tmp_path / "model.json").write_text("{}")
    with pytest.raises(TrainingError, match="diverged"):
        _train(tmp_path, name, outer_lr=1e30, log_every=100)
    assert not (tmp_path / "model.json").exists()


def test_weights_that_are_not_finite_are_not_stored(tmp_path):
    model = learner("maml", iterations=0)
    with torch.no_grad():
        model.weights[0][0, 0, 0, 0] = float("nan")
    with pytest.raises(TrainingError, match="diverged"):
        meta_train(
            model,
            task_source(),
            None,
            tmp_path,
            seed=0,
            label="tiny",
            record={},
            checkpoints=none(tmp_path),
        )
    assert not (tmp_path / "model.json").exists()


def test_bad_input_is_refused_before_training(tmp_path):
    with pytest.raises(DataError, match="do not fit"):
        meta_train(
            learner("maml", shape=(12, 12, 1)),
            task_source(shape=SHAPE),
            None,
            tmp_path,
            seed=0,
            label="tiny",
            record={},
            checkpoints=none(tmp_path),
        )
    source = task_source(shape=SHAPE)
    with pytest.raises(DataError, match="not those of the images"):
        meta_train(
            learner("maml", shape=SHAPE),
            TaskSource(source.images[:-1], source.sampler),
            None,
            tmp_path,
            seed=0,
            label="tiny",
            record={},
            checkpoints=none(tmp_path),
        )
    with pytest.raises(EpisodeError):
        meta_train(
            learner("maml", iterations=1),
            task_source(way=4),
            None,
            tmp_path,
            seed=0,
            label="tiny",
            record={},
            checkpoints=none(tmp_path),
        )


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_meta_training_learns_to_learn(tmp_path, name):
    changes = {"way": 5, "shot": 1, "query": 5, "filters": 8, "log_every": 30}
    changes |= {"iterations": 90, "tasks_per_batch": 4 if name == "maml" else 1, "outer_lr": 0.01}
    model = learner(name, shape=SHAPE, **changes)
    world = {"shape": SHAPE, "way": 5, "shot": 1, "query": 5, "noise": 80.0}
    unseen = task_source(**world, classes=20, seed=1)
    held_out = episodes(unseen, 40)
    before = float(model.accuracies(unseen.images, held_out).mean())
    train = task_source(**world, classes=40)
    meta_train(
        model, train, None, tmp_path, seed=0, label="tiny", record={}, checkpoints=none(tmp_path)
    )
    after = float(model.accuracies(unseen.images, held_out).mean())
    losses = [line["loss"] for line in _metrics(tmp_path)]
    assert losses[-1] < 0.95 * losses[0]
    assert after > max(0.5, before + 0.05)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("name", NAMES)
def test_a_step_does_not_wait_for_the_gpu(name):
    device = torch.device("cuda")
    model, source = learner(name, shape=SHAPE).to(device), task_source(shape=SHAPE)
    train = TaskSource(source.images.to(device), source.sampler)
    state = TrainState.start(model, 0)
    train_step(state, train)
    torch.cuda.set_sync_debug_mode("error")
    try:
        train_step(state, train)
    finally:
        torch.cuda.set_sync_debug_mode("default")
