"""MAML's training step against `higher` and a plain loop.

Run by ``python -m bench.maml_step``; it needs ``envs/bench.in``.
"""

import sys
from functools import partial

import torch

from bench.harness import (
    THREADS,
    compare,
    counted_flops,
    own_peak_memory,
    peak_flops,
    timed,
    write_result,
)
from bench.maml_baselines import Loop
from bench.maml_cases import maml_case

CASES = {
    "omniglot, second order": ("omniglot", {"first_order": False}, 2.2),
    "omniglot, first order": ("omniglot", {"first_order": True}, 1.8),
    "miniimagenet, second order": ("miniimagenet", {"first_order": False}, 1.5),
}
# Sizes that grow alone, from Omniglot's 20-way 1-shot task; the cost should be linear in the
# tasks, the way and the steps, and affine in the shot.
GROWTH = {"tasks": (4, 8, 16), "way": (5, 10, 20), "shot": (1, 2, 4), "inner_steps": (2, 4, 8)}


def measure(case: str, rounds: int) -> dict[str, dict[str, object]]:
    """Return the measurements of one case against both rivals."""
    dataset, changes, target = CASES[case]
    model, images, batch = maml_case(dataset, 8, **changes)
    loop = Loop(model, images, batch)

    def ours() -> None:
        model.zero_grad()
        model.accumulate_gradients(images, batch)

    rivals = {"a plain loop": loop.train, "higher": loop.train_with_higher}
    peak = peak_flops()
    runs = compare({**rivals, "ours": ours}, rounds)
    # Counted on the loop: the counter does not know that a grouped convolution is smaller.
    floor = counted_flops(loop.train) / peak
    common = {
        "target": target,
        "rounds": rounds,
        "seconds": runs.median("ours"),
        "floor_gap": runs.median("ours") / floor,
    }
    return {
        f"{case}, against {rival}": {**common, "ratio": runs.ratio(rival, "ours")}
        for rival in rivals
    }


def growth(rounds: int) -> dict[str, dict[int, float]]:
    """Return the seconds of our step at each size that grows alone."""
    costs: dict[str, dict[int, float]] = {}
    for name, sizes in GROWTH.items():
        costs[name] = {}
        for size in sizes:
            changes = {} if name == "tasks" else {name: size}
            model, images, batch = maml_case("omniglot", size if name == "tasks" else 8, **changes)
            step = partial(model.accumulate_gradients, images, batch)
            costs[name][size] = min(timed(step) for _ in range(rounds))
    return costs


def main(rounds: int = 9) -> None:
    """Measure and write."""
    torch.set_num_threads(THREADS)
    cells = {}
    for case, (dataset, _, _) in CASES.items():
        cells |= measure(case, rounds if dataset == "omniglot" else max(3, rounds // 2))
    write_result(
        "maml_step",
        {
            "what": "MAML's step, 8 tasks of 20-way 1-shot (Omniglot), 5-way 1-shot (miniImageNet)",
            "cells": cells,
            "cost": growth(3),
            "peak_memory_bytes": own_peak_memory(),
        },
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
