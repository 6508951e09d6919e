"""Metrics of small trainings, held so that no speed-up changes a result beyond rounding.

The numbers were computed in float32 by automatic differentiation, before the derivatives by hand.
Both kernels repeat them to 1e-6; more updates would not do, as ReLUs that flip make rounding grow
(after ten updates at a tenfold rate, a different grouping of tasks alone moves a loss by a tenth).
"""

import pytest
import torch

from cactus.meta.train import TrainState, train_step
from tests.unit.meta.tiny import episodes, learner, task_source

SHAPE = (20, 20, 1)
# First and last loss, norm of the weights, accuracy.
GOLDEN = {
    "omniglot": (0.556434690952301, 0.5737371444702148, 4.932318210601807, 156 / 180),
    "miniimagenet": (0.45112478733062744, 0.5218629240989685, 4.229800224304199, 162 / 180),
}


def _run(dataset, kernel):
    model = learner("maml", dataset=dataset, shape=SHAPE, kernel=kernel)
    source = task_source(shape=SHAPE)
    state = TrainState.start(model, 0)
    losses = [float(train_step(state, source).loss) for _ in range(4)]
    accuracy = float(model.accuracies(source.images, episodes(source, 30)).mean())
    norm = float(torch.cat([p.detach().flatten() for p in model.parameters()]).norm())
    return losses[0], losses[-1], norm, accuracy


@pytest.mark.parametrize("kernel", ["manual", "autograd"])
@pytest.mark.parametrize("dataset", GOLDEN)
def test_metrics_stay_within_rounding(dataset, kernel):
    *numbers, accuracy = _run(dataset, kernel)
    *expected, expected_accuracy = GOLDEN[dataset]
    assert numbers == pytest.approx(expected, rel=1e-4)
    # Two of 180 queries.
    assert accuracy == pytest.approx(expected_accuracy, abs=2.5 / 180)
