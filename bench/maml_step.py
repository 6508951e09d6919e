"""MAML's training step against `higher` and a plain loop.

Run by ``python -m bench.maml_step``; it needs ``envs/bench.in``.
"""

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec

import torch
from torch.profiler import ProfilerActivity, profile

from bench.harness import (
    STEPS,
    THREADS,
    Bench,
    compare,
    counted_flops,
    fastest,
    peak_flops,
    wait,
    write_result,
)
from bench.maml_baselines import Loop
from bench.maml_cases import maml_case
from cactus.config.sections.base import DatasetName
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


def ours(bench: Bench, case: str, **options: object) -> Step:
    """Return this project's step, with options of speed."""
    set_up_device(bench.device, THREADS, deterministic=bool(options.pop("deterministic", False)))
    dataset, changes, _ = CASES[case]
    model, images, batch = maml_case(bench, dataset, 8, **changes, **options)

    def step() -> None:
        model.zero_grad()
        model.accumulate_gradients(images, batch)

    return step


def plain_loop(bench: Bench, case: str) -> Step:
    """Return the step of a loop over tasks."""
    dataset, changes, _ = CASES[case]
    return Loop(*maml_case(bench, dataset, 8, **changes)).train


def plain_loop_with_kept_memory(bench: Bench, case: str) -> Step:
    """Return the same for a process whose memory allocator is set up as ours."""
    set_up_allocator()
    return plain_loop(bench, case)


def higher(bench: Bench, case: str) -> Step:
    """Return the step through `higher`."""
    dataset, changes, _ = CASES[case]
    return Loop(*maml_case(bench, dataset, 8, **changes)).train_with_higher


def rivals(bench: Bench) -> dict[str, Callable[[Bench, str], Step]]:
    """Return the rivals; another environment than ours may lack `higher`."""
    found: dict[str, Callable[[Bench, str], Step]] = {"a plain loop": plain_loop}
    if find_spec("higher"):
        found["higher"] = higher
    if bench.device == "cpu":
        found["a plain loop with our memory allocation"] = plain_loop_with_kept_memory
    return found


def measure(bench: Bench, case: str, rounds: int) -> dict[str, dict[str, object]]:
    """Return the measurements of one case against all rivals."""
    peak, target = peak_flops(bench.device), CASES[case][2]
    candidates = {name: partial(rival, bench, case) for name, rival in rivals(bench).items()}
    mine = {"ours": partial(ours, bench, case)}
    runs = compare({**candidates, **mine}, rounds, **STEPS, device=bench.device)
    # Counted on the loop: the counter does not know that a grouped convolution is smaller.
    gap = runs.median("ours") / (counted_flops(plain_loop(bench, case)) / peak)
    on_cpu = bench.device == "cpu"
    return {
        f"{case}, against {rival}": {
            **runs.cell(rival, target=None if "our" in rival or not on_cpu else target),
            "floor_gap": gap,
        }
        for rival in candidates
    }


def growth(bench: Bench, rounds: int) -> dict[str, dict[int, float]]:
    """Return the seconds of our step at each size that grows alone."""
    set_up_device(bench.device, THREADS, deterministic=False)
    costs: dict[str, dict[int, float]] = {}
    for name, sizes in GROWTH.items():
        costs[name] = {}
        for size in sizes:
            changes = {} if name == "tasks" else {name: size}
            tasks = size if name == "tasks" else 8
            model, images, batch = maml_case(bench, "omniglot", tasks, **changes)
            step = partial(model.accumulate_gradients, images, batch)
            costs[name][size] = fastest(step, rounds, bench.device)
    return costs


def shares(bench: Bench, case: str) -> dict[str, float]:
    """Return what takes most of our step's time, and the shares.

    Operators on one thread of a CPU, or kernels of a GPU.
    """
    step = ours(bench, case)
    torch.set_num_threads(1)
    step()
    on_cpu = bench.device == "cpu"
    with profile(activities=[ProfilerActivity.CPU if on_cpu else ProfilerActivity.CUDA]) as trace:
        step()
        wait(bench.device)
    field = "self_cpu_time_total" if on_cpu else "self_device_time_total"
    times = {one.key.removeprefix("aten::"): getattr(one, field) for one in trace.key_averages()}
    longest = sorted(times, key=lambda name: -times[name])[:8]
    return {name: times[name] / sum(times.values()) for name in longest}


def main(bench: Bench) -> None:
    """Measure and write."""
    cells: dict[str, dict[str, object]] = {}
    fewer = max(1 if bench.tiny else 3, bench.rounds // 2)
    cases = dict(list(CASES.items())[: 1 if bench.tiny else None])
    for case, (dataset, _, _) in cases.items():
        cells |= measure(bench, case, bench.rounds if dataset == "omniglot" else fewer)
    write_result(
        "maml_step",
        {
            "what": "MAML's step, 8 tasks of 20-way 1-shot (Omniglot), 5-way 1-shot (miniImageNet)",
            "cells": cells,
            "cost": growth(bench, 1 if bench.tiny else 3),
            "shares": {case: shares(bench, case) for case in cases},
        },
        bench,
    )


if __name__ == "__main__":
    main(Bench.from_arguments(__doc__, rounds=9))
