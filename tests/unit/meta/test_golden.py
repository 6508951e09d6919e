"""Metrics of small trainings, held so that no speed-up changes a result beyond rounding.

The numbers were computed in float32 by automatic differentiation, before the derivatives by hand.
Both kernels of MAML repeat them to 1e-6, on plain x86-64, AVX2 and AVX-512 processors alike. More
updates would not work, because ReLUs that flip make rounding grow (after ten updates at a tenfold
rate, a different grouping of tasks alone moves a loss by a tenth).
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


# The same of ProtoNets by the initial scales of batch normalization: with ones, also to 1e-6 at any
# number of threads and in double precision; with uniform ones, to 4e-5.
PROTONETS_GOLDEN = {
    "uniform": (1.0527398951, 0.9978050288, 3.3966551211, 107 / 180),
    "ones": (0.6005346179, 0.6078755259, 4.6244935989, 119 / 180),
}


def _run(name, dataset, **changes):
    model = learner(name, dataset=dataset, shape=SHAPE, **changes)
    source = task_source(shape=SHAPE)
    state = TrainState.start(model, 0)
    losses = [float(train_step(state, source).loss) for _ in range(4)]
    accuracy = float(model.accuracies(source.images, episodes(source, 30)).mean())
    norm = float(torch.cat([p.detach().flatten() for p in model.parameters()]).norm())
    return losses[0], losses[-1], norm, accuracy


@pytest.mark.parametrize("kernel", ["manual", "autograd"])
@pytest.mark.parametrize("dataset", GOLDEN)
def test_metrics_stay_within_rounding(dataset, kernel):
    _check(_run("maml", dataset, kernel=kernel), GOLDEN[dataset])


@pytest.mark.parametrize("gamma", PROTONETS_GOLDEN)
def test_metrics_of_protonets_stay_within_rounding(gamma):
    _check(_run("protonets", "omniglot", batch_norm_gamma=gamma), PROTONETS_GOLDEN[gamma])


def _check(run, golden):
    *numbers, accuracy = run
    *expected, expected_accuracy = golden
    assert numbers == pytest.approx(expected, rel=1e-4)
    # Two of 180 queries.
    assert accuracy == pytest.approx(expected_accuracy, abs=2.5 / 180)
