"""Baselines by name: how to build them from their parameters."""

import importlib
from collections.abc import Callable, Sequence
from typing import Final, cast

import numpy as np
import numpy.typing as npt

from cactus.config.sections.evaluation import BaselineName, Parameters
from cactus.evaluate.baselines.base import Baseline
from cactus.evaluate.baselines.cluster_matching import ClusterMatching
from cactus.evaluate.baselines.knn import NearestNeighbors
from cactus.evaluate.baselines.linear import LogisticRegression
from cactus.evaluate.baselines.mlp import MlpClassifier, Perceptron

# The reference for our own solver; it needs scikit-learn.
REFERENCE_MODULE: Final = "cactus.evaluate.baselines.scikit_learn_linear"


def build(
    method: BaselineName,
    choices: Sequence[Parameters],
    seed: int,
    centroids: npt.NDArray[np.float64] | None,
) -> Baseline:
    """Build a baseline with one or several sets of parameters.

    Parameters
    ----------
    choices
        Some of `cactus.config.sections.evaluation.BaselineSettings.choices`, at least one.
    seed
        Seed of the MLP's initial weights and dropout.
    centroids
        (k, d) clusters of the training embeddings; only cluster matching needs them.
    """
    match method:
        case "knn":
            return NearestNeighbors([one["neighbors"] for one in choices])
        case "linear":
            shared = choices[0]
            values = [one["c"] for one in choices]
            regression = _regression(shared["solver"])
            return regression(values, shared["tolerance"], shared["max_iterations"])
        case "mlp":
            return MlpClassifier([Perceptron(**one) for one in choices], seed)
        case "cluster_matching":
            if centroids is None:
                raise ValueError("cluster matching needs centroids")
            return ClusterMatching(centroids)


def _regression(solver: str) -> Callable[[Sequence[float], float, int], Baseline]:
    """Return the class of the regressions; scikit-learn loads only if it is selected."""
    if solver == "newton":
        return LogisticRegression
    reference = importlib.import_module(REFERENCE_MODULE)
    return cast(type[LogisticRegression], reference.ScikitLearnRegression)
