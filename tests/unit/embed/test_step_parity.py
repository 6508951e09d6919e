"""A training step of each method against its losses summed example by example, in double precision.

The twin of a network is a copy of it; what is checked is which images, codes and answers enter
which loss with which weight, and that each optimizer gets the gradient of its own loss alone.
"""

import copy
import math

import numpy as np
import pytest
import torch
from torch import nn

from cactus.embed import contrastive, deepcluster
from cactus.embed.registry import build
from tests.unit.embed.tiny import settings

BATCH = 6


def _images(size, channels=1):
    noise = np.random.default_rng(0).integers(0, 256, (BATCH, channels, size, size), dtype=np.uint8)
    return torch.from_numpy(noise)


def _in_double(name, size, channels=1, **keys):
    """Return an embedding in double precision, a copy of its networks, and a list of its draws."""
    chosen = settings(name, working_size=size, **keys)
    method = build(name, chosen, (size, size, channels), 0, torch.device("cpu"))
    method.nets.double()
    draw, drawn = method.uniform, []

    def uniform(*shape, **bounds):
        drawn.append(draw(*shape, **bounds).double())
        return drawn[-1]

    method.uniform = uniform
    return method, copy.deepcopy(method.nets), drawn


@pytest.fixture(autouse=True)
def _no_single_precision(monkeypatch):
    """Let what the methods turn into float32, images and answers, be float64."""
    monkeypatch.setattr(torch.Tensor, "float", torch.Tensor.double)


def _check(net, loss, twin):
    """Compare the gradients that a step has left on a network with those of its loss."""
    parameters = list(twin.parameters())
    slopes = torch.autograd.grad(loss, parameters, retain_graph=True)
    largest = max(float(slope.abs().max()) for slope in slopes)
    assert largest > 0
    for parameter, slope in zip(net.parameters(), slopes, strict=True):
        torch.testing.assert_close(parameter.grad, slope, rtol=1e-10, atol=1e-10 * largest)


def _mean(values):
    return sum(values) / len(values)


def _log(share):
    """Return the logarithm of a probability that is a tensor."""
    return share.log()


def _sure(logit):
    """Return the probability that a logit stands for."""
    return 1 / (1 + (-logit).exp())


@pytest.mark.parametrize("channels", [1, 3])
def test_acai(channels):
    keys = {"critic_weight": 0.7, "gamma": 0.3}
    method, twin, drawn = _in_double("acai", 16, channels, **keys)
    images = _images(16, channels)
    metrics = method.train_step(images, torch.arange(BATCH))
    real = [(image.double() / 127.5 - 1)[None] for image in images]
    codes = [twin["encoder"](image) for image in real]
    copies = [twin["decoder"](code) for code in codes]
    alphas = [min(float(u), 1 - float(u)) for u in drawn[0]]
    of_mixtures, of_blends = [], []
    for i, alpha in enumerate(alphas):
        mixture = twin["decoder"](alpha * codes[i] + (1 - alpha) * codes[BATCH - 1 - i])
        of_mixtures.append(twin["critic"](mixture).mean())
        of_blends.append(twin["critic"](0.3 * real[i] + 0.7 * copies[i].detach()).mean())
    errors = [((one - other) ** 2).mean() for one, other in zip(real, copies, strict=True)]
    autoencoder = _mean(errors) + 0.7 * _mean([answer**2 for answer in of_mixtures])
    misses = [(d - alpha) ** 2 for d, alpha in zip(of_mixtures, alphas, strict=True)]
    critic = _mean(misses) + _mean([answer**2 for answer in of_blends])
    assert float(metrics["autoencoder_loss"]) == pytest.approx(autoencoder.item(), rel=1e-12)
    assert float(metrics["reconstruction_error"]) == pytest.approx(_mean(errors).item(), rel=1e-12)
    assert float(metrics["critic_loss"]) == pytest.approx(critic.item(), rel=1e-12)
    for name in ("encoder", "decoder"):
        _check(method.encoder if name == "encoder" else method.decoder, autoencoder, twin[name])
    _check(method.critic, critic, twin["critic"])


@pytest.mark.parametrize("joint", [True, False])
@pytest.mark.parametrize("networks", ["conv", "mlp"])
def test_bigan(networks, joint):
    signed = networks == "conv"
    keys = {"raw_size": 16, "joint_batch": joint, "networks": networks, "encoder": networks}
    method, twin, drawn = _in_double("bigan", 16, signed_images=signed, affine=signed, **keys)
    for nets in (method.nets, twin):  # it starts at zero, which lets no gradient through
        nn.init.constant_(nets["discriminator"].to_logit.weight, 0.1)
    images = _images(16)
    metrics = method.train_step(images, torch.arange(BATCH))
    real = images.double() / 127.5 - 1 if signed else images.double() / 255
    code = 2 * _sure(twin["encoder"](real)) - 1
    (noise,) = drawn
    assert -1 <= float(noise.min()) < -0.5 < 0.5 < float(noise.max()) <= 1
    made = twin["generator"](noise, noise)
    made = 2 * made - 1 if signed else made
    if joint:
        pairs = torch.cat([real, made]), torch.cat([code, noise])
        answers = twin["discriminator"](*pairs)
        of_real, of_made = answers[:BATCH], answers[BATCH:]
    else:
        of_real, of_made = twin["discriminator"](real, code), twin["discriminator"](made, noise)
    answers = list(zip(of_real, of_made, strict=True))
    told = [(-_log(_sure(a)) - _log(1 - _sure(b))) / 2 for a, b in answers]
    fooled = [(-_log(1 - _sure(a)) - _log(_sure(b))) / 2 for a, b in answers]
    hits = [(a.item() > 0) + (b.item() < 0) for a, b in answers]
    expected = {
        "discriminator_loss": _mean(told).item(),
        "encoder_generator_loss": _mean(fooled).item(),
        "discriminator_accuracy": sum(hits) / (2 * BATCH),
    }
    found = {name: float(value) for name, value in metrics.items()}
    assert found == pytest.approx(expected, rel=1e-7)
    assert float(metrics["discriminator_loss"]) == pytest.approx(_mean(told).item(), rel=1e-12)
    _check(method.discriminator, _mean(told), twin["discriminator"])
    _check(method.encoder, _mean(fooled), twin["encoder"])
    _check(method.generator, _mean(fooled), twin["generator"])


def _information(recognition, features, categorical, continuous):
    """Return the bounds of equation 4 for codes of 3 and 2 values and two continuous ones."""
    of_categorical, of_continuous = [], []
    for i, outputs in enumerate(recognition.to_codes(recognition.layer(features))):
        logits = outputs[:3], outputs[3:5]
        shares = [one.exp() / one.exp().sum() for one in logits]
        likelihood = sum(_log(p[int(c[i])]) for p, c in zip(shares, categorical, strict=True))
        of_categorical.append(likelihood + math.log(3) + math.log(2))
        densities = [
            -((code - mean) ** 2) / 2 - math.log(2 * math.pi) / 2
            for code, mean in zip(continuous[i], outputs[5:], strict=True)
        ]
        of_continuous.append(sum(densities) + 2 * math.log(2))
    return _mean(of_categorical), _mean(of_continuous)


def _trunk(recognition, real, made, *, joint):
    if not joint:
        return recognition.trunk(real), recognition.trunk(made)
    features = recognition.trunk(torch.cat([real, made]))
    return features[:BATCH], features[BATCH:]


@pytest.mark.parametrize("joint", [True, False])
def test_infogan(joint):
    weights = {"categorical_weight": 0.8, "continuous_weight": 0.2}
    codes = {"categorical": [3, 2], "continuous": 2, "noise": 4}
    method, twin, drawn = _in_double("infogan", 16, joint_batch=joint, **codes, **weights)
    draw, chosen = method._draw_codes, []
    method._draw_codes = lambda count: chosen.append(draw(count)) or chosen[-1]
    images = _images(16)
    metrics = method.train_step(images, torch.arange(BATCH))
    ((categorical, continuous),), noise = chosen, drawn[-1]
    hot = [[float(c == value) for value in range(n)] for n, cs in zip((3, 2), categorical,
           strict=True) for c in cs.tolist()]  # fmt: skip
    hot = torch.tensor(hot[:BATCH]), torch.tensor(hot[BATCH:])
    made = twin["generator"](torch.cat([noise, *hot, continuous], 1))
    real, before, after = images.double() / 255, twin["recognition"], method.recognition

    of_real, of_made = _trunk(before, real, made.detach(), joint=joint)
    pairs = zip(before.to_logit(of_real), before.to_logit(of_made), strict=True)
    told = _mean([-_log(_sure(a)) - _log(1 - _sure(b)) for a, b in pairs])
    first, second = _information(before, of_made, categorical, continuous)
    assert float(metrics["discriminator_loss"]) == pytest.approx(float(told.detach()), rel=1e-12)
    _check(method.recognition, (told - 0.8 * first - 0.2 * second).squeeze(), before)

    # The generator plays against the discriminator that has just moved.
    _, of_made = _trunk(after, real, made, joint=joint)
    fooled = _mean([-_log(_sure(answer)) for answer in after.to_logit(of_made)])
    first, second = _information(after, of_made, categorical, continuous)
    assert float(metrics["generator_loss"]) == pytest.approx(float(fooled.detach()), rel=1e-12)
    found = [float(metrics[f"{kind}_information"]) for kind in ("categorical", "continuous")]
    assert found == pytest.approx([first.item(), second.item()], rel=1e-12)
    _check(method.generator, (fooled - 0.8 * first - 0.2 * second).squeeze(), twin["generator"])


def test_contrastive(monkeypatch):
    keys = {"temperature": 0.3, "learning_rate": 0.01, "weight_decay": 0.2, "iterations": 10}
    method, twin, _ = _in_double("contrastive", 16, 3, network="resnet", **keys)
    draw, drawn = contrastive.random_views, []

    def views(images, *arguments):
        drawn.append(draw(images.to(torch.float32), *arguments).double())
        return drawn[-1]

    monkeypatch.setattr(contrastive, "random_views", views)
    method.step = 4
    metrics = method.train_step(_images(16, 3), torch.arange(BATCH))
    projections = [one / one.norm() for one in twin["head"](twin["encoder"](drawn[0]))]
    losses, hits = [], []
    for i, one in enumerate(projections):
        partner = (i + BATCH) % (2 * BATCH)
        cosines = {j: one @ other for j, other in enumerate(projections) if j != i}
        others = sum((cosine / 0.3).exp() for cosine in cosines.values())
        losses.append(-_log((cosines[partner] / 0.3).exp() / others))
        hits.append(max(cosines, key=cosines.get) == partner)
    loss = _mean(losses)
    assert float(metrics["loss"]) == pytest.approx(float(loss.detach()), rel=1e-12)
    assert float(metrics["accuracy"]) == pytest.approx(_mean(hits))
    _check(method.nets, loss, twin)
    # The first step of Adam is that of the sign; the decay is apart from it. Of ten steps, the
    # rate has its highest at the second, and is at 2/7 of its fall in the fourth.
    rate = 0.01 * (1 + math.cos(math.pi * 2 / 7)) / 2
    assert method.adam.param_groups[0]["lr"] == pytest.approx(rate, rel=1e-4)
    for mine, before in zip(method.nets.parameters(), twin.parameters(), strict=True):
        moved = rate * mine.grad / (mine.grad.abs() + 1e-8)
        torch.testing.assert_close(mine, before * (1 - rate * 0.2) - moved, rtol=1e-4, atol=1e-6)


def test_deepcluster(monkeypatch):
    monkeypatch.setattr(deepcluster, "random_resized_crops", lambda images, *_, **__: images)
    method, twin, _ = _in_double("deepcluster", 28, 3, clusters=4, dropout=0.3)
    images, indices = _images(28, 3), torch.tensor([5, 0, 2, 9, 7, 1])
    method.labels = torch.tensor([3, 1, 0, 2, 2, 0, 1, 3, 3, 1])
    generator = torch.Generator()
    generator.set_state(method.noise_generator.get_state())
    metrics = method.train_step(images, indices)
    features = twin["trunk"](images.double() / 255, generator)
    weight, bias = twin["head"].parameters()
    losses, right = [], []
    for feature, label in zip(features, [0, 3, 0, 1, 3, 1], strict=True):
        logits = weight @ feature.clamp(min=0) + bias
        losses.append(-_log(logits.exp()[label] / logits.exp().sum()))
        right.append(int(logits.argmax()) == label)
    assert float(metrics["loss"]) == pytest.approx(float(_mean(losses).detach()), rel=1e-12)
    assert float(metrics["accuracy"]) == pytest.approx(sum(right) / BATCH)
    for name in ("trunk", "head"):
        _check(method.nets[name], _mean(losses), twin[name])
