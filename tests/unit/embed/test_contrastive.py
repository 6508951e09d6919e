import copy
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F
from torch.optim.lr_scheduler import OneCycleLR

from cactus.embed.contrastive import (
    ResidualBlock,
    ResidualEncoder,
    convolutional_encoder,
    nt_xent_loss,
    one_cycle_rate,
    similarities,
)
from cactus.embed.registry import build
from cactus.errors import ConfigError


def _plain_loss(first, second, temperature: float) -> float:
    """Return equation 1 of the paper, one pair at a time."""
    views = [*first, *second]
    losses = []
    for i, view in enumerate(views):
        partner = (i + len(first)) % len(views)
        likeness = [
            math.exp(view @ other / (np.linalg.norm(view) * np.linalg.norm(other)) / temperature)
            for other in views
        ]
        others = sum(likeness[:i]) + sum(likeness[i + 1 :])
        losses.append(-math.log(likeness[partner] / others))
    return sum(losses) / len(losses)


@pytest.mark.parametrize("count", [1, 2, 7])
@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_loss_and_gradient(count: int, temperature: float) -> None:
    first, second = np.random.default_rng(4).normal(size=(2, count, 3))
    tensors = [torch.tensor(one, requires_grad=True) for one in (first, second)]
    loss = nt_xent_loss(similarities(*tensors, temperature))
    expected = _plain_loss(first, second, temperature)
    assert loss.item() == pytest.approx(expected, rel=1e-10, abs=1e-12)
    loss.backward()
    for row, column in np.ndindex(count, 3):
        step = np.zeros_like(first)
        step[row, column] = 1e-6
        ends = [_plain_loss(first + move, second, temperature) for move in (step, -step)]
        assert tensors[0].grad[row, column].item() == pytest.approx(
            (ends[0] - ends[1]) / 2e-6, rel=1e-4, abs=1e-6
        )


def test_loss_ignores_lengths_and_is_low_for_equal_views() -> None:
    views = torch.eye(6, dtype=torch.float64)
    loss = nt_xent_loss(similarities(views, 5 * views, 0.1))
    assert loss.item() == pytest.approx(math.log(1 + 10 * math.exp(-10)))
    alike = torch.ones(6, 3, dtype=torch.float64)
    assert nt_xent_loss(similarities(alike, alike, 0.1)).item() == pytest.approx(math.log(11))


@pytest.mark.parametrize("steps", [4, 10, 1000])
def test_rate_is_pytorchs_one_cycle(steps: int) -> None:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], 1.0)
    schedule = OneCycleLR(optimizer, 0.003, steps, cycle_momentum=False)
    for step in range(steps):
        rate = one_cycle_rate(step, steps, 0.003)
        assert rate == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-9)
        optimizer.step()
        if step < steps - 1:
            schedule.step()


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_few_steps_start_at_the_highest_rate(steps: int) -> None:
    rates = [one_cycle_rate(step, steps, 0.5) for step in range(steps)]
    assert rates[0] == 0.5
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] > 0


def test_encoders_of_the_defaults() -> None:
    net = convolutional_encoder(1, 96, 128)
    filters = [layer.out_channels for layer in net if isinstance(layer, nn.Conv2d)]
    assert filters == [96, 96, 96, 128]
    assert net(torch.rand(2, 1, 28, 28)).shape == (2, 3 * 3 * 128)
    assert ResidualEncoder(3, (4, 8, 16, 32))(torch.rand(2, 3, 84, 84)).shape == (2, 32)


def test_convolutional_encoder_in_plain_steps() -> None:
    net = convolutional_encoder(2, 3, 4).eval()
    for norm in (layer for layer in net if isinstance(layer, nn.BatchNorm2d)):
        nn.init.uniform_(norm.weight, -1, 1)  # also negative, where pooling comes before it
        nn.init.uniform_(norm.running_mean)
    first, second, third, last = (layer for layer in net if isinstance(layer, nn.Conv2d))
    norms = [layer for layer in net if isinstance(layer, nn.BatchNorm2d)]
    images = torch.rand(3, 2, 16, 16)
    values = images
    for convolution, norm in zip((first, second, third), norms, strict=True):
        values = torch.max_pool2d(norm(convolution(values)).relu(), 2)
    torch.testing.assert_close(net(images), last(values).flatten(1))


@pytest.mark.parametrize("channels", [1, 3, 8])
@pytest.mark.parametrize("size", [15, 28])
def test_residual_block_in_plain_steps(channels: int, size: int) -> None:
    block = ResidualBlock(channels, 16).double()
    images = torch.rand(5, channels, size, size, dtype=torch.float64, requires_grad=True)
    first, norm, _, second, last = block.residual
    aside, of_aside = block.shortcut
    maps = norm(F.conv2d(images, first.weight, stride=2, padding=1)).relu()
    maps = last(F.conv2d(maps, second.weight, padding=1))
    expected = (maps + of_aside(F.conv2d(images, aside.weight, stride=2))).relu()
    torch.testing.assert_close(block(images), expected)
    weights = list(block.parameters())
    slopes = torch.autograd.grad(expected.square().sum(), weights)
    # On a CPU, single precision takes oneDNN's kernels, some of which are wrong for few channels.
    single = copy.deepcopy(block).float().to(memory_format=torch.channels_last)
    inputs = images.detach().float().to(memory_format=torch.channels_last)
    single(inputs).square().sum().backward()
    bound = 1e-4 * max(float(slope.abs().max()) for slope in slopes)
    for weight, slope in zip(single.parameters(), slopes, strict=True):
        torch.testing.assert_close(weight.grad, slope.float(), rtol=1e-3, atol=bound)


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize(("network", "dims"), [("conv", 32), ("resnet", 8)])
def test_vectors(normalize: bool, network: str, dims: int, tiny_settings, fit, blobs) -> None:
    settings = tiny_settings("contrastive", normalize=normalize, network=network)
    vectors = fit("contrastive", settings, blobs[0]).encode(blobs[0][:9])
    assert vectors.shape == (9, dims)
    lengths = np.linalg.norm(vectors, axis=1)
    assert np.allclose(lengths, 1, atol=1e-5) == normalize


@pytest.mark.parametrize("quarter_turns", [True, False])
def test_both_views_have_the_same_quarter_turn(
    quarter_turns: bool, tiny_settings, monkeypatch
) -> None:
    seen = []
    monkeypatch.setattr(
        "cactus.embed.contrastive.random_views", lambda images, *_: seen.append(images) or images
    )
    settings = tiny_settings("contrastive", views={"quarter_turns": quarter_turns})
    method = build("contrastive", settings, (16, 16, 1), 0, torch.device("cpu"))
    images = torch.randint(0, 256, (12, 1, 16, 16), dtype=torch.uint8)
    method.train_step(images, torch.arange(12))
    first, second = seen[0].chunk(2)
    assert torch.equal(first, second)
    assert torch.equal(first, images / 255) != quarter_turns


def test_rate_follows_the_step(tiny_settings, fit, blobs) -> None:
    embedding = fit("contrastive", tiny_settings("contrastive", learning_rate=0.02), blobs[0])
    assert embedding.adam.param_groups[0]["lr"] == pytest.approx(0.02 / 250_000)


@pytest.mark.slow
def test_partners_are_found_with_training(tiny_settings, fit, blobs, tmp_path: Path) -> None:
    weak = {"rotation": 5, "scale": 0.05, "shear": 0.05, "shift": 0.02, "elastic": 0.01}
    settings = tiny_settings(
        "contrastive", iterations=60, log_every=20, batch_size=32, filters=8, views=weak
    )
    embedding = fit("contrastive", settings, blobs[0])
    curve = [json.loads(line) for line in (tmp_path / "metrics.jsonl").open()]
    assert curve[-1]["loss"] < 0.9 * curve[0]["loss"]
    assert curve[-1]["accuracy"] > 20 / 63  # twenty times that of guessing
    embedding.diagnose(blobs[0], tmp_path / "picture.png")
    pitch = 16 * 4 + 2
    assert Image.open(tmp_path / "picture.png").size == (12 * pitch + 2, 12 * pitch + 2)


def test_picture_shows_the_nearest_neighbors_and_leaves_the_generators_alone(
    tiny_settings, fit, blobs, tmp_path: Path
) -> None:
    images = np.concatenate([blobs[0][:6], blobs[0][:6]])
    embedding = fit("contrastive", tiny_settings("contrastive"), images)
    before = embedding.noise_generator.get_state()
    embedding.diagnose(images, tmp_path / "picture.png")
    assert torch.equal(embedding.noise_generator.get_state(), before)
    picture, pitch = np.asarray(Image.open(tmp_path / "picture.png")), 16 * 4 + 2
    for row in range(12):  # an image, four views, then its double
        line = picture[2 + row * pitch : 2 + row * pitch + 64]
        assert np.array_equal(line[:, 2:66], line[:, 2 + 5 * pitch : 66 + 5 * pitch])
    two = fit("contrastive", tiny_settings("contrastive"), blobs[0][:2])
    two.diagnose(blobs[0][:2], tmp_path / "picture.png")
    assert Image.open(tmp_path / "picture.png").size == (6 * pitch + 2, 2 * pitch + 2)


def test_views_that_cannot_differ_are_refused(tiny_settings) -> None:
    idle = dict.fromkeys(("rotation", "scale", "shear", "shift", "elastic"), 0.0)
    with pytest.raises(ValueError, match="would be the same"):
        tiny_settings("contrastive", views={**idle, "quarter_turns": True})
    assert tiny_settings("contrastive", views={**idle, "flip": True})


@pytest.mark.parametrize("key", ["jitter", "grayscale"])
def test_colors_of_gray_images_are_refused(key: str, tiny_settings) -> None:
    settings = tiny_settings("contrastive", views={key: 0.5, "rotation": 9.0})
    with pytest.raises(ConfigError, match="without colors") as caught:
        build("contrastive", settings, (28, 28, 1), 0, torch.device("cpu"))
    assert caught.value.where == f"the contrastive embedding's views.{key}"
    assert build("contrastive", settings, (28, 28, 3), 0, torch.device("cpu"))
