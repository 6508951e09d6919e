"""MAML's evaluation, 5-way 1-shot with 50 steps, against a plain loop.

Run by ``python -m bench.maml_evaluation``; it needs ``envs/bench.in``.
"""

from collections.abc import Callable
from functools import partial

from torch import Tensor

from bench.harness import THREADS, Bench, compare, counted_flops, peak_flops, write_result
from bench.maml_baselines import Loop
from bench.maml_cases import maml_case
from cactus.config.sections.base import DatasetName
from cactus.train.device import set_up_device

# Episodes of a round, and the ratio to reach.
CASES: dict[DatasetName, tuple[int, float]] = {"omniglot": (32, 4.0), "miniimagenet": (2, 1.5)}


def ours(bench: Bench, dataset: DatasetName) -> Callable[[], Tensor]:
    """Return this project's evaluation."""
    set_up_device(bench.device, THREADS, deterministic=False)
    model, images, batch = maml_case(bench, dataset, CASES[dataset][0], way=5)
    return lambda: model.accuracies(images, batch).cpu()


def plain_loop(bench: Bench, dataset: DatasetName) -> Callable[[], Tensor]:
    """Return that of a loop over tasks."""
    return Loop(*maml_case(bench, dataset, CASES[dataset][0], way=5)).evaluate


def measure(bench: Bench, dataset: DatasetName) -> dict[str, object]:
    """Return the measurements of one data set."""
    tasks, target = CASES[dataset]
    peak = peak_flops(bench.device)
    candidates = {
        "a plain loop": partial(plain_loop, bench, dataset),
        "ours": partial(ours, bench, dataset),
    }
    runs = compare(candidates, bench.rounds, device=bench.device)
    gap = runs.median("ours") / (counted_flops(plain_loop(bench, dataset)) / peak)
    aim = target if bench.device == "cpu" else None
    return {**runs.cell("a plain loop", target=aim), "tasks": tasks, "floor_gap": gap}


def main(bench: Bench) -> None:
    """Measure and write."""
    write_result(
        "maml_evaluation",
        {
            "what": "MAML's evaluation, 5-way 1-shot, 50 steps, against a plain loop",
            "cells": {
                dataset: measure(bench, dataset)
                for dataset in list(CASES)[: 1 if bench.tiny else None]
            },
        },
        bench,
    )


if __name__ == "__main__":
    main(Bench.from_arguments(__doc__, rounds=5))
