"""Settings of ProtoNets."""

from typing import ClassVar, Literal

from cactus.config.sections.base import (
    Count,
    Overrides,
    Positive,
    Precision,
    changed,
    overrides,
    setting,
)
from cactus.config.sections.learners.base import ScoredSettings, TrainingSettings

GammaInit = Literal["uniform", "ones"]


def _protonets_overrides() -> Overrides:
    return {
        "mnist": {"way": 10, "validation": {"way": 10}},
        "miniimagenet": {"way": 5, "iterations": 60_000},
        "celeba": {"way": 2, "iterations": 60_000, "validation": {"way": 2, "shot": 5}},
    }


class ProtonetsSettings(TrainingSettings):
    """CACTUs-ProtoNets. The top-level values are those for Omniglot.

    The paper has no MNIST run. Ours uses Omniglot's values, for images of the same size, and as
    many classes as MNIST has digits and its partitions have clusters.
    """

    scored: ClassVar = frozenset({"way", "filters", "batch_norm_eps"})

    query: Count = changed(TrainingSettings, "query", 15)
    tasks_per_batch: Count = changed(TrainingSettings, "tasks_per_batch", 1)
    filters: Count = setting(
        64, "Filters per convolution, of which there are four.", unit="filters"
    )
    batch_norm_eps: Positive = setting(
        1e-5, "Added to the variance; the default of the original's library."
    )
    batch_norm_gamma: GammaInit = setting(
        "uniform",
        "Initial scales of the batch normalizations: U(0, 1), as in the original's PyTorch 0.4, or "
        "1, as in PyTorch since 1.2.",
    )
    batch_norm_momentum: Positive = setting(
        0.1, "Weight of the newest batch in the running statistics; the library's default."
    )
    precision: Precision = setting(
        "float32",
        "Precision of the encoder's passes in training: `bfloat16` is mixed precision, on a GPU "
        "only. Weights, statistics, distances, losses and evaluation stay float32. MAML does not "
        "have this key.",
    )
    per_dataset: Overrides = overrides(_protonets_overrides)


class ProtonetsSpeed(ScoredSettings):
    """How ProtoNets are evaluated."""

    scored: ClassVar = frozenset({"evaluation_tasks_at_once", "images_at_once"})

    evaluation_tasks_at_once: Count = setting(
        1000,
        "Episodes evaluated together, with each of their images encoded once.",
        unit="episodes",
    )
    images_at_once: Count = setting(256, "Images encoded together in evaluation.", unit="images")
