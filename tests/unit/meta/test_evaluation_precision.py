"""Predictions in float32 after 50 steps, batched over tasks, against double precision."""

import copy

import pytest
import torch

from cactus.meta.base import class_labels, cut
from cactus.meta.train import TrainState, train_step
from tests.unit.meta.tiny import episodes, learner, task_source

WORLD = {"way": 5, "shot": 1, "query": 5, "noise": 60.0}


def _agreement(dataset, shape, *, filters, tasks, iterations, at_once):
    """Train a net, then return the share of its queries that get the same class in double."""
    model = learner(
        "maml",
        dataset=dataset,
        shape=shape,
        filters=filters,
        tasks_per_batch=4,
        first_order=True,
        outer_lr=0.005,
        evaluation_steps=50,
        way=5,
        shot=1,
        query=5,
    )
    state = TrainState.start(model, 0)
    train = task_source(shape=shape, classes=40, per_class=6, **WORLD)
    for _ in range(iterations):
        train_step(state, train)
    unseen = task_source(shape=shape, classes=20, per_class=6, seed=1, **WORLD)
    held_out = episodes(unseen, tasks)
    double = copy.deepcopy(model).double()
    same, right = [], []
    for part in cut(held_out, at_once):
        quick = model.query_logits(unseen.images, part).argmax(2)
        same.append(quick == double.query_logits(unseen.images, part).argmax(2))
        right.append(quick == class_labels(5, 5, quick.device))
    assert torch.cat(right).double().mean() > 0.4, "the net has not learnt to learn"
    return float(torch.cat(same).double().mean())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("dataset", "shape", "filters", "tasks", "iterations", "at_once"),
    [
        ("omniglot", (28, 28, 1), 8, 40, 40, 16),
        ("miniimagenet", (32, 32, 3), 8, 40, 40, 4),
        ("miniimagenet", (84, 84, 3), 4, 24, 80, 1),
    ],
)
def test_predictions_of_trained_nets_agree_with_double_precision(
    dataset, shape, filters, tasks, iterations, at_once
):
    agreement = _agreement(
        dataset, shape, filters=filters, tasks=tasks, iterations=iterations, at_once=at_once
    )
    assert agreement >= 0.995
