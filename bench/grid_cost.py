"""What the grids cost on paper: work and kernel launches of a step, times the steps.

Operations are counted, not timed: floating-point operations by PyTorch's counter, launches as the
profiler's operators that call no other operator, both in one step on random images on the CPU. A
GPU spends at least the larger of work over peak and launches over launch rate.
"""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from bench.harness import THREADS, write_result
from cactus.config.load import load_config
from cactus.config.models import Config
from cactus.config.sections.base import DatasetName
from cactus.config.sections.grid import Grid
from cactus.embed.base import TrainedEmbedding
from cactus.embed.registry import build as build_embedding
from cactus.embed.registry import parse as parse_embedding
from cactus.meta.registry import build as build_learner
from cactus.meta.train import TaskSource, TrainState, train_step
from cactus.tasks.episodes import PartitionSampler

PEAK, MEMORY_RATE, LAUNCH_SECONDS = 67e12, 3.35e12, 5e-6  # H100 SXM: float32, HBM3, one launch
IMAGES: dict[DatasetName, int] = {
    "mnist": 50_000,
    "omniglot": 22_000,
    "miniimagenet": 38_400,
    "celeba": 162_770,
}
SHAPES: dict[DatasetName, tuple[int, int, int]] = {
    "mnist": (28, 28, 1), "omniglot": (28, 28, 1), "miniimagenet": (84, 84, 3),
    "celeba": (84, 84, 3),
}  # fmt: skip
CPU = torch.device("cpu")
CONFIG = Path(__file__).parents[1] / "config"
WHAT = "the grids of the paper and of full.yaml with one seed, on paper"
GRIDS = {"paper": CONFIG / "config.yaml", "full": CONFIG / "full.yaml"}

Step = Callable[[], object]


def counted(step: Step) -> dict[str, float]:
    """Count a step's floating-point operations, launches and bytes of the tensors it makes."""
    with FlopCounterMode(display=False) as counter:
        step()  # the first one sets optimizers up, which the profile is not to count
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as trace:
        step()
    leaves = [
        event
        for event in trace.events()
        if event.name.startswith("aten::")
        and not any(child.name.startswith("aten::") for child in event.cpu_children)
    ]
    made = sum(max(event.self_cpu_memory_usage, 0) for event in trace.events())
    # Written once and read once at least.
    return {"flops": counter.get_total_flops(), "launches": len(leaves), "bytes": 2 * made}


def learner_step(config: Config, dataset: DatasetName, name: str, tasks: int) -> Step:
    """Return a training step of a meta-learner, with so many tasks a batch."""
    settings = config.learners.resolve(name, dataset, "acai")
    settings = settings.model_copy(update={"tasks_per_batch": tasks})
    generator = np.random.default_rng(0)
    images = torch.from_numpy(generator.integers(0, 256, (1200, *SHAPES[dataset]), dtype=np.uint8))
    labels = np.repeat(np.arange(40), 30)[None]
    sampler = PartitionSampler(labels, settings.way, settings.shot, settings.query)
    learner = build_learner(
        name, settings, config.speed.resolve(name, dataset), SHAPES[dataset], seed=0, device=CPU
    )
    state, source = TrainState.start(learner, 0), TaskSource(images, sampler)
    return lambda: train_step(state, source)


def embedding_step(config: Config, dataset: DatasetName, name: str) -> tuple[Step, int]:
    """Return a training step of an embedding, and its steps in all."""
    settings = config.embeddings.resolve(name, dataset).model_dump(mode="json")
    method = build_embedding(name, parse_embedding(name, settings), SHAPES[dataset], 0, CPU)
    assert isinstance(method, TrainedEmbedding)
    generator = np.random.default_rng(0)
    count = method.batch_size(IMAGES[dataset])
    images = generator.integers(0, 256, (count, *SHAPES[dataset]), dtype=np.uint8)
    resident, indices = method.resident(images), torch.arange(count)
    if hasattr(method, "labels"):
        method.labels = indices % method.settings.clusters
    method.nets.train()
    return lambda: method.train_step(resident, indices), method.total_steps(IMAGES[dataset])


def hours(step: dict[str, float], steps: int) -> dict[str, float]:
    """Return the GPU-hours of a training by its limits, each on its own."""
    by = {
        "flops": step["flops"] / PEAK,
        "bytes": step["bytes"] / MEMORY_RATE,
        "launches": step["launches"] * LAUNCH_SECONDS,
    }
    return {name: seconds * steps / 3600 for name, seconds in by.items()}


def main() -> None:
    """Count one step of every kind of training of the full grid, and add the grids up."""
    config = load_config([GRIDS["full"]])
    cells = {name: trainings(load_config([file]).expanded_grid) for name, file in GRIDS.items()}
    parts = []
    kinds = {(cell.dataset, cell.learner) for cell in config.expanded_grid.trained_cells}
    for dataset, learner in sorted(kinds):
        settings = config.learners.resolve(learner, dataset, "acai")
        step = counted(learner_step(config, dataset, learner, 1))
        tasks = settings.tasks_per_batch
        # One task is counted and its work multiplied; batched, the launches are those of one task.
        step = {**step, "flops": tasks * step["flops"], "bytes": tasks * step["bytes"]}
        parts.append(part(f"{learner} {dataset}", step, settings.iterations))
    for dataset, name, _ in config.expanded_grid.embedding_runs:
        run, steps = embedding_step(config, dataset, name)
        parts.append(part(f"{name} {dataset}", counted(run), steps))
    write_result("grid_cost", {"what": WHAT, **added_up(parts, cells)})


def trainings(grid: Grid) -> Counter[str]:
    """Return how often a grid trains each kind of learner and embedding."""
    learners = Counter(f"{cell.learner} {cell.dataset}" for cell in grid.trained_cells)
    return learners + Counter(f"{name} {dataset}" for dataset, name, _ in grid.embedding_runs)


def added_up(parts: list[dict[str, Any]], cells: dict[str, Counter[str]]) -> dict[str, Any]:
    """Return the parts with their number of cells in each grid, and the GPU-hours of each grid."""
    counted_parts = [
        {**one, "cells": {name: grid[one["name"]] for name, grid in cells.items()}} for one in parts
    ]
    total = {
        name: sum(one["cells"][name] * max(one["hours"].values()) for one in counted_parts)
        for name in cells
    }
    return {"gpu_hours": total, "parts": counted_parts}


def part(name: str, step: dict[str, float], steps: int) -> dict[str, Any]:
    """Describe one kind of training."""
    print(name, step, steps, flush=True)
    return {"name": name, **step, "steps": steps, "hours": hours(step, steps)}


if __name__ == "__main__":
    torch.set_num_threads(THREADS)
    main()
