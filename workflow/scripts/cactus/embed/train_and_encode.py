"""Train an embedding on one data set and encode all its images."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import save_file

from cactus.config.embedding import AnyEmbedding
from cactus.data.arrays import load_images
from cactus.embed.base import Embedding
from cactus.embed.registry import build
from cactus.errors import TrainingError
from cactus.files import atomic_path, file_hash, write_array, write_json
from cactus.splits import SPLITS, Split
from cactus.train.checkpoint import Checkpoints
from cactus.train.metrics import MetricsLog


def train_and_encode(
    name: str,
    settings: AnyEmbedding,
    data_folder: Path,
    output: Path,
    seed: int,
    device: torch.device,
    label: str,
    checkpoints: Checkpoints,
) -> None:
    """Train on the meta-training images and encode all splits; labels are never read.

    Writes the vectors ``{split}.npy`` (float32 (N, d)), ``encoder.safetensors``,
    ``metrics.jsonl``, ``diagnostic.png`` and, last, ``manifest.json``.

    Parameters
    ----------
    settings
        Resolved for the data set.
    data_folder, output
        A prepared data set, and the folder of the results.
    label
        What is trained, for progress lines and errors.
    checkpoints
        The training resumes from the newest one; all files are as if it had never stopped.

    Raises
    ------
    TrainingError
        A loss or a vector is not finite, or all images have the same vector.
    StoppedError
        A stop was requested.
    """
    (output / "manifest.json").unlink(missing_ok=True)
    train = load_images(data_folder, "train")
    count, height, width, channels = train.shape
    embedding = build(name, settings, (height, width, channels), seed, device)
    steps, progress = embedding.total_steps(count), checkpoints.progress
    with MetricsLog(output / "metrics.jsonl", label, steps, progress) as log:
        embedding.fit(train, log, checkpoints)
    with atomic_path(output / "encoder.safetensors") as temporary:
        save_file(embedding.state_dict(), temporary)
    embedding.diagnose(train, output / "diagnostic.png")
    arrays = {split: _encode(embedding, data_folder, output, split, label) for split in SPLITS}
    dims = arrays["train"]["shape"][1]
    write_json(output / "manifest.json", {"embedding": name, "dims": dims, "arrays": arrays})


def _encode(
    embedding: Embedding, data_folder: Path, output: Path, split: Split, label: str
) -> dict[str, Any]:
    """Encode one split, write its vectors and return their entry for the manifest."""
    vectors = embedding.encode(load_images(data_folder, split))
    check_vectors(vectors, f"{label}, {split}")
    path = output / f"{split}.npy"
    write_array(path, vectors)
    return {"file": path.name, "shape": list(vectors.shape), "sha256": file_hash(path)}


def check_vectors(vectors: npt.NDArray[np.float32], where: str) -> None:
    """Reject vectors (N, d) that cannot be partitioned.

    Raises
    ------
    TrainingError
        A value is NaN or infinite, or all rows are equal.
    """
    if not np.isfinite(vectors).all():
        count = int((~np.isfinite(vectors)).any(axis=1).sum())
        raise TrainingError(
            "An embedding contains NaN or infinity.",
            where=where,
            got=f"{count} of {len(vectors)} images have NaN or infinite values",
            fix="lower the learning rate or change the seed in the config, then run again",
        )
    if len(vectors) > 1 and (vectors == vectors[0]).all():
        raise TrainingError(
            "An embedding has collapsed.",
            where=where,
            got=f"the same vector for all {len(vectors)} images",
            fix="train longer, lower the learning rate or change the seed, then run again",
        )
