"""One training step of ProtoNets against the original's model and data path, written plainly.

The original (Hsu, Levine and Finn, 2019; its code follows Snell et al., 2017): NHWC images in
NumPy, a Python loop over the classes, a batch transposed to NCHW, four times convolution, batch
norm, ReLU and max-pooling, Euclidean distances from expanded differences, Adam.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from bench.harness import (
    STEPS,
    THREADS,
    Bench,
    compare,
    counted_flops,
    fastest,
    peak_flops,
    write_result,
)
from cactus.config.sections.learners.protonets import ProtonetsSettings, ProtonetsSpeed
from cactus.meta.registry import build
from cactus.meta.train import TaskSource, TrainState, train_step
from cactus.tasks.episodes import PartitionSampler
from cactus.train.device import set_up_device

# Image size, channels, way, shot, query; and the ratio to reach.
CELLS = {"omniglot": ((28, 1, 20, 1, 15), 1.4), "miniimagenet": ((84, 3, 5, 1, 15), None)}

TINY = {"tiny": ((16, 1, 3, 1, 2), None)}


def images_and_labels(size: int, channels: int) -> tuple[np.ndarray, np.ndarray]:
    """Return uint8 images (2000, size, size, channels) of 100 random clusters of 20."""
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (2000, size, size, channels), dtype=np.uint8)
    return images, generator.permutation(np.repeat(np.arange(100), 20))


def original(
    bench: Bench, size: int, channels: int, way: int, shot: int, query: int
) -> Callable[[], float]:
    """Return the original's step."""
    images, labels = images_and_labels(size, channels)
    images = images.astype(np.float32) / 255.0
    members = [np.flatnonzero(labels == label) for label in range(100)]
    blocks = [
        nn.Sequential(
            nn.Conv2d(inputs, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2)
        )
        for inputs in (channels, 64, 64, 64)
    ]
    model = nn.Sequential(*blocks, nn.Flatten()).to(bench.device)
    optimizer = torch.optim.Adam(model.parameters(), 0.001)
    targets = torch.arange(way, device=bench.device)[:, None].expand(way, query).reshape(-1)

    def step() -> float:
        support, queries = [], []
        for label in np.random.permutation(len(members))[:way]:
            chosen = np.random.permutation(members[label])[: shot + query]
            support.append(images[chosen[:shot]])
            queries.append(images[chosen[shot:]])
        batch = torch.from_numpy(np.concatenate([*support, *queries])).permute(0, 3, 1, 2)
        features = model(batch.to(bench.device))
        prototypes = features[: way * shot].reshape(way, shot, -1).mean(1)
        distances = (features[way * shot :, None] - prototypes[None]).square().sum(2)
        loss = F.cross_entropy(-distances, targets)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        return loss.item()

    return step


def ours(
    bench: Bench, size: int, channels: int, way: int, shot: int, query: int, **changes: object
) -> Callable[[], float]:
    """Return this project's step, with some settings changed."""
    device = set_up_device(bench.device, THREADS, deterministic=False)
    images, labels = images_and_labels(size, channels)
    keys = {"way": way, "shot": shot, "query": query, **changes}
    settings = ProtonetsSettings.model_validate(keys)
    shape = (size, size, channels)
    learner = build("protonets", settings, ProtonetsSpeed(), shape, seed=0, device=device)
    sampler = PartitionSampler(labels[None], way, shot, query)
    source = TaskSource(torch.from_numpy(images).to(device), sampler)
    state = TrainState.start(learner, seed=0)
    return lambda: float(train_step(state, source).loss)


def main(bench: Bench) -> None:
    """Compare the steps on both image sizes."""
    cells, (rounds, device) = {}, bench[:2]
    for name, (cell, target) in (TINY if bench.tiny else CELLS).items():
        peak = peak_flops(device)
        candidates = {
            "original": partial(original, bench, *cell),
            "ours": partial(ours, bench, *cell),
        }
        runs = compare(candidates, rounds, **STEPS, device=device)
        gap = runs.median("ours") / (counted_flops(ours(bench, *cell)) / peak)
        aim = target if device == "cpu" else None
        cells[name] = {**runs.cell("original", target=aim), "floor_gap": gap}
    query = 1 if bench.tiny else 15
    ways = {n: fastest(ours(bench, 28, 1, n, 1, query), rounds, device) for n in (5, 10, 20)}
    shots = {n: fastest(ours(bench, 28, 1, 5, n, query), rounds, device) for n in (1, 2, 5)}
    write_result(
        "protonets_step",
        {
            "what": "ProtoNets step, sampling and Adam included, against the original's",
            "cells": cells,
            "cost": {"way": ways, "shot": shots},
        },
        bench,
    )


if __name__ == "__main__":
    main(Bench.from_arguments(__doc__, rounds=15))
