"""Baselines by name: their candidate parameters, and how to build them."""

from typing import Any

import numpy as np
import numpy.typing as npt

from cactus.config.evaluation import (
    BaselineName,
    BaselineSettings,
    FewShotSetting,
    MlpSettings,
)
from cactus.errors import ConfigError
from cactus.evaluate.baselines.base import Baseline
from cactus.evaluate.baselines.cluster_matching import ClusterMatching
from cactus.evaluate.baselines.knn import NearestNeighbors
from cactus.evaluate.baselines.linear import LogisticRegression
from cactus.evaluate.baselines.mlp import MlpClassifier

Parameters = dict[str, Any]


def choices(
    method: BaselineName, settings: BaselineSettings, setting: FewShotSetting
) -> list[Parameters]:
    """Return the parameter sets that a method chooses from, in the order of the configuration.

    Raises
    ------
    ConfigError
        Every number of neighbors is larger than the support.
    """
    match method:
        case "knn":
            points = setting.way * setting.shot
            return [{"neighbors": k} for k in _at_most(points, settings.knn.neighbors, setting)]
        case "linear":
            shared = settings.linear.model_dump(exclude={"c"})
            return [{"c": c, **shared} for c in settings.linear.c]
        case "mlp":
            return [settings.mlp.model_dump()]
        case "cluster_matching":
            return [settings.cluster_matching.model_dump()]


def _at_most(points: int, neighbors: list[int], setting: FewShotSetting) -> list[int]:
    possible = [k for k in neighbors if k <= points]
    if not possible:
        raise ConfigError(
            "There are more neighbors than support points.",
            where=f"baselines.knn.neighbors, {setting.way}-way {setting.shot}-shot",
            got=f"{neighbors} neighbors, {points} support points",
            fix=f"list a number of neighbors up to {points}",
        )
    return possible


def build(
    method: BaselineName,
    parameters: Parameters,
    seed: int,
    centroids: npt.NDArray[np.float64] | None,
) -> Baseline:
    """Build a baseline.

    Parameters
    ----------
    parameters
        One of `choices`.
    seed
        Seed of the MLP's initial weights and dropout.
    centroids
        (k, d) clusters of the training embeddings; only cluster matching needs them.
    """
    match method:
        case "knn":
            return NearestNeighbors(**parameters)
        case "linear":
            return LogisticRegression(**parameters)
        case "mlp":
            return MlpClassifier(MlpSettings(**parameters), np.random.default_rng(seed))
        case "cluster_matching":
            if centroids is None:
                raise ValueError("cluster matching needs centroids")
            return ClusterMatching(centroids)
