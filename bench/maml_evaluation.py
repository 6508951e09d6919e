"""MAML's evaluation, 5-way 1-shot with 50 steps, against a plain loop.

Run by ``python -m bench.maml_evaluation``; it needs ``envs/bench.in``.
"""

import sys
from collections.abc import Callable
from functools import partial

from torch import Tensor

from bench.harness import THREADS, compare, counted_flops, peak_flops, write_result
from bench.maml_baselines import Loop
from bench.maml_cases import maml_case
from cactus.config.base import DatasetName
from cactus.train.device import set_up_device

# Episodes of a round, and the ratio to reach.
CASES: dict[DatasetName, tuple[int, float]] = {"omniglot": (32, 4.0), "miniimagenet": (2, 1.5)}


def ours(dataset: DatasetName) -> Callable[[], Tensor]:
    """Return this project's evaluation."""
    set_up_device("cpu", THREADS, deterministic=False)
    model, images, batch = maml_case(dataset, CASES[dataset][0], way=5)
    return partial(model.accuracies, images, batch)


def plain_loop(dataset: DatasetName) -> Callable[[], Tensor]:
    """Return that of a loop over tasks."""
    return Loop(*maml_case(dataset, CASES[dataset][0], way=5)).evaluate


def measure(dataset: DatasetName, rounds: int) -> dict[str, object]:
    """Return the measurements of one data set."""
    tasks, target = CASES[dataset]
    peak = peak_flops()
    candidates = {"a plain loop": partial(plain_loop, dataset), "ours": partial(ours, dataset)}
    runs = compare(candidates, rounds)
    gap = runs.median("ours") / (counted_flops(plain_loop(dataset)) / peak)
    return {**runs.cell("a plain loop", target=target), "tasks": tasks, "floor_gap": gap}


def main(rounds: int = 5) -> None:
    """Measure and write."""
    write_result(
        "maml_evaluation",
        {
            "what": "MAML's evaluation, 5-way 1-shot, 50 steps, against a plain loop",
            "cells": {dataset: measure(dataset, rounds) for dataset in CASES},
        },
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
