import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from cactus.config.sections.embeddings.section import CustomEmbedding, EmbeddingSettings
from cactus.data.array_files import write_array
from cactus.embed.registry import build
from cactus.embed.train_and_encode import train_and_encode
from cactus.embed.vectors import check_vectors
from cactus.errors import DataError, TrainingError
from cactus.files import file_hash, write_json
from tests.unit.checkpoints import none
from tests.unit.embed.tiny import TINY

SPLITS = {"train": 60, "val": 20, "test": 30}
CPU = torch.device("cpu")


@pytest.fixture
def data_folder(tmp_path: Path, blobs) -> Path:
    """Return prepared data whose label files do not exist: embeddings must not open them."""
    folder = tmp_path / "data"
    splits = {}
    for index, (split, count) in enumerate(SPLITS.items()):
        path = folder / f"{split}_images.npy"
        write_array(path, blobs[0][index * 60 : index * 60 + count])
        images = {
            "file": path.name,
            "shape": [count, 20, 20, 1],
            "dtype": "uint8",
            "sha256": file_hash(path),
        }
        labels = {
            "file": f"{split}_labels.npy",
            "shape": [count],
            "dtype": "int64",
            "sha256": "0" * 64,
        }
        splits[split] = {"images": images, "labels": labels, "classes": ["a", "b"]}
    manifest = {
        "dataset": "mnist",
        "synthetic": True,
        "image_shape": [20, 20, 1],
        "splits": splits,
    }
    write_json(folder / "manifest.json", manifest)
    return folder


@pytest.mark.parametrize("name", list(TINY))
def test_no_step_leaves_the_untrained_network(
    name: str, data_folder: Path, tiny_settings, tmp_path
) -> None:
    lengths = {key: 0 for key in ("iterations", "epochs", "decay_epochs") if key in TINY[name]}
    settings = tiny_settings(name, **lengths)
    values = settings.model_dump(exclude={"per_dataset"})
    like = EmbeddingSettings.model_validate(
        {"custom": {"fresh": {"like": name, "settings": values}}}
    ).resolve("fresh", "mnist")
    for method, given in ((name, settings), ("fresh", like)):
        train_and_encode(
            method, given, data_folder, tmp_path / method, 3, CPU, method, none(tmp_path)
        )
    assert (tmp_path / name / "metrics.jsonl").read_text() == ""
    fresh = build(name, settings, (20, 20, 1), 3, CPU).state_dict()
    for kind in (name, "fresh"):
        state = load_file(tmp_path / kind / "encoder.safetensors")
        weights = [key for key in state if key.endswith("weight")]
        assert weights
        assert all(torch.equal(state[key], fresh[key]) for key in weights)
    for split in SPLITS:
        ours, other = (np.load(tmp_path / kind / f"{split}.npy") for kind in (name, "fresh"))
        assert np.array_equal(ours, other)
        assert np.ptp(ours, axis=0).max() > 0


def test_writes_all_results_without_labels(data_folder: Path, tiny_settings, tmp_path) -> None:
    output = tmp_path / "out"
    settings = tiny_settings("acai")
    train_and_encode("acai", settings, data_folder, output, 3, CPU, "mnist/acai/s3", none(tmp_path))
    manifest = json.loads((output / "manifest.json").read_text())
    assert manifest["embedding"] == "acai"
    assert manifest["dims"] == 256
    for split, count in SPLITS.items():
        vectors = np.load(output / f"{split}.npy", allow_pickle=False)
        record = manifest["arrays"][split]
        assert record == {
            "file": f"{split}.npy",
            "shape": [count, 256],
            "sha256": file_hash(output / f"{split}.npy"),
        }
        assert vectors.shape == (count, 256)
        assert vectors.dtype == np.float32
    assert Image.open(output / "diagnostic.png").format == "PNG"
    steps = [json.loads(line)["step"] for line in (output / "metrics.jsonl").open()]
    assert steps == [4]
    assert len(list(output.iterdir())) == 7


def test_saved_encoder_gives_the_saved_vectors(data_folder: Path, tiny_settings, tmp_path) -> None:
    output = tmp_path / "out"
    settings = tiny_settings("deepcluster")
    train_and_encode("deepcluster", settings, data_folder, output, 3, CPU, "label", none(tmp_path))
    embedding = build("deepcluster", settings, (20, 20, 1), 0, CPU)
    embedding.load_state_dict(load_file(output / "encoder.safetensors"))
    images = np.load(data_folder / "test_images.npy")
    assert np.array_equal(embedding.encode(images), np.load(output / "test.npy"))


def test_same_seed_gives_the_same_files(data_folder: Path, tiny_settings, tmp_path) -> None:
    settings = tiny_settings("infogan")
    hashes = []
    for run in ("a", "b"):
        train_and_encode(
            "infogan", settings, data_folder, tmp_path / run, 3, CPU, "label", none(tmp_path)
        )
        hashes.append({path.name: file_hash(path) for path in (tmp_path / run).iterdir()})
    assert hashes[0] == hashes[1]


def test_failed_run_leaves_no_manifest(data_folder: Path, tiny_settings, tmp_path) -> None:
    output = tmp_path / "out"
    train_and_encode(
        "acai", tiny_settings("acai"), data_folder, output, 3, CPU, "label", none(tmp_path)
    )
    wild = tiny_settings("acai", learning_rate=1e30, iterations=20)
    with pytest.raises(TrainingError):
        train_and_encode("acai", wild, data_folder, output, 3, CPU, "label", none(tmp_path))
    assert not (output / "manifest.json").exists()


def test_unprepared_data(tiny_settings, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not prepared"):
        train_and_encode(
            "acai", tiny_settings("acai"), tmp_path, tmp_path / "o", 0, CPU, "label", none(tmp_path)
        )


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_vectors_that_are_not_finite(bad: float) -> None:
    vectors = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    check_vectors(vectors, "here")
    vectors[2, 1] = bad
    with pytest.raises(TrainingError, match="NaN or infinity") as caught:
        check_vectors(vectors, "here")
    assert caught.value.where == "here"
    assert caught.value.got.startswith("1 of 5")


def test_collapsed_vectors() -> None:
    with pytest.raises(TrainingError, match="collapsed"):
        check_vectors(np.full((5, 3), 0.5, dtype=np.float32), "here")


MODULE = """
import numpy as np, torch
from PIL import Image
from cactus.config.sections import base
class Settings(base.Settings): ...
class Method:
    def __init__(self, *arguments): ...
    def total_steps(self, count): return {steps}
    def fit(self, images, log, checkpoints): log.write(0, loss=torch.tensor(0.5))
    def encode(self, images): return images.reshape(len(images), -1).astype("f4")
    def diagnose(self, images, path): Image.new("L", (4, 4)).save(path)
    def state_dict(self): return {state}
    def load_state_dict(self, state): ...
"""


@pytest.mark.parametrize(
    ("steps", "state", "message"),
    [
        ("2", '{"a": torch.zeros(2)}', ""),
        ("np.int64(0)", "{}", ""),
        ("None", "{}", "number of steps"),
        ("-1", "{}", "number of steps"),
        ("float('nan')", "{}", "number of steps"),
        ("1", "None", "made of tensors"),
        ("1", "[torch.zeros(2)]", "made of tensors"),
        ("1", "{1: torch.zeros(2)}", "made of tensors"),
        ("1", '{"a": np.zeros(2)}', "made of tensors"),
        ("1", '{"a": torch.eye(2).to_sparse()}', "made of tensors"),
        ("1", '{"a": torch.zeros(2, device="meta")}', "made of tensors"),
    ],
)
def test_what_a_custom_method_returns_is_checked(data_folder, tmp_path, steps, state, message):
    module = tmp_path / "mine.py"
    module.write_text(MODULE.format(steps=steps, state=state))
    settings = CustomEmbedding(module=str(module))
    train = partial(
        train_and_encode, "mine", settings, data_folder, tmp_path / "out", 3, CPU, "x",
        none(tmp_path),
    )  # fmt: skip
    if not message:
        train()
        assert (tmp_path / "out/manifest.json").is_file()
        return
    with pytest.raises(TrainingError, match=message) as caught:
        train()
    assert "mine.py" in caught.value.where
