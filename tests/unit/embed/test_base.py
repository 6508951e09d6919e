import json
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier
from torch import Tensor

from cactus.embed import acai
from cactus.embed.registry import build
from cactus.errors import DataError, TrainingError
from cactus.train.metrics import MetricsLog
from tests.unit.checkpoints import every, none

METHODS = ("acai", "bigan", "contrastive", "deepcluster", "infogan")
SHAPES = {
    "mnist": (28, 28, 1),
    "omniglot": (28, 28, 1),
    "miniimagenet": (84, 84, 3),
    "celeba": (84, 84, 3),
}
DIMS = {"acai": 256, "bigan": 8, "contrastive": 8, "deepcluster": 8, "infogan": 100}
OTHER_DIMS = {
    ("infogan", "mnist"): 12,
    ("contrastive", "mnist"): 32,
    ("contrastive", "omniglot"): 32,
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dataset", SHAPES)
def test_all_pairs_train_and_encode(
    method: str, dataset: str, tiny_settings, fit, noise_images, tmp_path: Path
) -> None:
    images = noise_images(SHAPES[dataset], 40)
    embedding = fit(method, tiny_settings(method, dataset), images)
    vectors = embedding.encode(images[:7])
    assert vectors.shape == (7, OTHER_DIMS.get((method, dataset), DIMS[method]))
    assert vectors.dtype == np.float32
    assert np.isfinite(vectors).all()
    embedding.diagnose(images, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").stat().st_size > 500


@pytest.mark.parametrize("method", METHODS)
def test_seed_decides_the_embedding(method: str, tiny_settings, fit, blobs) -> None:
    first, again, other = (
        fit(method, tiny_settings(method), blobs[0], seed).encode(blobs[0]) for seed in (0, 0, 1)
    )
    assert np.array_equal(first, again)
    assert not np.allclose(first, other)


@pytest.mark.parametrize("method", METHODS)
def test_saved_weights_give_the_same_vectors(method: str, tiny_settings, fit, blobs) -> None:
    settings = tiny_settings(method)
    trained = fit(method, settings, blobs[0])
    fresh = build(method, settings, blobs[0].shape[1:], 99, torch.device("cpu"))
    assert not np.allclose(fresh.encode(blobs[0]), trained.encode(blobs[0]))
    fresh.load_state_dict(trained.state_dict())
    assert np.array_equal(fresh.encode(blobs[0]), trained.encode(blobs[0]))


@pytest.mark.parametrize("method", METHODS)
def test_vectors_depend_on_their_own_image_only(method: str, tiny_settings, fit, blobs) -> None:
    whole = fit(method, tiny_settings(method), blobs[0]).encode(blobs[0][:50])
    pieces = fit(method, tiny_settings(method, encode_batch_size=7), blobs[0]).encode(blobs[0][:50])
    np.testing.assert_allclose(pieces, whole, atol=2e-5, rtol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_classes_are_apart(method: str, tiny_settings, fit, blobs) -> None:
    longer = {
        "acai": {"iterations": 60},
        "bigan": {"epochs": 8, "decay_epochs": 0, "raw_size": 16},
        "contrastive": {"iterations": 60, "batch_size": 32},
        "deepcluster": {"epochs": 6},
        "infogan": {"iterations": 80, "categorical": [4], "noise": 8},
    }
    images, labels = blobs
    vectors = fit(method, tiny_settings(method, **longer[method]), images).encode(images)
    neighbors = KNeighborsClassifier(5).fit(vectors[:160], labels[:160])
    assert neighbors.score(vectors[160:], labels[160:]) > 0.8


@pytest.mark.parametrize("method", METHODS)
def test_curve_has_a_line_for_every_interval_and_the_last_step(
    method: str, tiny_settings, fit, blobs, tmp_path: Path
) -> None:
    embedding = fit(method, tiny_settings(method, log_every=3), blobs[0])
    total = embedding.total_steps(len(blobs[0]))
    steps = [json.loads(line)["step"] for line in (tmp_path / "metrics.jsonl").open()]
    assert steps == sorted({*range(3, total + 1, 3), total})
    assert embedding.step == total


@pytest.mark.parametrize("method", METHODS)
def test_global_generator_is_left_alone(method: str, tiny_settings, fit, blobs) -> None:
    before = torch.random.get_rng_state()
    fit(method, tiny_settings(method), blobs[0]).encode(blobs[0])
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("method", ["acai", "bigan", "contrastive", "infogan"])
def test_loss_that_is_no_number_stops_with_step_and_cell(
    method: str, tiny_settings, blobs, tmp_path: Path
) -> None:
    settings = tiny_settings(method, log_every=2)
    embedding = build(method, settings, blobs[0].shape[1:], 0, torch.device("cpu"))
    with torch.no_grad():
        list(next(iter(embedding.nets.values())).parameters())[-1].fill_(np.nan)
    with (
        MetricsLog(tmp_path / "metrics.jsonl", f"mnist/{method}/s0", 4) as log,
        pytest.raises(TrainingError) as caught,
    ):
        embedding.fit(blobs[0], log, none(tmp_path))
    assert caught.value.where.startswith(f"mnist/{method}/s0, step 2")


class Dropping(acai.Method):
    """A method of a user's, with pixels dropped by PyTorch's global generator."""

    def train_step(self, images: Tensor, indices: Tensor) -> dict[str, Tensor]:
        return super().train_step(images * (torch.rand(images.shape) > 0.2), indices)


def test_a_network_that_draws_from_the_global_generator_resumes_exactly(
    tiny_settings, blobs, tmp_path: Path
) -> None:
    trained = []
    with torch.random.fork_rng():
        for seed in (0, 1):
            torch.manual_seed(seed)
            method = Dropping(tiny_settings("acai"), (20, 20, 1), 0, torch.device("cpu"))
            saved = every(tmp_path, 3)
            with MetricsLog(tmp_path / "metrics.jsonl", "test", 4) as log:
                method.fit(blobs[0], log, saved)
            trained.append((method.state_dict(), (tmp_path / "metrics.jsonl").read_text()))
    assert saved.resumed_from == [3]
    assert all(torch.equal(trained[0][0][name], trained[1][0][name]) for name in trained[0][0])
    assert trained[0][1] == trained[1][1]


def test_batches_are_full_and_cover_each_epoch(tiny_settings, blobs, tmp_path: Path) -> None:
    embedding = build(
        "acai", tiny_settings("acai", iterations=8, batch_size=60), (20, 20, 1), 0,
        torch.device("cpu"),
    )  # fmt: skip
    seen: list[Tensor] = []
    step = embedding.train_step

    def recorded(images: Tensor, indices: Tensor) -> dict[str, Tensor]:
        seen.append(indices)
        return step(images, indices)

    embedding.train_step = recorded
    with MetricsLog(tmp_path / "metrics.jsonl", "test", 8) as log:
        embedding.fit(blobs[0], log, none(tmp_path))
    epochs = torch.cat(seen).reshape(2, 240)
    for epoch in epochs:
        assert torch.equal(epoch.sort().values, torch.arange(240))
    assert not torch.equal(epochs[0], epochs[1])


def test_fewer_images_than_a_batch(tiny_settings, fit, blobs) -> None:
    few = blobs[0][:9]
    vectors = fit("acai", tiny_settings("acai", batch_size=64), few).encode(few)
    assert vectors.shape == (9, 256)


def test_one_image_is_too_few(tiny_settings, fit, blobs) -> None:
    with pytest.raises(DataError, match="too few images"):
        fit("acai", tiny_settings("acai"), blobs[0][:1])


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("method", METHODS)
def test_trains_on_a_gpu(method: str, tiny_settings, blobs, tmp_path: Path) -> None:
    settings = tiny_settings(method)
    embedding = build(method, settings, blobs[0].shape[1:], 0, torch.device("cuda"))
    total = embedding.total_steps(len(blobs[0]))
    with MetricsLog(tmp_path / "metrics.jsonl", "test", total) as log:
        embedding.fit(blobs[0], log, none(tmp_path))
    vectors = embedding.encode(blobs[0])
    on_cpu = build(method, settings, blobs[0].shape[1:], 0, torch.device("cpu"))
    on_cpu.load_state_dict(embedding.state_dict())
    np.testing.assert_allclose(on_cpu.encode(blobs[0]), vectors, atol=1e-2)
    embedding.diagnose(blobs[0], tmp_path / "picture.png")
