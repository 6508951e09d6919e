"""A training step of each embedding, channels-last, against PyTorch's default layout."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch

from bench.harness import STEPS, THREADS, Bench, compare, counted_flops, peak_flops, write_result
from cactus.config.models import Config
from cactus.embed.base import TrainedEmbedding
from cactus.embed.registry import build
from cactus.embed.registry import parse as parse_embedding
from cactus.train.device import set_up_device

BATCH = 64
CASES = ("acai", "bigan", "contrastive", "deepcluster", "infogan")


def step(
    bench: Bench, name: str, layout: torch.memory_format, **changes: object
) -> Callable[[], Any]:
    """Return the step of an embedding on 64 images of Omniglot's size, with settings changed."""
    device = set_up_device(bench.device, THREADS, deterministic=False)
    settings = Config().embeddings.resolve(name, "omniglot").model_dump(mode="json")
    settings |= {"batch_size": 4 if bench.tiny else BATCH, **changes}
    method = build(name, parse_embedding(name, settings), (28, 28, 1), 0, device)
    assert isinstance(method, TrainedEmbedding)
    method.nets.train().to(memory_format=layout)
    images = np.random.default_rng(0).integers(0, 256, (BATCH, 28, 28, 1), dtype=np.uint8)
    resident = method.resident(images)
    indices = torch.arange(settings["batch_size"], device=device)
    if hasattr(method, "labels"):
        method.labels = indices % method.settings.clusters

    def work() -> dict[str, float]:
        metrics = method.train_step(resident[indices], indices)
        return {name: float(value) for name, value in metrics.items()}

    return work


def measure(bench: Bench, name: str) -> dict[str, Any]:
    """Return the measurements of one embedding."""
    peak = peak_flops(bench.device)
    ours, default = (
        partial(step, bench, name, layout)
        for layout in (torch.channels_last, torch.contiguous_format)
    )
    candidates = {"default layout": default, "ours": ours}
    runs = compare(candidates, bench.rounds, **STEPS, device=bench.device)
    gap = runs.median("ours") / (counted_flops(ours()) / peak)
    return {**runs.cell("default layout"), "floor_gap": gap}


def main(bench: Bench) -> None:
    """Measure and write."""
    write_result(
        "embedding_step",
        {
            "what": "a training step of 64 images, against PyTorch's default layout",
            "cells": {name: measure(bench, name) for name in CASES[: 1 if bench.tiny else None]},
        },
        bench,
    )


if __name__ == "__main__":
    main(Bench.from_arguments(__doc__, rounds=7))
