"""Derivatives by hand against automatic differentiation, which test_maml checks against loops."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cactus.meta.maml.derivatives import Conv4Derivatives
from cactus.meta.maml.inner_loop import InnerLoop, Labeled
from cactus.meta.maml.network import TaskConv4
from cactus.tasks.episodes import EpisodeBatch
from tests.unit.meta.tiny import assert_close_in_double, episodes, gradients, learner, task_source


def _both_kernels(shape, tasks, **changes):
    """Return metrics and gradients by hand and by autograd, at randomized parameters."""
    numbers = np.random.default_rng(0)
    way, shot, query = (changes[name] for name in ("way", "shot", "query"))
    images = torch.from_numpy(numbers.integers(0, 256, (60, *shape), dtype=np.uint8))
    batch = EpisodeBatch(
        numbers.integers(0, 60, (tasks, way, shot)), numbers.integers(0, 60, (tasks, way, query))
    )
    results = []
    for kernel in ("manual", "autograd"):
        model = learner("maml", shape=shape, double=True, kernel=kernel, **changes)
        generator = torch.Generator().manual_seed(3)
        with torch.no_grad():
            for parameter in [*model.shifts, model.weights[5]]:
                parameter.normal_(0, 0.3, generator=generator)
        metrics = model.accumulate_gradients(images, batch)
        results.append([*metrics, *gradients(model), model.query_logits(images, batch)])
    return results


def _odd_net(pool):
    """Return a 3-way net of 3 filters for 17x18 images of 2 channels."""
    return TaskConv4(
        (17, 18, 2),
        3,
        3,
        downsampling="max_pool" if pool else "stride",
        head="flatten",
        batch_norm_eps=1e-3,
    )


SIDES = st.integers(16, 21)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(
    sides=st.tuples(SIDES, SIDES),
    channels=st.sampled_from([1, 3]),
    pool=st.booleans(),
    flatten=st.booleans(),
    first_order=st.booleans(),
    way=st.integers(2, 4),
    shot=st.integers(1, 3),
    query=st.integers(1, 3),
    steps=st.integers(1, 4),
    tasks=st.integers(1, 4),
    at_once=st.sampled_from([1, 2, "auto"]),
    filters=st.integers(1, 4),
)
def test_every_shape_order_way_shot_and_number_of_steps(
    sides, channels, pool, flatten, first_order, way, shot, query, steps, tasks, at_once, filters
):
    two_values = not pool and sides == (16, 16) and way * min(shot, query) == 2
    assume(not two_values)  # the next test's case
    by_hand, by_autograd = _both_kernels(
        (*sides, channels),
        tasks,
        downsampling="max_pool" if pool else "stride",
        head="flatten" if flatten else "spatial_mean",
        first_order=first_order,
        way=way,
        shot=shot,
        query=query,
        inner_steps=steps,
        evaluation_steps=steps,
        tasks_at_once=at_once,
        filters=filters,
    )
    for mine, expected in zip(by_hand, by_autograd, strict=True):
        assert_close_in_double(mine, expected)


@pytest.mark.parametrize("first_order", [False, True])
@pytest.mark.parametrize(("shot", "query"), [(1, 1), (1, 2), (2, 1)])
def test_batch_norm_over_two_values(first_order, shot, query):
    # Normalized, they are 1 and -1 whatever the weights before: the gradient in those all but
    # vanishes, and what is left of it are the digits that its terms lose to each other. So the
    # measure is the largest entry of the whole meta-gradient.
    by_hand, by_autograd = _both_kernels(
        (16, 16, 3),
        2,
        first_order=first_order,
        way=2,
        shot=shot,
        query=query,
        inner_steps=2,
        filters=3,
    )
    (*first, logits), (*second, slow_logits) = by_hand, by_autograd
    mine, slow = (torch.cat([value.flatten() for value in values]) for values in (first, second))
    assert_close_in_double(mine, slow)
    assert_close_in_double(logits, slow_logits)


@pytest.mark.slow
@pytest.mark.parametrize("first_order", [False, True])
@pytest.mark.parametrize(
    ("dataset", "shape", "way"), [("omniglot", (28, 28, 1), 20), ("miniimagenet", (84, 84, 3), 5)]
)
def test_the_papers_nets_at_their_size(dataset, shape, way, first_order):
    by_hand, by_autograd = _both_kernels(
        shape,
        2,
        dataset=dataset,
        filters=2,
        way=way,
        shot=1,
        query=2,
        inner_steps=5,
        first_order=first_order,
    )
    for mine, expected in zip(by_hand, by_autograd, strict=True):
        assert_close_in_double(mine, expected)


@pytest.mark.parametrize("pool", [False, True])
@pytest.mark.parametrize("sizes", [(1, 1, 1), (1, 2), (2, 1)])
def test_the_query_may_come_in_pieces(sizes, pool):
    net = _odd_net(pool)
    generator = torch.Generator().manual_seed(2)
    weights, betas = (
        [value.double() for value in values]
        for values in (net.initial_weights("normal", generator), net.initial_betas())
    )
    support, query = (
        torch.randn(3 * n, 3 * 2, 17, 18, generator=generator, dtype=torch.float64) for n in (1, 2)
    )

    def derive(pieces):
        labeled = [Labeled(images, 3, 2) for images in pieces]
        found = InnerLoop(net, 0.05).meta_gradient(
            weights, betas, Labeled(support, 3, 1), labeled, 2, second_order=True
        )
        return [*found.weights, *found.betas, found.logits]

    channels = [2 * size for size in sizes]
    for mine, whole in zip(derive(query.split(channels, 1)), derive([query]), strict=True):
        assert_close_in_double(mine, whole)


@pytest.mark.parametrize("pool", [False, True])
def test_the_hessian_is_symmetric(pool):
    net = _odd_net(pool)
    generator = torch.Generator().manual_seed(1)

    def draw(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    shapes = [(6, 2, 3, 3), *[(6, 3, 3, 3)] * 3, (2, net.features, 3), (2, 1, 3)]
    weights, one, other = ([draw(*shape) for shape in shapes] for _ in range(3))
    betas, targets = [draw(6) for _ in range(4)], torch.eye(3, dtype=torch.float64).repeat(2, 1)
    derivatives = Conv4Derivatives(net)
    forward = derivatives.forward(derivatives.pad(draw(6, 4, 17, 18)), weights, betas)
    backward = derivatives.backward(forward, weights, targets)
    products = [
        derivatives.hvp(forward, backward, weights, direction, targets)[0]
        for direction in (one, other)
    ]
    across = sum((a * b).sum() for a, b in zip(products[0], other, strict=True))
    back = sum((a * b).sum() for a, b in zip(products[1], one, strict=True))
    assert float(across) == pytest.approx(float(back), rel=1e-10)


@pytest.mark.parametrize("first_order", [False, True])
def test_repetition_gives_the_same_bits(first_order):
    results = []
    for _ in range(2):
        model, source = learner("maml", first_order=first_order, tasks_at_once=1), task_source()
        model.accumulate_gradients(source.images, episodes(source, 5))
        results.append(gradients(model))
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))


def test_gradients_add_up_as_those_of_autograd_do():
    model, source = learner("maml", double=True), task_source()
    batch = episodes(source, 3)
    model.accumulate_gradients(source.images, batch)
    once = gradients(model)
    model.accumulate_gradients(source.images, batch)
    assert all(torch.equal(twice, 2 * g) for twice, g in zip(gradients(model), once, strict=True))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_derives_by_hand_what_a_cpu_derives_by_autograd():
    results = []
    for device, kernel in (("cuda", "manual"), ("cpu", "autograd")):
        model = learner("maml", double=True, kernel=kernel).to(device)
        source = task_source(device=torch.device(device))
        model.accumulate_gradients(source.images, episodes(source, 3))
        results.append([gradient.cpu() for gradient in gradients(model)])
    for mine, expected in zip(*results, strict=True):
        torch.testing.assert_close(mine, expected, rtol=1e-8, atol=1e-9)
