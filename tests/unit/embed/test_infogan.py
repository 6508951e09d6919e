import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import stats

from cactus.embed.infogan import (
    categorical_information,
    continuous_information,
    discriminator_loss,
    generator_loss,
)
from cactus.embed.networks import Block


@pytest.fixture
def generator() -> np.random.Generator:
    return np.random.default_rng(2)


def test_gan_losses(generator: np.random.Generator) -> None:
    logits = generator.normal(scale=3, size=(2, 9))
    real, generated = 1 / (1 + np.exp(-logits))
    tensors = torch.tensor(logits)
    assert discriminator_loss(*tensors).item() == pytest.approx(
        -np.mean(np.log(real) + np.log(1 - generated)), rel=1e-10
    )
    assert generator_loss(tensors[1]).item() == pytest.approx(-np.mean(np.log(generated)))


def test_categorical_information(generator: np.random.Generator) -> None:
    logits, codes = generator.normal(size=(8, 10)), generator.integers(0, 10, 8)
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    likelihood = np.mean(np.log(probabilities[np.arange(8), codes]))
    prior_entropy = -10 * 0.1 * np.log(0.1)
    actual = categorical_information(torch.tensor(logits), torch.tensor(codes))
    assert actual.item() == pytest.approx(likelihood + prior_entropy, rel=1e-10)


def test_categorical_information_is_bounded_by_the_entropy() -> None:
    codes = torch.arange(10)
    certain = 100.0 * torch.eye(10, dtype=torch.float64)
    assert categorical_information(certain, codes).item() == pytest.approx(np.log(10))
    ignorant = torch.zeros(10, 10, dtype=torch.float64)
    assert categorical_information(ignorant, codes).item() == pytest.approx(0, abs=1e-12)


def test_continuous_information(generator: np.random.Generator) -> None:
    means, codes = generator.normal(size=(6, 2)), generator.uniform(-1, 1, (6, 2))
    likelihood = stats.norm.logpdf(codes, loc=means, scale=1).sum(1).mean()
    entropy = 2 * stats.uniform(-1, 2).entropy()
    actual = continuous_information(torch.tensor(means), torch.tensor(codes))
    assert actual.item() == pytest.approx(likelihood + entropy, rel=1e-10)


def test_no_continuous_code_bears_no_information() -> None:
    assert continuous_information(torch.zeros(4, 0), torch.zeros(4, 0)).item() == 0


@pytest.mark.slow
def test_codes_become_readable(tiny_settings, fit, blobs, tmp_path: Path) -> None:
    settings = tiny_settings(
        "infogan",
        categorical=[2],
        continuous=1,
        noise=8,
        iterations=150,
        log_every=50,
        discriminator_rate=1e-3,
    )
    fit("infogan", settings, blobs[0])
    curve = [json.loads(line) for line in (tmp_path / "metrics.jsonl").open()]
    assert curve[-1]["categorical_information"] > 0.5  # nats, of at most log 2 = 0.69
    assert curve[-1]["continuous_information"] > curve[0]["continuous_information"]


@pytest.mark.parametrize("leak", [0.0, 0.25])
def test_leak_reaches_every_layer_of_recognition(leak: float, tiny_settings, fit, blobs) -> None:
    embedding = fit("infogan", tiny_settings("infogan", leak=leak), blobs[0])
    slopes = {
        name: {module.slope for module in net.modules() if isinstance(module, Block)}
        for name, net in embedding.nets.items()
    }
    assert slopes == {"generator": {0}, "recognition": {leak}}


@pytest.mark.parametrize(("features", "dims"), [("codes", 13), ("hidden", 16), ("trunk", 32)])
def test_features(features: str, dims: int, tiny_settings, fit, blobs) -> None:
    settings = tiny_settings("infogan", features=features, categorical=[4, 6], continuous=3)
    assert fit("infogan", settings, blobs[0]).encode(blobs[0][:5]).shape == (5, dims)


def test_one_batch_keeps_real_and_generated_apart(tiny_settings, fit, blobs) -> None:
    embedding = fit("infogan", tiny_settings("infogan", joint_batch=True), blobs[0])
    real, generated = torch.rand(2, 6, 1, 16, 16)
    of_real, of_generated = embedding._trunk_of_both(real, generated)
    torch.testing.assert_close(of_real, embedding.recognition.trunk(real))
    torch.testing.assert_close(of_generated, embedding.recognition.trunk(generated))
    torch.testing.assert_close(embedding._trunk_of_generated(real, generated), of_generated)


@pytest.mark.slow
def test_joint_batch_shows_the_discriminator_low_contrast(tiny_settings, fit, blobs) -> None:
    keys = {"width": 8, "noise": 8, "categorical": [4], "iterations": 150}
    contrast = {}
    for joint in (True, False):
        embedding = fit("infogan", tiny_settings("infogan", joint_batch=joint, **keys), blobs[0])
        with torch.no_grad():
            contrast[joint] = embedding._vary(0).std().item()
    real = (blobs[0] / 255).std()
    assert abs(contrast[True] - real) < abs(contrast[False] - real)


def test_picture_shows_each_code(tiny_settings, fit, blobs, tmp_path: Path) -> None:
    settings = tiny_settings("infogan", categorical=[10, 3], continuous=1)
    fit("infogan", settings, blobs[0]).diagnose(blobs[0], tmp_path / "picture.png")
    pitch = 16 * 4 + 2
    assert Image.open(tmp_path / "picture.png").size == (10 * pitch + 2, 13 * pitch + 2)


@pytest.mark.slow
def test_one_code_varies_along_a_row(tiny_settings, fit, blobs) -> None:
    settings = tiny_settings("infogan", categorical=[5], continuous=1, iterations=30)
    embedding = fit("infogan", settings, blobs[0])
    with torch.no_grad():
        row = embedding._vary(0)
        sweep = embedding._vary(1)
    torch.testing.assert_close(row[:5], row[5:])
    assert not torch.equal(row[0], row[1])
    assert not torch.equal(sweep[0], sweep[-1])
