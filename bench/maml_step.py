"""MAML's training step against `higher` and a plain loop.

Run by ``python -m bench.maml_step``; it needs ``envs/bench.in``.
"""

import argparse

import torch

from bench.harness import (
    THREADS,
    compare,
    counted_flops,
    fitted_exponent,
    peak_flops,
    peak_memory,
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


def measure(dataset: str, changes: dict[str, object], target: float, rounds: int) -> dict:
    """Return the measurements of one case."""
    model, images, batch = maml_case(dataset, 8, **changes)
    loop = Loop(model, images, batch)

    def ours() -> None:
        model.zero_grad()
        model.accumulate_gradients(images, batch)

    candidates = {"plain": loop.train, "higher": loop.train_with_higher, "cactus": ours}
    peak = peak_flops()
    result = compare(candidates, rounds)
    # Counted on the loop: the counter does not know that a grouped convolution is smaller.
    floor = counted_flops(loop.train) / peak
    return {
        "target": target,
        "rounds": rounds,
        "ratio": {name: result.ratio("cactus", name)._asdict() for name in ("plain", "higher")},
        "seconds": {name: result.quartiles(name)._asdict() for name in candidates},
        "peak_gflops": peak / 1e9,
        "floor_seconds": floor,
        "times_floor": result.quartiles("cactus").median / floor,
        "peak_mib": {name: peak_memory(call) >> 20 for name, call in candidates.items()},
    }


def growth(rounds: int) -> dict[str, dict[str, object]]:
    """Return the cost of our step against each size, with its fitted exponent."""
    costs: dict[str, dict[str, object]] = {}
    for name, sizes in GROWTH.items():
        seconds = []
        for size in sizes:
            changes = {} if name == "tasks" else {name: size}
            model, images, batch = maml_case("omniglot", size if name == "tasks" else 8, **changes)
            seconds.append(
                min(timed(lambda: model.accumulate_gradients(images, batch)) for _ in range(rounds))  # noqa: B023
            )
        costs[name] = {
            "sizes": sizes,
            "seconds": seconds,
            "exponent": fitted_exponent(sizes, seconds),
        }
    return costs


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(THREADS)
    cases = {}
    for name, (dataset, changes, target) in CASES.items():
        few = rounds if dataset == "omniglot" else max(3, rounds // 2)
        cases[name] = case = measure(dataset, changes, target, few)
        for slow, ratio in case["ratio"].items():
            print(
                f"{name}: {ratio['median']:.2f} [{ratio['lower']:.2f}, {ratio['upper']:.2f}] "
                f"times as fast as {slow} (to reach: {target}); "
                f"{case['times_floor']:.1f} times the floor",
                flush=True,
            )
    costs = growth(3)
    for name, cost in costs.items():
        print(f"cost grows as {name} to the power {cost['exponent']:.2f}")
    write_result("maml_step", {"cases": cases, "growth": costs})


if __name__ == "__main__":
    main()
