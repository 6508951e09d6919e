"""ProtoNets against its slow twin in `loops`, in double precision."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.meta.loops import accuracy, cross_entropy, encoder_blocks, protonets_episode
from tests.unit.meta.tiny import assert_close_in_double, gradients, learner, random_batch

IMAGES = 30


def _randomized(shape, **changes):
    """Return a learner whose scales, betas and running statistics are not the first ones."""
    model = learner("protonets", shape=shape, double=True, **changes)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for _, scale, shift, mean, variance in encoder_blocks(model):
            for values in (shift, mean):
                values.normal_(0, 0.2, generator=generator)
            scale.uniform_(0.5, 2, generator=generator)
            variance.uniform_(0.02, 0.1, generator=generator)
    noise = np.random.default_rng(0).integers(0, 256, (IMAGES, *shape), dtype=np.uint8)
    return model, torch.from_numpy(noise)


def _slow_step(model, images, batch):
    """Return loss, accuracy, gradients and running statistics after the tasks of an update."""
    blocks = encoder_blocks(model)
    kept = [[value.clone() for value in block[3:]] for block in blocks]
    losses, right, (_, way, per_class) = [], [], batch.query.shape
    for support, query in zip(batch.support, batch.query, strict=True):
        logits, used = protonets_episode(blocks, images, support, query, running=False)
        losses.append(cross_entropy(logits, per_class) / way)
        right.append(accuracy(logits, per_class))
        for (mean, variance), (own_mean, own_variance, size) in zip(kept, used, strict=True):
            mean += 0.1 * (own_mean - mean)
            variance += 0.1 * (own_variance * size / (size - 1) - variance)
    loss = sum(losses) / len(losses)
    slopes = torch.autograd.grad(loss, list(model.parameters()))
    return loss.detach(), np.mean(right), slopes, kept


def _check_step(model, images, batch):
    loss, right, slopes, kept = _slow_step(model, images, batch)
    metrics = model.accumulate_gradients(images, batch)
    assert_close_in_double(metrics.loss, loss)
    assert float(metrics.accuracy) == pytest.approx(right, rel=1e-12)
    # The last shift moves all features alike, so that its gradient is near zero.
    largest = max(float(slope.abs().max()) for slope in slopes)
    for mine, slow in zip(gradients(model), slopes, strict=True):
        torch.testing.assert_close(mine, slow, rtol=1e-10, atol=1e-10 * largest)
    for block, statistics in zip(encoder_blocks(model), kept, strict=True):
        for mine, slow in zip(block[3:], statistics, strict=True):
            assert_close_in_double(mine, slow)


@torch.no_grad()
def _check_evaluation(model, images, batch):
    """Logits hold up to a constant of each query: they are compared after a log-softmax."""
    blocks, per_class = encoder_blocks(model), batch.query.shape[2]
    tasks = zip(batch.support, batch.query, strict=True)
    slow = [protonets_episode(blocks, images, *task, running=True)[0] for task in tasks]
    mine = model.query_logits(images, batch).log_softmax(2)
    assert_close_in_double(mine, torch.stack(slow).log_softmax(2))
    right = [accuracy(logits, per_class) for logits in slow]
    assert model.accuracies(images, batch).tolist() == pytest.approx(right, rel=1e-12)


COUNT = st.integers(1, 3)


@settings(max_examples=12, deadline=None)
@given(
    sides=st.tuples(st.integers(16, 25), st.integers(16, 25)),
    channels=st.sampled_from([1, 3]),
    way=st.integers(2, 4),
    counts=st.tuples(COUNT, COUNT, COUNT, COUNT),
    images_at_once=st.sampled_from([1, 4, 256]),
)
def test_any_episode_on_any_images(sides, channels, way, counts, images_at_once):
    shot, query, tasks, filters = counts
    model, images = _randomized(
        (*sides, channels), way=way, filters=filters, images_at_once=images_at_once
    )
    batch = random_batch(IMAGES, tasks, way, shot, query, apart=True)
    _check_evaluation(model, images, batch)
    _check_step(model, images, batch)
    _check_evaluation(model, images, batch)  # with the statistics that the step has moved


@pytest.mark.parametrize(
    ("dataset", "shape", "way"), [("omniglot", (28, 28, 1), 20), ("miniimagenet", (84, 84, 3), 5)]
)
def test_the_papers_sizes(dataset, shape, way):
    model, images = _randomized(shape, dataset=dataset, way=way, filters=2)
    _check_step(model, images, random_batch(IMAGES, 2, way, 1, 2, apart=True))
    _check_evaluation(model, images, random_batch(IMAGES, 3, 5, 2, 2, seed=1, apart=True))
