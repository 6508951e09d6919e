"""A training step of each embedding, channels last as here, against PyTorch's default layout."""

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch

from bench.harness import STEPS, THREADS, compare, counted_flops, peak_flops, write_result
from cactus.config.models import Config
from cactus.config.sections.embeddings.section import parse_embedding
from cactus.embed.base import TrainedEmbedding
from cactus.embed.registry import build
from cactus.train.device import set_up_device

BATCH = 64
CASES = ("acai", "bigan", "deepcluster", "infogan")


def step(name: str, layout: torch.memory_format) -> Callable[[], Any]:
    """Return the step of an embedding on 64 images of Omniglot's size."""
    device = set_up_device("cpu", THREADS, deterministic=False)
    settings = Config().embeddings.resolve(name, "omniglot").model_dump(mode="json")
    settings["batch_size"] = BATCH
    method = build(name, parse_embedding(name, settings), (28, 28, 1), 0, device)
    assert isinstance(method, TrainedEmbedding)
    method.nets.train().to(memory_format=layout)
    images = np.random.default_rng(0).integers(0, 256, (BATCH, 28, 28, 1), dtype=np.uint8)
    resident, indices = method.resident(images), torch.arange(BATCH)
    if hasattr(method, "labels"):
        method.labels = indices % method.settings.clusters

    def work() -> dict[str, float]:
        metrics = method.train_step(resident, indices)
        return {name: float(value) for name, value in metrics.items()}

    return work


def measure(name: str, rounds: int) -> dict[str, Any]:
    """Return the measurements of one embedding."""
    peak = peak_flops()
    ours, default = (
        partial(step, name, layout) for layout in (torch.channels_last, torch.contiguous_format)
    )
    runs = compare({"default layout": default, "ours": ours}, rounds, **STEPS)
    gap = runs.median("ours") / (counted_flops(ours()) / peak)
    return {**runs.cell("default layout"), "floor_gap": gap}


def main(rounds: int = 7) -> None:
    """Measure and write."""
    write_result(
        "embedding_step",
        {
            "what": "a training step of 64 images, against PyTorch's default layout",
            "cells": {name: measure(name, rounds) for name in CASES},
        },
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
