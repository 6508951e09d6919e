import numpy as np
import pytest
import torch
from torch.nn import functional as F

from cactus.errors import EpisodeError
from cactus.meta.train import TrainState, train_step
from cactus.seeding import numpy_generator
from cactus.tasks.episodes import EpisodeBatch
from tests.unit.meta.loops import maml_loss
from tests.unit.meta.tiny import CPU, episodes, gradients, learner, task_source

FORMS = {
    "stride": {"dataset": "omniglot", "shape": (10, 10, 1)},
    "max_pool": {"dataset": "miniimagenet", "shape": (18, 18, 3)},
}
# The images of the paper; few filters keep the slow reference bearable.
PAPER = {
    "omniglot": {"dataset": "omniglot", "shape": (28, 28, 1)},
    "miniimagenet": {"dataset": "miniimagenet", "shape": (84, 84, 3)},
}
KERNELS = ["manual", "autograd"]


def _randomized(form, **changes):
    """Return a learner in double precision with non-zero betas and bias, and its episodes."""
    form = (FORMS | PAPER)[form]
    model = learner("maml", **form, double=True, **changes)
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for parameter in [*model.shifts, model.weights[5]]:
            parameter.normal_(0, 0.3, generator=generator)
    source = task_source(shape=form["shape"])
    return model, source.images, episodes(source, 3)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("first_order", [False, True])
def test_meta_gradient_equals_the_slow_reference(form, first_order, kernel):
    model, images, batch = _randomized(
        form, first_order=first_order, tasks_at_once=2, kernel=kernel
    )
    reference = maml_loss(model, images, batch)
    expected = torch.autograd.grad(reference, list(model.parameters()))
    metrics = model.accumulate_gradients(images, batch)
    # The metric is the mean over the three classes, the loss their sum.
    assert float(metrics.loss) * 3 == pytest.approx(float(reference.detach()), rel=1e-12)
    for mine, slow in zip(gradients(model), expected, strict=True):
        torch.testing.assert_close(mine, slow, rtol=1e-10, atol=1e-10 * float(slow.abs().max()))


@pytest.mark.slow
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("form", PAPER)
def test_the_papers_sizes_and_a_head_wider_than_the_episode(form, kernel):
    model, images, batch = _randomized(form, filters=2, way=5, inner_steps=2, kernel=kernel)
    assert model.weights[4].shape == ((2, 5) if form == "omniglot" else (2 * 5 * 5, 5))
    reference = maml_loss(model, images, batch)
    expected = torch.autograd.grad(reference, list(model.parameters()))
    model.accumulate_gradients(images, batch)
    for mine, slow in zip(gradients(model), expected, strict=True):
        torch.testing.assert_close(mine, slow, rtol=1e-10, atol=1e-10 * float(slow.abs().max()))


def test_clipped_outer_gradients_at_84_pixels():
    model, images, _ = _randomized("miniimagenet", filters=2, inner_steps=1, gradient_clip=0.01)
    source = task_source(shape=(84, 84, 3))
    state = TrainState.start(model, 0)
    batch = source.sampler.sample(numpy_generator("training episodes", 0), 3)
    expected = torch.autograd.grad(maml_loss(model, images, batch), list(model.parameters()))
    assert max(float(slow.abs().max()) for slow in expected) > 0.01
    train_step(state, source)
    for mine, slow in zip(gradients(model), expected, strict=True):
        torch.testing.assert_close(mine, slow.clamp(-0.01, 0.01), rtol=1e-10, atol=1e-12)


def test_first_order_leaves_something_out():
    results = []
    for first_order in (False, True):
        model, images, batch = _randomized("stride", first_order=first_order)
        model.accumulate_gradients(images, batch)
        results.append(torch.cat([g.flatten() for g in gradients(model)]))
    assert (results[0] - results[1]).norm() > 0.01 * results[0].norm()


def test_meta_gradient_agrees_with_finite_differences():
    model, images, batch = _randomized("stride")
    model.accumulate_gradients(images, batch)
    generator = torch.Generator().manual_seed(9)
    directions = [
        torch.randn(p.shape, generator=generator, dtype=p.dtype) for p in model.parameters()
    ]
    slope = sum(float((g * d).sum()) for g, d in zip(gradients(model), directions, strict=True))
    losses = []
    for step in (1e-6, -1e-6):
        with torch.no_grad():
            for parameter, direction in zip(model.parameters(), directions, strict=True):
                parameter.add_(direction, alpha=step)
        losses.append(float(_mean_outer_loss(model, images, batch)))
        with torch.no_grad():
            for parameter, direction in zip(model.parameters(), directions, strict=True):
                parameter.sub_(direction, alpha=step)
    assert (losses[0] - losses[1]) / 2e-6 == pytest.approx(slope, rel=1e-5)


def _mean_outer_loss(model, images, batch):
    return model.outer_loss(images, batch)[0].detach() / len(batch.support)


@pytest.mark.parametrize("form", FORMS)
def test_grouping_of_tasks_changes_nothing_but_rounding(form):
    results = []
    for at_once in (1, 2, 3):
        model, images, batch = _randomized(
            form, tasks_at_once=at_once, evaluation_tasks_at_once=at_once, evaluation_steps=4
        )
        metrics = model.accumulate_gradients(images, batch)
        results.append([metrics.loss, *gradients(model), model.accuracies(images, batch)])
    for other in results[1:]:
        for mine, alone in zip(other, results[0], strict=True):
            torch.testing.assert_close(mine, alone, rtol=1e-9, atol=1e-11)


def test_evaluation_takes_its_own_number_of_steps_and_changes_no_weight():
    model, images, batch = _randomized("stride", evaluation_steps=7)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    logits = model.query_logits(images, batch)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    model.settings = model.settings.model_copy(update={"inner_steps": 7})
    loss = _mean_outer_loss(model, images, batch)
    labels = torch.arange(3).repeat_interleave(2).repeat(3)
    expected = F.cross_entropy(logits.flatten(0, 1), labels) * 3
    torch.testing.assert_close(loss, expected, rtol=1e-12, atol=0)


def test_accuracies_are_fractions_of_right_labels():
    model, images, batch = _randomized("stride")
    right = model.query_logits(images, batch).argmax(2).reshape(3, 3, 2) == torch.arange(3)[:, None]
    expected = right.double().mean((1, 2))
    assert model.accuracies(images, batch).tolist() == expected.tolist()


def test_fewer_classes_use_the_first_columns_only():
    model, images, batch = _randomized("stride", way=5)
    logits = model.query_logits(images, batch)
    assert logits.shape == (3, 6, 3)
    narrow = learner("maml", double=True)
    narrow.load_state_dict(
        {
            name: value[..., :3] if name in ("weights.4", "weights.5") else value
            for name, value in model.state_dict().items()
        }
    )
    torch.testing.assert_close(narrow.query_logits(images, batch), logits, rtol=1e-12, atol=1e-12)


def test_an_episode_wider_than_the_head_is_refused():
    source = task_source(way=4)
    with pytest.raises(EpisodeError, match="more classes"):
        learner("maml", way=3).accuracies(source.images, episodes(source, 1))
    with pytest.raises(EpisodeError, match="more classes"):
        learner("maml", way=3).accumulate_gradients(source.images, episodes(source, 1))


def test_predictions_depend_on_the_other_queries():
    model, images, batch = _randomized("stride")
    query = batch.query.copy()
    query[:, :, 1] = np.roll(query[:, :, 1], 1, axis=0)
    first = model.query_logits(images, batch).reshape(3, 3, 2, 3)[:, :, 0]
    second = model.query_logits(images, EpisodeBatch(batch.support, query))
    assert (second.reshape(3, 3, 2, 3)[:, :, 0] - first).abs().max() > 1e-3


def test_permuting_tasks_permutes_accuracies():
    model, images, batch = _randomized("stride")
    swapped = EpisodeBatch(batch.support[::-1], batch.query[::-1])
    expected = model.query_logits(images, batch).flip(0)
    torch.testing.assert_close(model.query_logits(images, swapped), expected, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize(("device", "largest"), [("cpu", 2), ("cuda", 15)])
def test_a_part_of_an_evaluation_has_room_for_the_query_on_a_gpu(device, largest, monkeypatch):
    """On a CPU the support decides, as ever: other parts would give other bits."""
    model, sizes = learner("maml", way=3), []
    batch = EpisodeBatch(np.zeros((7, 3, 2), np.int64), np.zeros((7, 3, 15), np.int64))
    monkeypatch.setattr(model, "parameter_like", lambda: (torch.device(device), torch.float32))
    monkeypatch.setattr(
        "cactus.meta.maml.learner.chunk_size", lambda *given: sizes.append(given[2]) or 1
    )
    model.episodes_at_once(batch)
    image = sizes.pop()
    one = EpisodeBatch(batch.support[:, :, :1], batch.query[:, :, :1])
    model.episodes_at_once(one)
    assert image == largest * sizes.pop()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_computes_the_same_gradient():
    results = []
    for device in (CPU, torch.device("cuda")):
        model, images, batch = _randomized("max_pool")
        model.to(device).accumulate_gradients(images.to(device), batch)
        results.append([gradient.cpu() for gradient in gradients(model)])
    for mine, cpu in zip(results[1], results[0], strict=True):
        torch.testing.assert_close(mine, cpu, rtol=1e-8, atol=1e-9)
