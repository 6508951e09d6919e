"""MAML's evaluation, 5-way 1-shot with 50 steps, against a plain loop.

Run by ``python -m bench.maml_evaluation``; it needs ``envs/bench.in``.
"""

import argparse

import torch

from bench.harness import THREADS, compare, counted_flops, peak_flops, peak_memory, write_result
from bench.maml_baselines import Loop
from bench.maml_cases import maml_case

# Episodes of a round, and the ratio to reach.
CASES = {"omniglot": (32, 4.0), "miniimagenet": (2, 1.5)}


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(THREADS)
    cases = {}
    for dataset, (tasks, target) in CASES.items():
        model, images, batch = maml_case(dataset, tasks, way=5)
        loop = Loop(model, images, batch)
        candidates = {
            "plain": loop.evaluate,
            "cactus": lambda: model.accuracies(images, batch),  # noqa: B023
        }
        peak = peak_flops()
        result = compare(candidates, rounds)
        ratio, floor = result.ratio("cactus", "plain"), counted_flops(loop.evaluate) / peak
        cases[dataset] = {
            "target": target,
            "rounds": rounds,
            "tasks": tasks,
            "ratio": ratio._asdict(),
            "seconds": {name: result.quartiles(name)._asdict() for name in candidates},
            "floor_seconds": floor,
            "times_floor": result.quartiles("cactus").median / floor,
            "peak_mib": {name: peak_memory(call) >> 20 for name, call in candidates.items()},
        }
        print(
            f"{dataset}: {ratio} times as fast as a plain loop (to reach: {target}); "
            f"{cases[dataset]['times_floor']:.1f} times the floor",
            flush=True,
        )
    write_result("maml_evaluation", {"cases": cases})


if __name__ == "__main__":
    main()
