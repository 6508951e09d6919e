"""MAML's evaluation, 5-way 1-shot with 50 steps, against a plain loop.

Run by ``python -m bench.maml_evaluation``; it needs ``envs/bench.in``.
"""

import sys

import torch

from bench.harness import (
    THREADS,
    compare,
    counted_flops,
    own_peak_memory,
    peak_flops,
    write_result,
)
from bench.maml_baselines import Loop
from bench.maml_cases import maml_case

# Episodes of a round, and the ratio to reach.
CASES = {"omniglot": (32, 4.0), "miniimagenet": (2, 1.5)}


def measure(dataset: str, rounds: int) -> dict[str, object]:
    """Return the measurements of one data set."""
    tasks, target = CASES[dataset]
    model, images, batch = maml_case(dataset, tasks, way=5)
    loop = Loop(model, images, batch)
    peak = peak_flops()
    runs = compare(
        {"a plain loop": loop.evaluate, "ours": lambda: model.accuracies(images, batch)}, rounds
    )
    return {
        "target": target,
        "rounds": rounds,
        "tasks": tasks,
        "ratio": runs.ratio("a plain loop", "ours"),
        "seconds": runs.median("ours"),
        "floor_gap": runs.median("ours") / (counted_flops(loop.evaluate) / peak),
    }


def main(rounds: int = 5) -> None:
    """Measure and write."""
    torch.set_num_threads(THREADS)
    write_result(
        "maml_evaluation",
        {
            "what": "MAML's evaluation, 5-way 1-shot, 50 steps, against a plain loop",
            "cells": {dataset: measure(dataset, rounds) for dataset in CASES},
            "peak_memory_bytes": own_peak_memory(),
        },
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
