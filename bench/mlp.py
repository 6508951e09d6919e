"""The perceptron baseline on 256-d embeddings, against plain PyTorch.

PyTorch trains one network at a time, or all episodes' networks at once as batched products. Both
draw other weights and masks than ours, so what has to agree is the accuracy.
"""

import sys
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, dropout

from bench.harness import compare, write_result
from bench.logistic_regression import DIMS, episodes
from cactus.evaluate.baselines.mlp import MlpClassifier, Perceptron

TASKS = 10
# Way and shot: the least and the most of the paper's 5-way settings, and Omniglot's largest.
CASES = {"5-way 1-shot": (5, 1), "5-way 50-shot": (5, 50), "20-way 5-shot": (20, 5)}
SETTINGS = Perceptron(hidden_units=128, dropout=0.5, learning_rate=1e-3, epochs=100, l2=0.0)


def parameters(tasks: int, way: int) -> list[Tensor]:
    """Return weights (T, 256, h), (T, h, way) and biases (T, 1, h), (T, 1, way)."""
    hidden = SETTINGS.hidden_units
    weights = [torch.empty(tasks, DIMS, hidden), torch.empty(tasks, hidden, way)]
    for weight in weights:
        for one in weight:
            nn.init.xavier_uniform_(one)
    biases = [torch.zeros(tasks, 1, hidden), torch.zeros(tasks, 1, way)]
    return [parameter.requires_grad_() for parameter in weights + biases]


def trained_labels(support: Tensor, query: Tensor) -> Tensor:
    """Train T networks at once on supports (T, n, 256); return the labels (T, m) of queries."""
    tasks, points, _ = support.shape
    way = query.shape[1] // 5
    targets = torch.arange(way).repeat_interleave(points // way).repeat(tasks)
    nets = parameters(tasks, way)
    first, second, first_bias, second_bias = nets
    optimizer = torch.optim.Adam(nets, SETTINGS.learning_rate)
    for _ in range(SETTINGS.epochs):
        hidden = dropout((support @ first + first_bias).relu(), SETTINGS.dropout)
        logits = hidden @ second + second_bias
        # The mean over a task's points, summed over the tasks: they do not share parameters.
        loss = cross_entropy(logits.flatten(0, 1), targets, reduction="sum") / points
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    with torch.no_grad():
        hidden = (query @ first + first_bias).relu()
        return (hidden @ second + second_bias).argmax(dim=-1)


def pytorch(way: int, shot: int, at_once: int) -> Callable[[], float]:
    """Return what trains and scores TASKS networks, some at once; it returns the accuracy."""
    flat = [
        torch.split(torch.from_numpy(array).flatten(1, 2), at_once)
        for array in episodes(TASKS, shot, way)
    ]

    def work() -> float:
        torch.manual_seed(0)
        labels = torch.cat([trained_labels(*part) for part in zip(*flat, strict=True)])
        return float((labels == torch.arange(way).repeat_interleave(5)).double().mean())

    return work


def ours(way: int, shot: int) -> Callable[[], float]:
    """Return what trains and scores a network for each task; it returns the accuracy."""
    support, query = episodes(TASKS, shot, way)

    def work() -> float:
        method = MlpClassifier([SETTINGS], 0)
        return float((method.predict(support, query) == np.arange(way)[:, None]).mean())

    return work


def main(rounds: int = 3) -> None:
    """Compare times and accuracies."""
    cells = {}
    for case, (way, shot) in CASES.items():
        rivals = {
            "PyTorch, one at a time": partial(pytorch, way, shot, 1),
            "PyTorch, all at once": partial(pytorch, way, shot, TASKS),
        }
        runs = compare({**rivals, "ours": partial(ours, way, shot)}, rounds)
        for rival in rivals:
            cells[f"{case}, against {rival}"] = {
                **runs.cell(rival),
                "accuracy_difference": runs.results("ours")[0] - runs.results(rival)[0],
            }
    write_result(
        "mlp",
        {
            "what": "perceptron baseline, 10 tasks of 100 steps, against plain PyTorch",
            "cells": cells,
        },
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
