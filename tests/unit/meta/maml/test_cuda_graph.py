"""MAML's step as a CUDA graph; a stand-in captures on a CPU."""

from unittest import mock

import pytest
import torch
from pydantic import ValidationError

from cactus.errors import ConfigError
from cactus.meta.maml import cuda_graph as cuda_graphs
from cactus.meta.maml.cuda_graph import GraphedFunction
from cactus.meta.train import TaskSource, TrainState, meta_train, train_step
from tests.unit.checkpoints import none
from tests.unit.meta.graphs import capture_on_cpu
from tests.unit.meta.tiny import episodes, learner, task_source

SHAPE = (16, 16, 1)


@pytest.fixture
def captured():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as on a GPU, one part follows the other
    with mock.patch.object(cuda_graphs, "capture", side_effect=capture_on_cpu) as capture:
        yield capture
    torch.set_num_threads(threads)


def trained(steps, cuda_graph, device="cpu", **changes):
    """Return the state after some steps and their losses."""
    model = learner("maml", shape=SHAPE, cuda_graph=cuda_graph, **changes).to(device)
    source = task_source(shape=SHAPE)
    train = TaskSource(source.images.to(device), source.sampler)
    state = TrainState.start(model, 0)
    losses = [train_step(state, train).loss for _ in range(steps)]
    return state, torch.stack(losses)


def test_a_function_is_captured_once_for_each_shape(captured):
    double = GraphedFunction(lambda x: [2 * x])
    first = double(torch.ones(2))
    second = double(torch.full((2,), 5.0))
    assert double(torch.ones(3))[0].tolist() == [2, 2, 2]
    assert captured.call_count == 2
    assert first[0].tolist() == [2, 2]  # not overwritten by the second call
    assert second[0].tolist() == [10, 10]


# Parts of 2 and 1 episodes, or one of 3.
@pytest.mark.parametrize("at_once", [2, 3])
@pytest.mark.parametrize("first_order", [False, True])
def test_a_replayed_training_is_the_training(captured, at_once, first_order):
    changes = {"tasks_at_once": at_once, "first_order": first_order, "gradient_clip": 10.0}
    plain, losses = trained(4, False, **changes)
    replayed, same = trained(4, True, **changes)
    assert captured.call_count == -(-3 // at_once)
    assert torch.equal(losses, same)
    weights = plain.learner.state_dict(), replayed.learner.state_dict()
    assert all(torch.equal(value, weights[1][name]) for name, value in weights[0].items())


def test_other_images_are_captured_again(captured):
    model, gradients = learner("maml", shape=SHAPE, cuda_graph=True, tasks_at_once=3), []
    for seed in (0, 1):
        source = task_source(shape=SHAPE, seed=seed)
        model.accumulate_gradients(source.images, episodes(source, 3))
        gradients.append(next(model.parameters()).grad.clone())
        model.zero_grad()
    assert captured.call_count == 2
    assert not torch.equal(*gradients)


def test_it_is_refused_without_a_gpu_and_for_autograd(tmp_path):
    model = learner("maml", shape=SHAPE, cuda_graph=True, iterations=1)
    with pytest.raises(ConfigError) as refused:
        meta_train(
            model, task_source(shape=SHAPE), None, tmp_path,
            seed=0, label="tiny", record={}, checkpoints=none(tmp_path),
        )  # fmt: skip
    assert refused.value.where == "speed.maml.cuda_graph"
    with pytest.raises(ValidationError, match="manual"):
        learner("maml", cuda_graph=True, kernel="autograd")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_replayed_step_does_not_wait_for_the_gpu():
    device = torch.device("cuda")
    source = task_source(shape=SHAPE)
    train = TaskSource(source.images.to(device), source.sampler)
    state = TrainState.start(learner("maml", shape=SHAPE, cuda_graph=True).to(device), 0)
    train_step(state, train)
    torch.cuda.set_sync_debug_mode("error")
    try:
        train_step(state, train)
    finally:
        torch.cuda.set_sync_debug_mode("default")
