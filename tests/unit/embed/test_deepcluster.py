import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage

from cactus.config.sections.embeddings.deepcluster import DeepclusterSettings
from cactus.embed.deepcluster import Trunk, drop_units, pseudo_label_loss, sobel
from cactus.errors import TrainingError


def test_sobel_is_that_of_scipy() -> None:
    images = np.random.default_rng(0).uniform(size=(2, 3, 9, 9))
    derivatives = sobel(torch.tensor(images)).numpy()
    for image, (across, down) in zip(images.mean(1), derivatives, strict=True):
        np.testing.assert_allclose(across, ndimage.sobel(image, 1, mode="nearest"), atol=1e-12)
        np.testing.assert_allclose(down, ndimage.sobel(image, 0, mode="nearest"), atol=1e-12)


def test_loss_is_the_clusters_negative_log_likelihood() -> None:
    generator = np.random.default_rng(0)
    logits, labels = generator.normal(size=(6, 4)), generator.integers(0, 4, 6)
    softmax = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    tensor = torch.tensor(logits, requires_grad=True)
    loss = pseudo_label_loss(tensor, torch.tensor(labels))
    assert loss.item() == pytest.approx(-np.log(softmax[np.arange(6), labels]).mean())
    loss.backward()
    np.testing.assert_allclose(tensor.grad, (softmax - np.eye(4)[labels]) / 6, atol=1e-12)


def test_dropped_units() -> None:
    values = torch.full((200, 200), 3.0)
    dropped = drop_units(values, 0.25, torch.Generator().manual_seed(0))
    assert set(dropped.unique().tolist()) == {0.0, 4.0}
    assert (dropped == 0).float().mean().item() == pytest.approx(0.25, abs=0.01)
    assert torch.equal(drop_units(values, 0.0, torch.Generator()), values)


@pytest.mark.parametrize("size", [28, 48, 64])
def test_feature_size_is_that_of_the_network(size: int) -> None:
    settings = DeepclusterSettings(
        working_size=size, channels=(2, 2, 2, 2, 2), hidden=8, dims=4, clusters=2
    )
    maps = Trunk(settings).convolutions(torch.zeros(2, 2, size, size))
    assert maps.shape == (2, 2 * settings.feature_size**2)


def test_default_network_is_alexnet_on_64_pixels() -> None:
    assert DeepclusterSettings().feature_size == 6


def test_units_are_dropped_in_training_only() -> None:
    settings = DeepclusterSettings(
        working_size=28, channels=(2, 2, 2, 2, 2), hidden=64, dims=4, clusters=2
    )
    trunk = Trunk(settings).eval()
    images, generator = torch.rand(2, 1, 28, 28), torch.Generator().manual_seed(0)
    assert torch.equal(trunk(images), trunk(images))
    assert not torch.equal(trunk(images, generator), trunk(images, generator))


def test_embedding_is_whitened_and_normalized(tiny_settings, fit, blobs) -> None:
    embedding = fit("deepcluster", tiny_settings("deepcluster"), blobs[0])
    vectors = embedding.encode(blobs[0])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    with torch.no_grad():
        features = embedding.trunk(embedding._whole(embedding.resident(blobs[0])))
        white = embedding.whitening.whiten(features).double()
    torch.testing.assert_close(
        white.T @ white / len(white), torch.eye(8).double(), atol=0.02, rtol=0
    )


@pytest.mark.slow
def test_each_epoch_clusters_again_and_resets_the_head(tiny_settings, fit, blobs) -> None:
    embedding = fit("deepcluster", tiny_settings("deepcluster"), blobs[0])
    resident = embedding.resident(blobs[0])
    weights = embedding.head.weight.clone()
    order = embedding.epoch_order(resident)
    assert not torch.equal(embedding.head.weight, weights)
    assert embedding.head.weight.std().item() == pytest.approx(0.01, rel=0.3)
    assert set(embedding.labels.tolist()) == set(range(6))
    shown = torch.bincount(embedding.labels[order], minlength=6)
    assert shown.max() - shown.min() <= 1
    assert embedding.trunk.training


@pytest.mark.slow
def test_clusters_are_learned(tiny_settings, fit, blobs, tmp_path: Path) -> None:
    settings = tiny_settings(
        "deepcluster", epochs=12, clusters=4, log_every=15, crop_area_min=0.6, dropout=0.0
    )
    embedding = fit("deepcluster", settings, blobs[0])
    curve = [json.loads(line) for line in (tmp_path / "metrics.jsonl").open()]
    assert curve[-1]["accuracy"] > 0.5, curve  # chance is a quarter
    assert 0 < curve[-1]["cluster_stability"] <= 1
    embedding.diagnose(blobs[0], tmp_path / "picture.png")
    pitch = 28 * 2 + 2
    assert Image.open(tmp_path / "picture.png").size == (12 * pitch + 2, 4 * pitch + 2)


@pytest.mark.parametrize("log_every", [1, 100])
def test_divergence_stops_with_the_step(log_every: int, tiny_settings, fit, blobs) -> None:
    settings = tiny_settings("deepcluster", learning_rate=1e20, epochs=3, log_every=log_every)
    with pytest.raises(TrainingError, match="diverged") as caught:
        fit("deepcluster", settings, blobs[0])
    assert "step" in caught.value.where


def test_more_clusters_than_images(tiny_settings, fit, blobs) -> None:
    with pytest.raises(TrainingError, match="more clusters than images"):
        fit("deepcluster", tiny_settings("deepcluster", clusters=500), blobs[0])
