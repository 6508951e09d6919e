"""Nearest neighbor on 256-d embeddings, against one call of scikit-learn per task."""

import sys
from collections.abc import Callable
from functools import partial

import numpy as np
from sklearn.neighbors import KNeighborsClassifier

from bench.harness import compare, fastest, write_result
from bench.logistic_regression import DIMS, TASKS, WAY, episodes
from cactus.evaluate.baselines.knn import NearestNeighbors

TARGET = 7.0
PART = 100  # tasks on which scikit-learn is timed; its time is scaled up


def scikit_learn(shot: int) -> Callable[[], np.ndarray]:
    """Return what finds the labels (T, 25) of a part of the tasks, one call per task."""
    support, query = (array[:PART] for array in episodes(TASKS, shot))
    labels = np.repeat(np.arange(WAY), shot)

    def work() -> np.ndarray:
        return np.stack(
            [
                KNeighborsClassifier(1)
                .fit(points.reshape(-1, DIMS), labels)
                .predict(queries.reshape(-1, DIMS))
                for points, queries in zip(support, query, strict=True)
            ]
        )

    return work


def ours(shot: int, tasks: int = TASKS) -> Callable[[], np.ndarray]:
    """Return what finds the labels (T, 25), a hundred tasks at a time as in a run."""
    support, query = episodes(tasks, shot)
    starts, method = range(0, tasks, 100), NearestNeighbors([1])

    def work() -> np.ndarray:
        parts = [method.predict(support[s : s + 100], query[s : s + 100]) for s in starts]
        return np.concatenate(parts, axis=1).reshape(tasks, -1)

    return work


def main(rounds: int = 5) -> None:
    """Compare times and labels."""
    cells = {}
    for shot in (1, 5):
        candidates = {"scikit-learn": partial(scikit_learn, shot), "ours": partial(ours, shot)}
        runs = compare(candidates, rounds)
        same = runs.results("scikit-learn")[0] == runs.results("ours")[0][:PART]
        cells[f"{shot}-shot"] = {
            **runs.cell("scikit-learn", target=TARGET, scale=TASKS / PART),
            "predictions_that_agree": float(same.mean()),
        }
    write_result(
        "knn",
        {
            "what": "nearest neighbor, 1000 5-way tasks, against one call of scikit-learn a task",
            "cells": cells,
            "cost": {"tasks": {n: fastest(ours(1, n), 5) for n in (250, 500, 1000, 2000)}},
        },
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
