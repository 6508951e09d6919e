"""MAML's training step against `higher` and a plain loop.

Run by ``python -m bench.maml_step``; it needs ``envs/bench.in``.
"""

import sys
from collections.abc import Callable
from functools import partial

import torch
from torch.profiler import ProfilerActivity, profile

from bench.harness import (
    STEPS,
    THREADS,
    compare,
    counted_flops,
    fastest,
    peak_flops,
    write_result,
)
from bench.maml_baselines import Loop
from bench.maml_cases import maml_case
from cactus.config.base import DatasetName
from cactus.train.device import set_up_allocator, set_up_device

Step = Callable[[], None]

CASES: dict[str, tuple[DatasetName, dict[str, bool], float]] = {
    "omniglot, second order": ("omniglot", {"first_order": False}, 2.2),
    "omniglot, first order": ("omniglot", {"first_order": True}, 1.8),
    "miniimagenet, second order": ("miniimagenet", {"first_order": False}, 1.5),
}
# Sizes that grow alone, from Omniglot's 20-way 1-shot task; the cost should be linear in the
# tasks, the way and the steps, and affine in the shot.
GROWTH = {"tasks": (4, 8, 16), "way": (5, 10, 20), "shot": (1, 2, 4), "inner_steps": (2, 4, 8)}


def ours(case: str) -> Step:
    """Return this project's step."""
    set_up_device("cpu", THREADS, deterministic=False)
    dataset, changes, _ = CASES[case]
    model, images, batch = maml_case(dataset, 8, **changes)

    def step() -> None:
        model.zero_grad()
        model.accumulate_gradients(images, batch)

    return step


def plain_loop(case: str) -> Step:
    """Return the step of a loop over tasks."""
    dataset, changes, _ = CASES[case]
    return Loop(*maml_case(dataset, 8, **changes)).train


def plain_loop_with_kept_memory(case: str) -> Step:
    """Return the same for a process whose memory allocator is set up as ours."""
    set_up_allocator()
    return plain_loop(case)


def higher(case: str) -> Step:
    """Return the step through `higher`."""
    dataset, changes, _ = CASES[case]
    return Loop(*maml_case(dataset, 8, **changes)).train_with_higher


RIVALS = {
    "a plain loop": plain_loop,
    "higher": higher,
    "a plain loop with our memory allocation": plain_loop_with_kept_memory,
}


def measure(case: str, rounds: int) -> dict[str, dict[str, object]]:
    """Return the measurements of one case against all rivals."""
    peak, target = peak_flops(), CASES[case][2]
    candidates = {name: partial(rival, case) for name, rival in RIVALS.items()}
    runs = compare({**candidates, "ours": partial(ours, case)}, rounds, **STEPS)
    # Counted on the loop: the counter does not know that a grouped convolution is smaller.
    gap = runs.median("ours") / (counted_flops(plain_loop(case)) / peak)
    return {
        f"{case}, against {rival}": {
            **runs.cell(rival, target=None if "our" in rival else target),
            "floor_gap": gap,
        }
        for rival in RIVALS
    }


def growth(rounds: int) -> dict[str, dict[int, float]]:
    """Return the seconds of our step at each size that grows alone."""
    set_up_device("cpu", THREADS, deterministic=False)
    costs: dict[str, dict[int, float]] = {}
    for name, sizes in GROWTH.items():
        costs[name] = {}
        for size in sizes:
            changes = {} if name == "tasks" else {name: size}
            model, images, batch = maml_case("omniglot", size if name == "tasks" else 8, **changes)
            step = partial(model.accumulate_gradients, images, batch)
            costs[name][size] = fastest(step, rounds)
    return costs


def shares(case: str) -> dict[str, float]:
    """Return the operators that take most of our step's time on one thread, and their shares."""
    step = ours(case)
    torch.set_num_threads(1)
    step()
    with profile(activities=[ProfilerActivity.CPU]) as trace:
        step()
    averages = trace.key_averages()
    total = sum(one.self_cpu_time_total for one in averages)
    longest = sorted(averages, key=lambda one: -one.self_cpu_time_total)[:8]
    return {one.key.removeprefix("aten::"): one.self_cpu_time_total / total for one in longest}


def main(rounds: int = 9) -> None:
    """Measure and write."""
    cells: dict[str, dict[str, object]] = {}
    for case, (dataset, _, _) in CASES.items():
        cells |= measure(case, rounds if dataset == "omniglot" else max(3, rounds // 2))
    write_result(
        "maml_step",
        {
            "what": "MAML's step, 8 tasks of 20-way 1-shot (Omniglot), 5-way 1-shot (miniImageNet)",
            "cells": cells,
            "cost": growth(3),
            "shares": {case: shares(case) for case in CASES},
        },
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
