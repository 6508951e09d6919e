from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cactus.config.sections.embeddings.bigan import BiganSettings
from cactus.embed.bigan import decayed_rate, discriminator_loss, encoder_generator_loss
from cactus.embed.bigan_networks import build_discriminator, build_encoder, build_generator


def _sigmoid(logits):
    return 1 / (1 + np.exp(-logits))


@pytest.fixture
def logits() -> np.ndarray:
    return np.random.default_rng(1).normal(scale=3, size=(2, 7))


def test_discriminator_loss(logits: np.ndarray) -> None:
    real, generated = _sigmoid(logits)
    expected = -np.mean(np.log(real)) - np.mean(np.log(1 - generated))
    actual = discriminator_loss(*torch.tensor(logits))
    assert actual.item() == pytest.approx(expected, rel=1e-10)


def test_encoder_generator_loss_inverts_the_labels(logits: np.ndarray) -> None:
    real, generated = _sigmoid(logits)
    expected = -np.mean(np.log(1 - real)) - np.mean(np.log(generated))
    actual = encoder_generator_loss(*torch.tensor(logits))
    assert actual.item() == pytest.approx(expected, rel=1e-10)


def test_gradients_of_both_losses(logits: np.ndarray) -> None:
    real, generated = _sigmoid(logits)
    wanted = {
        discriminator_loss: (-(1 - real) / 7, generated / 7),
        encoder_generator_loss: (real / 7, -(1 - generated) / 7),
    }
    for loss, expected in wanted.items():
        tensor = torch.tensor(logits, requires_grad=True)
        loss(tensor[0], tensor[1]).backward()
        np.testing.assert_allclose(tensor.grad, np.stack(expected), atol=1e-12)


def test_losses_stay_finite_for_sure_answers() -> None:
    sure = torch.tensor([200.0]), torch.tensor([-200.0])
    assert discriminator_loss(*sure).item() == 0
    assert encoder_generator_loss(*sure).item() == pytest.approx(400)


@pytest.mark.parametrize(
    ("epoch", "expected"), [(0, 1.0), (199.9, 1.0), (200, 1.0), (300, 0.1), (400, 0.01)]
)
def test_rate_is_kept_and_then_decays(epoch: float, expected: float) -> None:
    assert decayed_rate(epoch, 200, 200, 0.01) == pytest.approx(expected)


def test_rate_without_decay() -> None:
    assert decayed_rate(4.99, 5, 0, 0.01) == 1.0


def test_training_ends_near_the_final_rate(tiny_settings, fit, blobs) -> None:
    settings = tiny_settings("bigan", epochs=1, decay_epochs=3, learning_rate=1e-3)
    embedding = fit("bigan", settings, blobs[0])
    steps = len(blobs[0]) // 16
    expected = 1e-3 * 0.01 ** ((4 * steps - 1 - steps) / steps / 3)
    for optimizer in embedding.optimizers.values():
        assert optimizer.param_groups[0]["lr"] == pytest.approx(expected)


def test_alexnet_has_its_own_size_at_width_64() -> None:
    encoder = build_encoder(BiganSettings(), 3)
    filters = [m.weight.shape[:2] for m in encoder.modules() if isinstance(m, torch.nn.Conv2d)]
    assert filters == [(96, 3), (256, 96), (384, 256), (384, 384), (256, 384)]
    assert encoder.to_logits.weight.shape == (200, 256 * 4 * 4)
    assert encoder(torch.zeros(2, 3, 64, 64)).shape == (2, 200)


@pytest.mark.parametrize("size", [28, 32, 36, 64])
@pytest.mark.parametrize("kind", ["mlp", "conv", "alexnet"])
def test_networks_fit_every_size(kind: str, size: int) -> None:
    networks = "conv" if kind == "alexnet" else kind
    hidden = 12 if kind == "mlp" else 0
    settings = BiganSettings(
        encoder=kind, networks=networks, working_size=size, width=2, hidden=hidden, dims=5
    )
    images = torch.rand(3, 3, size, size)
    codes = build_encoder(settings, 3)(images)
    assert codes.shape == (3, 5)
    generated = build_generator(settings, 3)(codes, codes)
    assert generated.shape == images.shape
    assert 0 <= generated.min() <= generated.max() <= 1
    assert build_discriminator(settings, 3)(images, codes).shape == (3,)


def test_discriminator_looks_at_the_code() -> None:
    settings = BiganSettings(working_size=16, width=2, dims=5)
    discriminator = build_discriminator(settings, 1).eval()
    images, codes = torch.rand(4, 1, 16, 16), torch.rand(2, 4, 5)
    assert not torch.equal(discriminator(images, codes[0]), discriminator(images, codes[1]))


def test_one_batch_keeps_real_and_generated_apart(tiny_settings, fit, blobs) -> None:
    images, codes = torch.rand(2, 6, 1, 16, 16), torch.rand(2, 6, 8)
    logits = []
    for joint in (True, False):
        embedding = fit("bigan", tiny_settings("bigan", joint_batch=joint), blobs[0])
        embedding.load_state_dict(logits[0][0] if logits else embedding.state_dict())
        pairs = (images[0], codes[0]), (images[1], codes[1])
        logits.append((embedding.state_dict(), *embedding._discriminate(*pairs)))
    torch.testing.assert_close(logits[0][1:], logits[1][1:])


def test_code_is_the_squashed_logit(tiny_settings, fit, blobs) -> None:
    code = fit("bigan", tiny_settings("bigan"), blobs[0]).encode(blobs[0])
    logits = fit("bigan", tiny_settings("bigan", features="logits"), blobs[0]).encode(blobs[0])
    assert np.abs(code).max() < 1
    np.testing.assert_allclose(code, 2 * _sigmoid(logits) - 1, atol=1e-6)


def test_picture_holds_samples_and_reconstructions(
    tiny_settings, fit, blobs, tmp_path: Path
) -> None:
    fit("bigan", tiny_settings("bigan"), blobs[0]).diagnose(blobs[0], tmp_path / "picture.png")
    pitch = 16 * 4 + 2
    assert Image.open(tmp_path / "picture.png").size == (10 * pitch + 2, 10 * pitch + 2)
