"""Both kernels of MAML against its slow twin in `loops`, in double precision."""

from contextlib import contextmanager

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cactus.meta.train import TrainState, train_step
from cactus.seeding import numpy_generator
from tests.unit.meta.loops import (
    accuracy,
    adapted,
    maml_logits,
    maml_loss,
    maml_query_logits,
    scaled,
)
from tests.unit.meta.tiny import (
    assert_close_in_double,
    gradients,
    learner,
    random_batch,
    task_source,
)

KERNELS = ["manual", "autograd"]
IMAGES = 60


def _randomized(shape, **changes):
    """Return a learner with non-zero betas and head bias, and images of noise."""
    model = learner("maml", shape=shape, double=True, **changes)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in [*model.shifts, model.weights[5]]:
            parameter.normal_(0, 0.3, generator=generator)
    noise = np.random.default_rng(0).integers(0, 256, (IMAGES, *shape), dtype=np.uint8)
    return model, torch.from_numpy(noise)


@contextmanager
def _on(threads):
    """Give the threads to the code under test alone: they would slow the loops down."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    yield
    torch.set_num_threads(before)


def _check_meta_gradient(model, images, batch, threads=1):
    slow = maml_loss(model, images, batch)
    expected = torch.autograd.grad(slow, list(model.parameters()))
    with _on(threads):
        metrics = model.accumulate_gradients(images, batch)
    _, way, per_class = batch.query.shape
    assert_close_in_double(metrics.loss, slow.detach() / way)
    logits = maml_query_logits(model, images, batch, model.settings.inner_steps)
    right = [accuracy(one, per_class) for one in logits]
    assert float(metrics.accuracy) == pytest.approx(np.mean(right), rel=1e-12)
    for mine, one in zip(gradients(model), expected, strict=True):
        assert_close_in_double(mine, one)


def _check_evaluation(model, images, batch, threads=1):
    steps, per_class = model.settings.evaluation_steps, batch.query.shape[2]
    expected = [one.detach() for one in maml_query_logits(model, images, batch, steps)]
    assert_close_in_double(model.query_logits(images, batch), torch.stack(expected))
    right = [accuracy(one, per_class) for one in expected]
    with _on(threads):
        accuracies = model.accuracies(images, batch)
    assert accuracies.tolist() == pytest.approx(right, rel=1e-12)


STRIDED = st.tuples(st.integers(3, 20), st.integers(3, 20))
POOLED = st.tuples(st.integers(16, 19), st.integers(16, 19))
COUNT = st.integers(1, 3)


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(
    form=st.one_of(st.tuples(st.just("stride"), STRIDED), st.tuples(st.just("max_pool"), POOLED)),
    channels=st.sampled_from([1, 3]),
    head=st.sampled_from(["spatial_mean", "flatten"]),
    first_order=st.booleans(),
    way=st.integers(2, 4),
    unused=st.integers(0, 2),
    counts=st.tuples(COUNT, COUNT, COUNT, COUNT, COUNT),
    at_once=st.tuples(*[st.sampled_from([1, 2, "auto"])] * 2),
    evaluation_steps=st.integers(1, 4),
)
@pytest.mark.parametrize("kernel", KERNELS)
def test_any_episode_on_any_net(
    kernel, form, channels, head, first_order, way, unused, counts, at_once, evaluation_steps
):
    (downsampling, sides), (shot, query, steps, tasks, filters) = form, counts
    model, images = _randomized(
        (*sides, channels),
        kernel=kernel,
        downsampling=downsampling,
        head=head,
        first_order=first_order,
        way=way + unused,
        inner_steps=steps,
        evaluation_steps=evaluation_steps,
        tasks_at_once=at_once[0],
        evaluation_tasks_at_once=at_once[1],
        filters=filters,
    )
    batch = random_batch(IMAGES, tasks, way, shot, query)
    _check_meta_gradient(model, images, batch)
    _check_evaluation(model, images, batch)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(
    ("dataset", "shape", "way"),
    [("omniglot", (28, 28, 1), 20), ("miniimagenet", (84, 84, 3), 5), ("celeba", (84, 84, 3), 2)],
)
def test_the_papers_nets_in_evaluation(dataset, shape, way, kernel):
    """Half as many classes as the head has, where it has more than two."""
    model, images = _randomized(
        shape, dataset=dataset, way=way, filters=2, evaluation_steps=4, kernel=kernel
    )
    _check_evaluation(model, images, random_batch(IMAGES, 2, max(2, way // 2), 1, 2))


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_rate_of_a_twentieth_acts_as_one_at_20_way(kernel):
    """The inner loss is a sum over classes divided by the shot: 20 times the mean at 20-way."""
    model, images = _randomized((28, 28, 1), way=20, filters=2, evaluation_steps=1, kernel=kernel)
    assert model.settings.inner_lr == 0.05
    for shot in (1, 3):
        batch = random_batch(IMAGES, 1, 20, shot, 1)
        weights, betas = list(model.weights), list(model.shifts)
        support = scaled(images, batch.support)
        logits = maml_logits(model.settings, support, weights, betas, 20)
        log_likelihoods = [row.log_softmax(0)[image // shot] for image, row in enumerate(logits)]
        slopes = torch.autograd.grad(-torch.stack(log_likelihoods).mean(), weights)
        moved = [weight - 1.0 * slope for weight, slope in zip(weights, slopes, strict=True)]
        expected = maml_logits(model.settings, scaled(images, batch.query), moved, betas, 20)
        assert_close_in_double(model.query_logits(images, batch)[0], expected.detach())


@pytest.mark.parametrize("kernel", KERNELS)
def test_betas_are_meta_learned_and_not_adapted(kernel):
    """There is no gamma; beta has a gradient, and the inner steps leave it as it is."""
    model, images = _randomized((9, 12, 1), kernel=kernel)
    batch = random_batch(IMAGES, 2, 3, 2, 2)
    filters = model.settings.filters
    shapes = [tuple(parameter.shape) for parameter in model.parameters()]
    convolutions = [(filters, 1, 3, 3), *[(filters, filters, 3, 3)] * 3]
    assert shapes == [*convolutions, (filters, 3), (3,), *[(filters,)] * 4]
    weights = adapted(model, images, batch.support[0], model.settings.evaluation_steps)
    query, still = scaled(images, batch.query[0]), list(model.shifts)
    expected = maml_logits(model.settings, query, weights, still, 3)
    assert_close_in_double(model.query_logits(images, batch)[0], expected.detach())
    model.accumulate_gradients(images, batch)
    assert all(bool(beta.grad.abs().max() > 0) for beta in model.shifts)


def test_the_first_weights_of_the_papers_nets():
    """Spatial mean and N(0, 1) head on 28x28; 800-d Glorot head on 84x84."""
    small = learner("maml", dataset="omniglot", shape=(28, 28, 1), filters=32, way=20)
    assert small.weights[4].shape == (32, 20)
    assert float(small.weights[4].detach().std()) == pytest.approx(1, rel=0.1)
    for dataset, way in (("miniimagenet", 5), ("celeba", 2)):
        large = learner("maml", dataset=dataset, shape=(84, 84, 3), filters=32, way=way)
        head, bound = large.weights[4].detach(), (6 / (800 + way)) ** 0.5
        assert head.shape == (800, way)
        assert 0.98 * bound < float(head.abs().max()) <= bound
        assert float(head.std()) == pytest.approx(bound / 3**0.5, rel=0.05)
        assert large.settings.gradient_clip == 10.0


def _adam(values, slopes, moments, step, rate):
    """Move each value by Kingma and Ba's algorithm 1."""
    for value, slope, (first, second) in zip(values, slopes, moments, strict=True):
        first += 0.1 * (slope - first)
        second += 0.001 * (slope**2 - second)
        corrected = first / (1 - 0.9**step), second / (1 - 0.999**step)
        value -= rate * corrected[0] / (corrected[1].sqrt() + 1e-8)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("clip", [None, 0.02])
def test_outer_updates_are_adams_on_the_clipped_mean_gradient(clip, kernel):
    changes = {"dataset": "miniimagenet", "downsampling": "stride", "inner_steps": 1}
    model, twin = (
        learner("maml", double=True, gradient_clip=clip, kernel=kernel, **changes) for _ in "ab"
    )
    source, state = task_source(), TrainState.start(model, 0)
    episodes, clipped = numpy_generator("training episodes", 0), 0
    moments = [(torch.zeros_like(p), torch.zeros_like(p)) for p in twin.parameters()]
    for step in (1, 2, 3):
        train_step(state, source)
        batch = source.sampler.sample(episodes, 3)
        slow = torch.autograd.grad(maml_loss(twin, source.images, batch), list(twin.parameters()))
        if clip is not None:
            clipped += sum(int((slope.abs() > clip).sum()) for slope in slow)
            slow = [slope.clamp(-clip, clip) for slope in slow]
        with torch.no_grad():
            _adam(list(twin.parameters()), slow, moments, step, model.settings.outer_lr)
    assert (clipped > 0) == (clip is not None)
    for mine, one in zip(model.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(mine, one, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("at_once", [1, 2])
@pytest.mark.parametrize("first_order", [False, True])
def test_parts_on_threads_are_tasks_one_at_a_time(first_order, at_once):
    model, images = _randomized(
        (9, 12, 3),
        way=4,
        first_order=first_order,
        tasks_at_once=at_once,
        evaluation_tasks_at_once=at_once,
    )
    batch = random_batch(IMAGES, 3, 3, 2, 2)
    _check_meta_gradient(model, images, batch, threads=2)
    _check_evaluation(model, images, batch, threads=2)
