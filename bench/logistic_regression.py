"""Logistic regression on 256-d embeddings, against one call of scikit-learn a task.

scikit-learn is asked for the same optimum, 1e-8 in double precision; its default tolerance, which
stops earlier, is timed as well. It is timed on a part of the tasks, and its time scaled up.
"""

import sys
from collections.abc import Callable
from functools import partial

import numpy as np
from sklearn.linear_model import LogisticRegression as Peer

from bench.harness import compare, fastest, write_result
from cactus.evaluate.baselines.linear import LogisticRegression

TASKS, WAY, QUERY, DIMS, PART = 1000, 5, 5, 256, 25
SHOTS = {1: 20.0, 5: 4.0}


def episodes(tasks: int, shot: int, way: int = WAY) -> tuple[np.ndarray, np.ndarray]:
    """Return support (T, way, shot, 256) and query (T, way, 5, 256) of overlapping classes."""
    generator = np.random.default_rng(0)
    centres = generator.normal(size=(tasks, way, 1, DIMS))
    support, query = (
        (centres + 2 * generator.normal(size=(tasks, way, count, DIMS))).astype(np.float32)
        for count in (shot, QUERY)
    )
    return support, query


def scikit_learn(shot: int, **options: float) -> Callable[[], np.ndarray]:
    """Return what finds the logits (T, 25, 5), of mean zero over the classes, one call a task."""
    support, query = (array[:PART].astype(np.float64) for array in episodes(TASKS, shot))
    labels = np.repeat(np.arange(WAY), shot)

    def work() -> np.ndarray:
        logits = []
        for points, queries in zip(support, query, strict=True):
            model = Peer(C=1.0, max_iter=1000, **options).fit(points.reshape(-1, DIMS), labels)
            logits.append(model.decision_function(queries.reshape(-1, DIMS)))
        result = np.stack(logits)
        centered: np.ndarray = result - result.mean(axis=-1, keepdims=True)
        return centered

    return work


def ours(shot: int, tasks: int = TASKS) -> Callable[[], np.ndarray]:
    """Return what finds the logits (T, 25, 5) of all tasks at once."""
    support, query = episodes(tasks, shot)
    method = LogisticRegression([1.0], 1e-8, 100)
    return lambda: method.logits(support, query).reshape(tasks, -1, WAY)


def main(rounds: int = 3) -> None:
    """Compare times and logits."""
    cells = {}
    for shot, target in SHOTS.items():
        rivals = {
            "scikit-learn, same optimum": partial(scikit_learn, shot, tol=1e-8),
            "scikit-learn, default tolerance": partial(scikit_learn, shot),
        }
        runs = compare({**rivals, "ours": partial(ours, shot)}, rounds)
        logits = runs.results("ours")[0][:PART]
        for rival in rivals:
            cells[f"{shot}-shot, against {rival}"] = {
                **runs.cell(rival, target=target if "same" in rival else None, scale=TASKS / PART),
                "largest_difference": float(np.abs(logits - runs.results(rival)[0]).max()),
            }
    write_result(
        "logistic_regression",
        {
            "what": "logistic regression, 1000 5-way tasks, against one scikit-learn call a task",
            "cells": cells,
            "cost": {
                "tasks": {n: fastest(ours(1, n), 3) for n in (250, 500, 1000, 2000)},
                "shot": {shot: fastest(ours(shot, 200), 3) for shot in (1, 2, 5, 10)},
            },
        },
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
