"""Logistic regression on 256-d embeddings, against one call of scikit-learn a task.

scikit-learn is asked for the same optimum, 1e-8 in double precision; its default tolerance, which
stops earlier, is timed as well. It is timed on a part of the tasks, and its time scaled up.
"""

import sys

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression as Peer
from threadpoolctl import threadpool_limits

from bench.harness import THREADS, compare, own_peak_memory, write_result
from cactus.evaluate.baselines.linear import LogisticRegression

TASKS, WAY, QUERY, DIMS, PART = 1000, 5, 5, 256, 25
SHOTS = {1: 20.0, 5: 4.0}


def episodes(tasks: int, shot: int, way: int = WAY) -> tuple[np.ndarray, np.ndarray]:
    """Return support (T, way, shot, 256) and query (T, way, 5, 256) of overlapping classes."""
    generator = np.random.default_rng(0)
    centres = generator.normal(size=(tasks, way, 1, DIMS))
    return tuple(
        (centres + 2 * generator.normal(size=(tasks, way, count, DIMS))).astype(np.float32)
        for count in (shot, QUERY)
    )


def scikit_learn(support: np.ndarray, query: np.ndarray, **options: float) -> np.ndarray:
    """Return the logits (T, 25, 5) of one call a task, of mean zero over the classes."""
    labels = np.repeat(np.arange(WAY), support.shape[2])
    logits = []
    for points, queries in zip(support.astype(np.float64), query, strict=True):
        model = Peer(C=1.0, max_iter=1000, **options).fit(points.reshape(-1, DIMS), labels)
        logits.append(model.decision_function(queries.reshape(-1, DIMS)))
    result = np.stack(logits)
    return result - result.mean(axis=-1, keepdims=True)


def ours(support: np.ndarray, query: np.ndarray) -> np.ndarray:
    """Return the logits of all tasks at once."""
    return LogisticRegression(1.0, 1e-8, 100).logits(support, query)


def main(rounds: int = 3) -> None:
    """Compare times and logits."""
    torch.set_num_threads(THREADS)
    cells = {}
    with threadpool_limits(THREADS):
        for shot, target in SHOTS.items():
            support, query = episodes(TASKS, shot)
            part = support[:PART], query[:PART]
            runs = compare(
                {
                    "ours": lambda data=(support, query): ours(*data),
                    "same optimum": lambda data=part: scikit_learn(*data, tol=1e-8),
                    "default tolerance": lambda data=part: scikit_learn(*data),
                },
                rounds,
            )
            scale = TASKS / PART
            difference = np.abs(
                ours(*part).reshape(PART, -1, WAY) - scikit_learn(*part, tol=1e-8)
            ).max()
            cells[f"{shot}-shot"] = {
                "target": target,
                "ratio": [scale * value for value in runs.ratio("same optimum", "ours")],
                "ratio_default_tolerance": [
                    scale * value for value in runs.ratio("default tolerance", "ours")
                ],
                "largest_difference": float(difference),
                "seconds": runs.median("ours"),
            }
        cost = {
            "tasks": {n: timed(n, 1) for n in (250, 500, 1000, 2000)},
            "shot": {shot: timed(200, shot) for shot in (1, 2, 5, 10)},
        }
    write_result(
        "logistic_regression",
        {
            "what": "logistic regression, 1000 5-way tasks, against one scikit-learn call a task",
            "cells": cells,
            "cost": cost,
            "peak_memory_bytes": own_peak_memory(),
        },
    )


def timed(tasks: int, shot: int) -> float:
    """Return the median seconds of our fit of so many tasks."""
    data = episodes(tasks, shot)
    return compare({"ours": lambda: ours(*data)}, 3).median("ours")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
