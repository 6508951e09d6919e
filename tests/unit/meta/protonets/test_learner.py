import numpy as np
import pytest
import torch

from cactus.meta.protonets import learner as protonets
from cactus.meta.protonets.learner import prototype_logits
from cactus.tasks.episodes import EpisodeBatch
from tests.unit.meta.tiny import CPU, episodes, gradients, learner, task_source

SHAPE = (16, 16, 1)


def _model(**changes):
    return learner("protonets", shape=SHAPE, double=True, **changes)


def _trained(**changes):
    """Return a learner whose running statistics are no longer the initial ones."""
    model, source = _model(**changes), task_source(shape=SHAPE)
    for seed in range(5):
        model.accumulate_gradients(source.images, episodes(source, 1, seed))
    model.zero_grad()
    return model, source


def _scaled(images, indices):
    return images.numpy()[indices.reshape(-1)].transpose(0, 3, 1, 2) / 255


def _log_softmax(values):
    top = values.max(axis=1, keepdims=True)
    return values - top - np.log(np.exp(values - top).sum(axis=1, keepdims=True))


def _formula(support, query):
    """Return loss and accuracy from features (way, shot, d) and (way, query, d)."""
    prototypes = support.mean(axis=1)
    queries = query.reshape(-1, query.shape[2])
    distances = ((queries[:, None] - prototypes[None]) ** 2).sum(axis=2)
    labels = np.repeat(np.arange(len(support)), query.shape[1])
    chosen = _log_softmax(-distances)[np.arange(len(queries)), labels]
    return -chosen.mean(), (distances.argmin(axis=1) == labels).mean()


def test_training_loss_is_the_formula_on_one_joint_batch():
    model, source = _trained()
    batch = episodes(source, 1)
    indices = np.concatenate([batch.support.reshape(-1), batch.query.reshape(-1)])
    model.encoder.train()
    joint = model.encoder(torch.from_numpy(_scaled(source.images, indices))).detach().numpy()
    support, query = joint[:6].reshape(3, 2, -1), joint[6:].reshape(3, 2, -1)
    loss, accuracy = _formula(support, query)
    metrics = model.accumulate_gradients(source.images, batch)
    assert float(metrics.loss) == pytest.approx(loss, rel=1e-10)
    assert float(metrics.accuracy) == pytest.approx(accuracy)


def test_gradient_agrees_with_finite_differences():
    model, source = _trained()
    batch = episodes(source, 1)
    model.accumulate_gradients(source.images, batch)
    generator = torch.Generator().manual_seed(9)
    directions = [
        torch.randn(p.shape, generator=generator, dtype=p.dtype) for p in model.parameters()
    ]
    slope = sum(float((g * d).sum()) for g, d in zip(gradients(model), directions, strict=True))
    losses = []
    for step in (1e-6, -2e-6):
        with torch.no_grad():
            for parameter, direction in zip(model.parameters(), directions, strict=True):
                parameter.add_(direction, alpha=step)
        losses.append(float(model.loss(source.images, batch)[0].detach()))
    assert (losses[0] - losses[1]) / 2e-6 == pytest.approx(slope, rel=1e-5)


def test_several_tasks_average_their_gradients():
    batch = episodes(task_source(shape=SHAPE), 2)
    means = []
    for parts in (
        [batch],
        [EpisodeBatch(batch.support[i : i + 1], batch.query[i : i + 1]) for i in range(2)],
    ):
        model, source = _trained()
        for part in parts:
            model.accumulate_gradients(source.images, part)
        means.append([gradient / len(parts) for gradient in gradients(model)])
    for together, apart in zip(*means, strict=True):
        torch.testing.assert_close(together, apart, rtol=1e-10, atol=1e-12)


def test_evaluation_is_the_formula_on_features_by_running_statistics():
    model, source = _trained()
    batch = episodes(source, 4)
    model.encoder.eval()
    scores = []
    for support, query in zip(batch.support, batch.query, strict=True):
        features = [
            model.encoder(torch.from_numpy(_scaled(source.images, part))).detach().numpy()
            for part in (support, query)
        ]
        scores.append(_formula(*(part.reshape(3, 2, -1) for part in features))[1])
    np.testing.assert_allclose(model.accuracies(source.images, batch).numpy(), scores)


def test_evaluation_changes_nothing_in_the_model():
    model, source = _trained()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model.accuracies(source.images, episodes(source, 3))
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_training_moves_the_running_statistics():
    model, source = _trained()
    before = model.encoder.block1[1].running_mean.clone()
    model.accumulate_gradients(source.images, episodes(source, 1))
    assert not torch.equal(model.encoder.block1[1].running_mean, before)


def test_predictions_do_not_depend_on_the_other_queries():
    model, source = _trained()
    batch = episodes(source, 3)
    query = batch.query.copy()
    query[:, :, 1] = np.roll(query[:, :, 1], 1, axis=0)
    first = model.query_logits(source.images, batch).reshape(3, 3, 2, 3)[:, :, 0]
    second = model.query_logits(source.images, EpisodeBatch(batch.support, query))
    torch.testing.assert_close(second.reshape(3, 3, 2, 3)[:, :, 0], first, rtol=1e-10, atol=1e-10)


def test_images_at_once_does_not_matter():
    model, source = _trained()
    batch = episodes(source, 4)
    logits = model.query_logits(source.images, batch)
    model.speed = model.speed.model_copy(update={"images_at_once": 5})
    again = model.query_logits(source.images, batch)
    torch.testing.assert_close(again, logits, rtol=1e-10, atol=1e-10)


def test_one_model_serves_every_way_and_shot():
    model, _ = _trained()
    wide = task_source(shape=SHAPE, way=7, shot=4, query=3)
    assert model.query_logits(wide.images, episodes(wide, 2)).shape == (2, 21, 7)


def test_nearness_is_minus_squared_distance_up_to_a_constant_per_query():
    generator = np.random.default_rng(0)
    queries, prototypes = generator.normal(size=(2, 5, 7)), generator.normal(size=(2, 3, 7))
    distances = ((queries[:, :, None] - prototypes[:, None]) ** 2).sum(axis=3)
    near = prototype_logits(torch.from_numpy(queries), torch.from_numpy(prototypes)).numpy()
    constant = (queries**2).sum(axis=2, keepdims=True).repeat(3, axis=2)
    np.testing.assert_allclose(near + distances, constant, rtol=1e-12)


@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_images_and_weights_have_the_layout_of_the_device(layout, monkeypatch):
    monkeypatch.setattr(protonets, "convolution_layout", lambda *_: layout)
    model, source = (
        learner("protonets", shape=(16, 16, 3), filters=4),
        task_source(shape=(16, 16, 3)),
    )
    seen = []
    for block in model.encoder.children():
        if isinstance(block, torch.nn.Sequential):
            block[0].register_forward_hook(lambda _, given, made: seen.extend([*given, made]))
    model.accumulate_gradients(source.images, episodes(source, 1))
    model.accuracies(source.images, episodes(source, 2))
    weights = [block[0].weight for block in list(model.encoder.children())[:4]]
    assert len(seen) >= 16
    for tensor in (*seen, *weights):
        assert tensor.is_contiguous(memory_format=layout)
    other = {torch.channels_last, torch.contiguous_format} - {layout}
    assert not weights[0].is_contiguous(memory_format=other.pop())


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_computes_the_same_gradient():
    results = []
    for device in (CPU, torch.device("cuda")):
        model, source = _model(), task_source(shape=SHAPE)
        model.to(device).accumulate_gradients(source.images.to(device), episodes(source, 2))
        results.append([gradient.cpu() for gradient in gradients(model)])
    for mine, cpu in zip(results[1], results[0], strict=True):
        torch.testing.assert_close(mine, cpu, rtol=1e-8, atol=1e-9)
