"""Mixed precision: in the forward passes of training alone, and on GPUs alone.

A CPU computes in bfloat16 too, so what it touches can be tested there, past the refusal.
"""

from unittest import mock

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cactus.embed.registry import build
from cactus.errors import ConfigError
from cactus.meta.train import TaskSource, TrainState, meta_train, train_step
from cactus.train.metrics import MetricsLog
from tests.unit.checkpoints import none
from tests.unit.embed.tiny import settings
from tests.unit.meta.tiny import episodes, learner, task_source

METHODS = ("acai", "bigan", "contrastive", "deepcluster", "infogan")
SHAPE = (16, 16, 1)
LAYERS = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)


class Seen:
    """Types of what layers give in training and otherwise."""

    def __init__(self, module):
        self.training, self.scoring = set(), set()
        for layer in module.modules():
            if isinstance(layer, LAYERS):
                layer.register_forward_hook(self._note)

    def _note(self, _layer, _inputs, output):
        (self.training if torch.is_grad_enabled() else self.scoring).add(output.dtype)


def images(count=32, shape=SHAPE):
    return np.random.default_rng(0).integers(0, 256, (count, *shape)).astype(np.uint8)


def embedding(name, precision="bfloat16", device="cpu"):
    chosen = settings(name, precision=precision, log_every=1)
    return build(name, chosen, SHAPE, 0, torch.device(device))


def fit(method, folder):
    with MetricsLog(folder / "metrics.jsonl", "tiny", 4, mock.Mock()) as log:
        method.fit(images(), log, none(folder))


def floats(values):
    return {value.dtype for value in values if value.is_floating_point()}


@pytest.mark.parametrize("name", METHODS)
def test_an_embedding_computes_training_passes_in_bfloat16_and_keeps_the_rest(name, tmp_path):
    method = embedding(name)
    seen, metrics = Seen(method.nets), []
    step = method.train_step

    def noted(*arguments):
        metrics.append(step(*arguments))
        return metrics[-1]

    method.train_step = noted
    with mock.patch("cactus.embed.base.require_gpu"):
        fit(method, tmp_path)
    assert method.encode(images()).dtype == np.float32
    assert seen.training == {torch.bfloat16}
    assert seen.scoring == {torch.float32}
    assert floats(value for one in metrics for value in one.values()) == {torch.float32}
    assert floats(method.nets.state_dict().values()) == {torch.float32}
    for optimizer in method.optimizers.values():
        moments = [value for state in optimizer.state.values() for value in state.values()]
        kept = floats(value for value in moments if isinstance(value, torch.Tensor))
        assert kept <= {torch.float32}


@pytest.mark.parametrize("name", ["bigan", "contrastive", "deepcluster", "infogan"])
def test_no_pass_sees_weights_of_before_an_update(name):
    method, same = embedding(name), []
    method.nets.train()

    def compare(layer, inputs, output):
        with torch.no_grad(), torch.autocast("cpu", enabled=False):
            values = (inputs[0], layer.weight, layer.bias)
            low = [None if one is None else one.bfloat16() for one in values]
            same.append(torch.equal(F.linear(*low), output))

    for layer in method.nets.modules():
        if isinstance(layer, nn.Linear):
            layer.register_forward_hook(compare)
    resident = method.resident(images())
    indices = method._next_indices(resident)[:16]
    same.clear()  # DeepCluster clusters before its first step
    method.train_step(resident[indices], indices)
    assert same
    assert all(same)


def test_protonets_encode_in_bfloat16_in_training_alone():
    model = learner("protonets", shape=SHAPE, precision="bfloat16")
    source, seen = task_source(shape=SHAPE), Seen(model)
    state = TrainState.start(model, 0)
    metrics = train_step(state, source)
    accuracies = model.accuracies(source.images, episodes(source, 2))
    assert seen.training == {torch.bfloat16}
    assert seen.scoring == {torch.float32}
    assert metrics.loss.dtype == torch.float32
    assert accuracies.dtype == torch.float64
    assert floats(model.state_dict().values()) == {torch.float32}
    assert floats(parameter.grad for parameter in model.parameters()) == {torch.float32}


def test_protonets_in_bfloat16_compute_nearly_the_same():
    losses = []
    for precision in ("float32", "bfloat16"):
        model = learner("protonets", shape=SHAPE, precision=precision)
        losses.append(float(train_step(TrainState.start(model, 0), task_source(shape=SHAPE)).loss))
    assert losses[0] != losses[1]
    assert losses[0] == pytest.approx(losses[1], rel=0.1)


def test_it_is_refused_on_a_cpu(tmp_path):
    with pytest.raises(ConfigError, match="for GPUs only"):
        fit(embedding("acai"), tmp_path)
    model = learner("protonets", shape=SHAPE, precision="bfloat16", iterations=1)
    with pytest.raises(ConfigError) as refused:
        meta_train(
            model, task_source(shape=SHAPE), None, tmp_path,
            seed=0, label="tiny", record={}, checkpoints=none(tmp_path),
        )  # fmt: skip
    assert refused.value.where == "learners.protonets.precision"
    assert refused.value.got == "bfloat16, on a CPU"


def test_maml_has_no_such_key():
    assert "precision" not in learner("maml").settings.model_dump()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("name", METHODS)
def test_an_embedding_trains_in_bfloat16_on_a_gpu(name, tmp_path):
    method = embedding(name, device="cuda")
    seen = Seen(method.nets)
    fit(method, tmp_path)
    assert seen.training == {torch.bfloat16}
    assert np.isfinite(method.encode(images())).all()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_step_of_protonets_in_bfloat16_does_not_wait_for_the_gpu():
    device = torch.device("cuda")
    model, source = (
        learner("protonets", shape=SHAPE, precision="bfloat16"),
        task_source(shape=SHAPE),
    )
    train = TaskSource(source.images.to(device), source.sampler)
    state = TrainState.start(model.to(device), 0)
    train_step(state, train)
    torch.cuda.set_sync_debug_mode("error")
    try:
        assert train_step(state, train).loss.dtype == torch.float32
    finally:
        torch.cuda.set_sync_debug_mode("default")
