import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cactus.embed.acai import (
    autoencoder_loss,
    critic_loss,
    decoder_network,
    encoder_network,
    fold_alpha,
    mix_codes,
)


@pytest.fixture
def generator() -> np.random.Generator:
    return np.random.default_rng(3)


def test_alpha_is_folded_into_half() -> None:
    uniform = torch.linspace(0, 1, 101, dtype=torch.float64)
    expected = np.minimum(np.linspace(0, 1, 101), 1 - np.linspace(0, 1, 101))
    np.testing.assert_allclose(fold_alpha(uniform).numpy(), expected, atol=1e-15)


def test_mixture_takes_alpha_of_its_own_code(generator: np.random.Generator) -> None:
    codes, alpha = generator.normal(size=(5, 3, 2, 2)), generator.uniform(size=5)
    mixed = mix_codes(torch.tensor(codes), torch.tensor(alpha)).numpy()
    for row in range(5):
        expected = alpha[row] * codes[row] + (1 - alpha[row]) * codes[4 - row]
        np.testing.assert_allclose(mixed[row], expected, atol=1e-15)


def test_autoencoder_loss_and_gradient(generator: np.random.Generator) -> None:
    images, copies = generator.normal(size=(2, 4, 1, 3, 3))
    answers = generator.normal(size=4)
    reconstruction = np.mean((images - copies) ** 2)
    expected = reconstruction + 0.5 * np.mean(answers**2)
    tensors = [torch.tensor(a, requires_grad=True) for a in (copies, answers)]
    loss = autoencoder_loss(torch.tensor(images), tensors[0], tensors[1], 0.5)
    assert loss.item() == pytest.approx(expected, rel=1e-12)
    loss.backward()
    np.testing.assert_allclose(tensors[0].grad, 2 * (copies - images) / copies.size, atol=1e-14)
    np.testing.assert_allclose(tensors[1].grad, 0.5 * 2 * answers / 4, atol=1e-14)


def test_critic_loss_and_gradient(generator: np.random.Generator) -> None:
    mixed, alpha, blended = generator.normal(size=(3, 6))
    tensors = [torch.tensor(a, requires_grad=True) for a in (mixed, blended)]
    loss = critic_loss(tensors[0], torch.tensor(alpha), tensors[1])
    expected = np.mean((mixed - alpha) ** 2) + np.mean(blended**2)
    assert loss.item() == pytest.approx(expected, rel=1e-12)
    loss.backward()
    step = 1e-6
    for value, other, target in ((mixed, 0, alpha), (blended, 1, np.zeros(6))):
        for index in range(6):
            moved = [value.copy(), value.copy()]
            moved[0][index] += step
            moved[1][index] -= step
            numeric = np.subtract(*[np.mean((m - target) ** 2) for m in moved]) / (2 * step)
            assert tensors[other].grad is not None
            assert tensors[other].grad[index].item() == pytest.approx(numeric, abs=1e-8)


def test_networks_have_the_papers_maps() -> None:
    encoder, decoder = encoder_network(1, 16, 3, 16), decoder_network(16, 16, 3, 1)
    filters = [m.out_channels for m in encoder if isinstance(m, torch.nn.Conv2d)]
    assert filters == [16, 16, 16, 32, 32, 64, 64, 128, 16]
    filters = [m.out_channels for m in decoder if isinstance(m, torch.nn.Conv2d)]
    assert filters == [64, 64, 32, 32, 16, 16, 16, 1]
    codes = encoder(torch.zeros(2, 1, 32, 32))
    assert codes.shape == (2, 16, 4, 4)
    assert decoder(codes).shape == (2, 1, 32, 32)


def test_initial_weights_keep_the_authors_variance() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        network = encoder_network(3, 64, 2, 16)
    wide = network[3]
    assert isinstance(wide, torch.nn.Conv2d)
    assert wide.weight.std().item() == pytest.approx((1.04 * 64 * 9) ** -0.5, rel=0.03)
    assert wide.bias is not None
    assert not wide.bias.any()


@pytest.mark.slow
def test_reconstructs_better_with_training(tiny_settings, fit, blobs, tmp_path: Path) -> None:
    settings = tiny_settings("acai", iterations=80, log_every=20, learning_rate=4e-3)
    embedding = fit("acai", settings, blobs[0])
    curve = [json.loads(line) for line in (tmp_path / "metrics.jsonl").open()]
    assert [line["step"] for line in curve] == [20, 40, 60, 80]
    errors = [line["reconstruction_error"] for line in curve]
    assert errors[-1] < 0.6 * errors[0]
    embedding.diagnose(blobs[0], tmp_path / "picture.png")
    pitch = 16 * 4 + 2
    assert Image.open(tmp_path / "picture.png").size == (11 * pitch + 2, 8 * pitch + 2)


def test_critic_and_autoencoder_have_their_own_depths(tiny_settings, fit, blobs) -> None:
    state = fit("acai", tiny_settings("acai", critic_depth=3, iterations=1), blobs[0]).state_dict()
    assert state["encoder.0.weight"].shape[0] == 2
    assert state["critic.0.weight"].shape[0] == 3
