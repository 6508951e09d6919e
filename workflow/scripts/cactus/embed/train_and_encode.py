"""Train an embedding on one data set and encode all its images."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from cactus.config.sections.base import DatasetSettings
from cactus.config.sections.embeddings.base import OwnCode
from cactus.data.array_files import write_array
from cactus.data.arrays import load_images
from cactus.embed.base import Embedding, ReadsNames
from cactus.embed.registry import build, parse
from cactus.embed.vectors import CheckedEncoder
from cactus.errors import TrainingError
from cactus.files import atomic_path, file_hash, write_json
from cactus.splits import SPLITS
from cactus.stages.train_embedding import TrainEmbeddingSpec
from cactus.train.checkpoint import Checkpoints
from cactus.train.device import set_up_device
from cactus.train.metrics import MetricsLog


def train_embedding(
    spec: TrainEmbeddingSpec, data_folder: Path, output: Path, checkpoints: Checkpoints
) -> None:
    """Train the embedding of a job, and encode all splits; see `train_and_encode`."""
    compute = spec.compute
    device = set_up_device(compute.device, compute.threads, deterministic=compute.deterministic)
    settings = parse(spec.embedding, spec.settings)
    label = f"{spec.dataset}/{spec.embedding}/s{spec.seed}"
    train_and_encode(
        spec.embedding, settings, data_folder, output, spec.seed, device, label, checkpoints
    )


def train_and_encode(
    name: str,
    settings: DatasetSettings,
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
        A loss is not finite, or the vectors are not what `CheckedEncoder` accepts.
    StoppedError
        A stop was requested.
    """
    (output / "manifest.json").unlink(missing_ok=True)
    train = load_images(data_folder, "train")
    count, height, width, channels = train.shape
    embedding = build(name, settings, (height, width, channels), seed, device)
    if isinstance(embedding, ReadsNames):
        embedding.read_names(data_folder)
    module = settings.module if isinstance(settings, OwnCode) else f"cactus.embed.{name}"
    where = f"{label}, {module}"
    steps, progress = _steps(embedding, count, where), checkpoints.progress
    with MetricsLog(output / "metrics.jsonl", label, steps, progress) as log:
        embedding.fit(train, log, checkpoints)
    _write_state(embedding, output / "encoder.safetensors", where)
    embedding.diagnose(train, output / "diagnostic.png")
    encoder, arrays = CheckedEncoder(embedding, where), {}
    for split in SPLITS:
        vectors, path = encoder.encode(load_images(data_folder, split), split), f"{split}.npy"
        write_array(output / path, vectors)
        digest = file_hash(output / path)
        arrays[split] = {"file": path, "shape": list(vectors.shape), "sha256": digest}
    encoder.check_alone()
    write_json(
        output / "manifest.json",
        {"embedding": name, "dims": arrays["train"]["shape"][1], "arrays": arrays},
    )


def _steps(embedding: Embedding, count: int, where: str) -> int:
    steps = embedding.total_steps(count)
    if not isinstance(steps, int | float | np.number) or not 0 <= steps < float("inf"):
        raise TrainingError(
            "`total_steps` did not return a number of steps.",
            where=where,
            got=repr(steps),
            fix="return how many steps `fit` takes, at least 0",
        )
    return steps


def _write_state(embedding: Embedding, path: Path, where: str) -> None:
    """Store the state of an embedding, as tensors of their own on the CPU."""
    state: Any = embedding.state_dict()
    if not isinstance(state, Mapping):
        raise _unfit(f"{where}, state_dict()", type(state).__name__)
    own = {}
    for name, value in state.items():
        dense = isinstance(value, Tensor) and value.layout == torch.strided and not value.is_meta
        if not isinstance(name, str) or not dense or value.is_quantized:
            found = type(value).__name__
            if isinstance(value, Tensor):
                found += f" of {value.dtype}, {value.layout}, on {value.device}"
            raise _unfit(f"{where}, state_dict()[{name!r}]", found)
        own[name] = value.detach().to("cpu", copy=True).contiguous()
    with atomic_path(path) as temporary:
        save_file(own, temporary)


def _unfit(where: str, got: str) -> TrainingError:
    return TrainingError(
        "An embedding's state is not made of tensors.",
        where=where,
        got=got,
        fix="return a dict of everything that `encode` needs as plain tensors, by names that are "
        "text, numbers among them",
    )
