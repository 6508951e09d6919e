"""Nearest neighbour on 256-d embeddings, against one call of scikit-learn a task."""

import sys

import numpy as np
import torch
from sklearn.neighbors import KNeighborsClassifier
from threadpoolctl import threadpool_limits

from bench.harness import THREADS, compare, own_peak_memory, write_result
from bench.logistic_regression import DIMS, TASKS, WAY, episodes
from cactus.evaluate.baselines.knn import NearestNeighbours

TARGET = 7.0
PART = 100  # tasks on which scikit-learn is timed; its time is scaled up


def scikit_learn(support: np.ndarray, query: np.ndarray) -> np.ndarray:
    """Return the labels (T, 25) of one call a task."""
    labels = np.repeat(np.arange(WAY), support.shape[2])
    return np.stack(
        [
            KNeighborsClassifier(1)
            .fit(points.reshape(-1, DIMS), labels)
            .predict(queries.reshape(-1, DIMS))
            for points, queries in zip(support, query, strict=True)
        ]
    )


def ours(support: np.ndarray, query: np.ndarray) -> np.ndarray:
    """Return the labels (T, 5, 5), a hundred tasks at a time as in a run."""
    starts = range(0, len(support), 100)
    method = NearestNeighbours(1)
    parts = [method.predict(support[s : s + 100], query[s : s + 100]) for s in starts]
    return np.concatenate(parts)


def main(rounds: int = 3) -> None:
    """Compare times and labels."""
    torch.set_num_threads(THREADS)
    cells = {}
    with threadpool_limits(THREADS):
        for shot in (1, 5):
            data = episodes(TASKS, shot)
            part = data[0][:PART], data[1][:PART]
            runs = compare(
                {
                    "scikit-learn": lambda data=part: scikit_learn(*data),
                    "ours": lambda data=data: ours(*data),
                },
                rounds,
            )
            same = scikit_learn(*part) == ours(*part).reshape(PART, -1)
            cells[f"{shot}-shot"] = {
                "target": TARGET,
                "ratio": [TASKS / PART * r for r in runs.ratio("scikit-learn", "ours")],
                "predictions_that_agree": float(same.mean()),
                "seconds": runs.median("ours"),
            }
        cost = {}
        for tasks in (250, 500, 1000, 2000):
            data = episodes(tasks, 1)
            cost[tasks] = compare({"o": lambda data=data: ours(*data)}, 5).median("o")
    write_result(
        "knn",
        {
            "what": "nearest neighbour, 1000 5-way tasks, against one call of scikit-learn a task",
            "cells": cells,
            "cost": {"tasks": cost},
            "peak_memory_bytes": own_peak_memory(),
        },
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
