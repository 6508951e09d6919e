from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from cactus.config.sections.embeddings.bigan import BiganSettings
from cactus.config.sections.embeddings.section import EmbeddingSettings
from cactus.embed.bigan import decayed_rate, discriminator_loss, encoder_generator_loss
from cactus.embed.bigan_networks import (
    batch_norm_gains,
    build_discriminator,
    build_encoder,
    build_generator,
)
from cactus.embed.networks import Block, seeded_module


def _sigmoid(logits):
    return 1 / (1 + np.exp(-logits))


@pytest.fixture
def logits() -> np.ndarray:
    return np.random.default_rng(1).normal(scale=3, size=(2, 7))


def test_discriminator_loss(logits: np.ndarray) -> None:
    real, generated = _sigmoid(logits)
    expected = -(np.mean(np.log(real)) + np.mean(np.log(1 - generated))) / 2
    actual = discriminator_loss(*torch.tensor(logits))
    assert actual.item() == pytest.approx(expected, rel=1e-10)


def test_encoder_generator_loss_inverts_the_labels(logits: np.ndarray) -> None:
    real, generated = _sigmoid(logits)
    expected = -(np.mean(np.log(1 - real)) + np.mean(np.log(generated))) / 2
    actual = encoder_generator_loss(*torch.tensor(logits))
    assert actual.item() == pytest.approx(expected, rel=1e-10)


def test_gradients_of_both_losses(logits: np.ndarray) -> None:
    real, generated = _sigmoid(logits)
    wanted = {
        discriminator_loss: (-(1 - real) / 14, generated / 14),
        encoder_generator_loss: (real / 14, -(1 - generated) / 14),
    }
    for loss, expected in wanted.items():
        tensor = torch.tensor(logits, requires_grad=True)
        loss(tensor[0], tensor[1]).backward()
        np.testing.assert_allclose(tensor.grad, np.stack(expected), atol=1e-12)


def test_losses_stay_finite_for_sure_answers() -> None:
    sure = torch.tensor([200.0]), torch.tensor([-200.0])
    assert discriminator_loss(*sure).item() == 0
    assert encoder_generator_loss(*sure).item() == pytest.approx(200)


@pytest.mark.parametrize(
    ("epoch", "expected"),
    [(0, 1.0), (199.9, 1.0), (200, 0.01 ** (1 / 200)), (299.5, 0.1), (399, 0.01), (399.9, 0.01)],
)
def test_rate_is_kept_and_then_decays_with_each_epoch(epoch: float, expected: float) -> None:
    assert decayed_rate(epoch, 200, 200, 0.01) == pytest.approx(expected)


def test_rate_without_decay() -> None:
    assert decayed_rate(4.99, 5, 0, 0.01) == 1.0


def test_training_ends_at_the_final_rate(tiny_settings, fit, blobs) -> None:
    settings = tiny_settings("bigan", epochs=1, decay_epochs=3, learning_rate=1e-3)
    embedding = fit("bigan", settings, blobs[0])
    rates = [g["lr"] for optimizer in embedding.optimizers.values() for g in optimizer.param_groups]
    assert rates == [pytest.approx(1e-3 * 0.01)] * len(rates)


def test_alexnet_has_its_own_size_at_width_64() -> None:
    encoder = build_encoder(BiganSettings(), 3)
    filters = [m.weight.shape[:2] for m in encoder.modules() if isinstance(m, torch.nn.Conv2d)]
    assert filters == [(96, 3), (256, 48), (384, 256), (384, 192), (256, 192)]
    assert encoder.to_logits.weight.shape == (200, 256 * 4 * 4)
    assert encoder(torch.zeros(2, 3, 64, 64)).shape == (2, 200)


@pytest.mark.parametrize("size", [28, 32, 36, 64])
@pytest.mark.parametrize("kind", ["mlp", "conv", "alexnet"])
def test_networks_fit_every_size(kind: str, size: int) -> None:
    networks = "conv" if kind == "alexnet" else kind
    hidden = 12 if kind == "mlp" else 0
    settings = BiganSettings(
        encoder=kind, networks=networks, working_size=size, width=4, hidden=hidden, dims=5
    )
    images = torch.rand(3, 3, size, size)
    codes = build_encoder(settings, 3)(images)
    assert codes.shape == (3, 5)
    generated = build_generator(settings, 3)(codes, codes)
    assert generated.shape == images.shape
    assert 0 <= generated.min() <= generated.max() <= 1
    assert build_discriminator(settings, 3)(images, codes).shape == (3,)


def test_discriminator_looks_at_the_code() -> None:
    settings = BiganSettings(working_size=16, encoder="conv", width=2, dims=5)
    trunk = build_discriminator(settings, 1).eval().trunk
    images, codes = torch.rand(4, 1, 16, 16), torch.rand(2, 4, 5)
    assert not torch.equal(trunk(images, codes[0]), trunk(images, codes[1]))


def test_discriminator_starts_undecided() -> None:
    discriminator = build_discriminator(BiganSettings(), 3)
    assert discriminator(torch.rand(2, 3, 64, 64), torch.rand(2, 200)).tolist() == [0, 0]


def _shares(discriminator, images, codes):
    """Return the standard deviations of W x and of V z in each layer that both enter."""
    shares = []
    for name, block in discriminator.named_modules():
        if isinstance(block, Block) and block.projection is not None:
            of_code = (codes @ block.projection.weight.T).std().item()
            block.operation.register_forward_hook(
                lambda _, __, y, name=name, code=of_code: shares.append(
                    (name, y.std().item(), code)
                )
            )
    discriminator(images, codes)
    return {name: (of_image, of_code) for name, of_image, of_code in shares}


@pytest.mark.parametrize(("dataset", "size"), [("omniglot", 28), ("miniimagenet", 64)])
def test_the_code_outweighs_the_image_at_first(dataset: str, size: int) -> None:
    """In convolutions V is 0.02 * 5^2 and z uniform on (-1, 1): the code's share is as below."""
    settings = EmbeddingSettings().resolve("bigan", dataset)
    channels = 1 if dataset == "omniglot" else 3
    discriminator = seeded_module(lambda: build_discriminator(settings, channels), 0)
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(32, channels, size, size, generator=generator)
    codes = 2 * torch.rand(32, 200, generator=generator) - 1
    shares = _shares(discriminator, images, codes)
    assert len(shares) == (2 if dataset == "omniglot" else 3)
    for name, (of_image, of_code) in shares.items():
        std = 0.02 if name == "trunk.dense" else 0.5
        assert of_code == pytest.approx(std * np.sqrt(200 / 3), rel=0.1)
        assert 0.01 < of_image < 1.5
        assert of_code > 2 * of_image or name == "trunk.dense"


@pytest.mark.parametrize("dataset", ["mnist", "omniglot", "miniimagenet", "celeba"])
def test_only_batch_norm_has_biases(dataset: str) -> None:
    """And on grayscale images not even that; its gains alone do not decay."""
    settings = EmbeddingSettings().resolve("bigan", dataset)
    color = dataset in ("miniimagenet", "celeba")
    channels = 3 if color else 1
    for build in (build_encoder, build_discriminator, build_generator):
        net = build(settings, channels)
        norms = [n for n in net.modules() if isinstance(n, nn.BatchNorm1d | nn.BatchNorm2d)]
        small = {id(p) for p in net.parameters() if p.dim() == 1}
        assert norms
        assert small == {id(p) for norm in norms for p in norm.parameters()}
        assert bool(small) is color
        gains = {id(p) for p in batch_norm_gains(net)}
        assert gains == {id(norm.weight) for norm in norms if color}
        assert {norm.eps for norm in norms} == {1e-8}


def test_gains_do_not_decay(tiny_settings, fit, blobs) -> None:
    embedding = fit("bigan", tiny_settings("bigan", affine=True), blobs[0])
    for name, optimizer in embedding.optimizers.items():
        decayed, free = optimizer.param_groups
        assert (decayed["weight_decay"], free["weight_decay"]) == (2.5e-5, 0)
        nets = ["discriminator"] if name == "discriminator" else ["encoder", "generator"]
        parameters = {id(p) for net in nets for p in embedding.nets[net].parameters()}
        assert {id(p) for group in (decayed, free) for p in group["params"]} == parameters
        assert {id(p) for p in free["params"]} == {
            id(p) for net in nets for p in batch_norm_gains(embedding.nets[net])
        }


@pytest.mark.parametrize("signed", [True, False])
def test_networks_see_the_chosen_range(signed: bool, tiny_settings, fit, blobs) -> None:
    embedding = fit("bigan", tiny_settings("bigan", signed_images=signed), blobs[0])
    ends = embedding._scaled(torch.tensor([0, 255], dtype=torch.uint8)).tolist()
    assert ends == [-1 if signed else 0, 1]
    generated = embedding._generate(embedding._noise(200))
    assert generated.mean().item() == pytest.approx(0 if signed else 0.5, abs=0.02)


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
