"""Tiny trainings of every kind, of a dozen steps each, by the code that the stages run.

Those of embeddings have three epochs of four steps.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cactus.data.array_files import write_array
from cactus.embed.train_and_encode import train_and_encode
from cactus.files import file_hash, write_json
from cactus.meta.train import meta_train
from cactus.train.checkpoint import Checkpoints
from cactus.train.device import DeviceName, set_up_device
from cactus.train.stop import StopRequest
from tests.unit.embed.tiny import settings
from tests.unit.meta.tiny import learner, task_source

LEARNERS = ("maml", "protonets")
EMBEDDINGS: dict[str, dict[str, Any]] = {
    "acai": {"iterations": 12},
    "bigan": {"epochs": 2},
    "contrastive": {"iterations": 12},
    "deepcluster": {"epochs": 3, "dropout": 0.3},
    "infogan": {"iterations": 12},
}
TRAINERS = (*LEARNERS, *EMBEDDINGS)
STEPS = 12
# On a GPU alone; on a CPU a test puts something in the place of the graph.
GRAPHED = "maml with a CUDA graph"
_SPLITS = {"train": 48, "val": 8, "test": 8}
_SHAPE = (20, 20, 1)


def train(
    name: str, data: Path, folder: Path, *, every: int | None = 1, device: DeviceName = "cpu"
) -> None:
    """Train to the end, from the newest checkpoint in the folder; a stop is heeded.

    Leaves the results below ``output`` and the steps of all resumptions in ``resumed.json``.
    """
    there = set_up_device(device, 1, deterministic=True)
    shutil.rmtree(folder / "output", ignore_errors=True)  # as a job does when it starts
    with StopRequest(name) as stop:
        place = folder / "checkpoints"
        checkpoints = Checkpoints(place, name, seconds=None, steps=every, stop=stop)
        run = _embed if name in EMBEDDINGS else _meta_train
        run(name, data, folder / "output", checkpoints, there)
    (folder / "resumed.json").write_text(json.dumps(checkpoints.resumed_from))


def _meta_train(
    name: str, data: Path, output: Path, checkpoints: Checkpoints, device: torch.device
) -> None:
    del data
    curve = {"every": 3, "tasks": 3, "way": 3, "shot": 2, "query": 2}
    name, _, graphed = name.partition(" ")
    keys: dict[str, Any] = {"cuda_graph": True} if graphed else {}
    keys |= {"iterations": STEPS, "log_every": 5, "validation": curve}
    shape = (16, 16, 1)
    meta_train(
        learner(name, shape=shape, **keys).to(device),
        task_source(shape=shape, device=device),
        task_source(shape=shape, seed=1, device=device),
        output,
        seed=0,
        label=name,
        record={},
        checkpoints=checkpoints,
    )


def _embed(
    name: str, data: Path, output: Path, checkpoints: Checkpoints, device: torch.device
) -> None:
    keys = settings(name, batch_size=12, log_every=5, **EMBEDDINGS[name])
    train_and_encode(name, keys, data, output, 0, device, name, checkpoints)


def write_data(folder: Path) -> None:
    """Write prepared data of noise, without labels."""
    generator = np.random.default_rng(0)
    splits = {}
    for split, count in _SPLITS.items():
        shape = (count, *_SHAPE)
        path = folder / f"{split}_images.npy"
        write_array(path, generator.integers(0, 256, shape, dtype=np.uint8))
        images = {"shape": list(shape), "dtype": "uint8", "sha256": file_hash(path)}
        labels = {"shape": [count], "dtype": "int64", "sha256": "0" * 64}
        splits[split] = {
            "images": {"file": path.name, **images},
            "labels": {"file": f"{split}_labels.npy", **labels},
            "classes": ["noise"],
        }
    facts = {"dataset": "mnist", "synthetic": True, "image_shape": list(_SHAPE)}
    write_json(folder / "manifest.json", {**facts, "splits": splits})
