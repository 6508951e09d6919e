"""Settings of the few-shot evaluation and of the baselines on embeddings."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from cactus.config.base import (
    Count,
    CountOrZero,
    DatasetName,
    DatasetSettings,
    Fraction,
    NonNegative,
    Positive,
    Settings,
    setting,
)

BaselineName = Literal["knn", "linear", "mlp", "cluster_matching"]

_Dropout = Annotated[float, Field(ge=0.0, lt=1.0)]
_Ways = Annotated[int, Field(ge=2)]


class FewShotSetting(Settings):
    """The way and shot of the episodes behind one number of a table."""

    way: _Ways = setting(5, "Classes of an episode.", unit="classes")
    shot: Count = setting(1, "Labelled images per class.", unit="images")


def _paper_settings() -> dict[DatasetName, dict[str, Any]]:
    settings: dict[DatasetName, list[tuple[int, int]]] = {
        "mnist": [(10, 1), (10, 5), (10, 10)],
        "omniglot": [(5, 1), (5, 5), (20, 1), (20, 5)],
        "miniimagenet": [(5, 1), (5, 5), (5, 20), (5, 50)],
        "celeba": [(2, 5)],
    }
    return {
        dataset: {"settings": [{"way": way, "shot": shot} for way, shot in pairs]}
        for dataset, pairs in settings.items()
    }


class EvaluationSettings(DatasetSettings):
    """Episodes on which every method of a data set is scored."""

    tasks: Count = setting(1000, "Episodes of each way and shot.", unit="episodes")
    query: Count = setting(5, "Query images per class.", unit="images")
    split: Literal["val", "test"] = setting(
        "test",
        "Split from which the episodes are drawn. With `val`, a baseline that chooses among "
        "several values is scored on the episodes that chose.",
    )
    seed: CountOrZero = setting(
        0, "Seed of the episodes; the same one gives every method the same episodes."
    )
    settings: list[FewShotSetting] = setting(
        [FewShotSetting()], "Ways and shots; one trained model serves all of them."
    )
    per_dataset: dict[DatasetName, dict[str, Any]] = Field(
        default_factory=_paper_settings,
        description="Values of this section's keys that hold for one data set only.",
    )

    @model_validator(mode="after")
    def _settings_are_distinct(self) -> Self:
        pairs = [(one.way, one.shot) for one in self.settings]
        if not pairs or len(set(pairs)) < len(pairs):
            raise ValueError(f"`settings` is empty or names a way and shot twice: {pairs}")
        return self


class KnnSettings(Settings):
    """Nearest neighbours by Euclidean distance."""

    neighbours: list[Count] = setting(
        [1],
        "Neighbours k that vote. Of several, validation episodes choose one for each way and "
        "shot among those no larger than the support; test labels never do.",
        unit="support points",
    )


class LinearSettings(Settings):
    """Multinomial logistic regression with a squared penalty on the weights, not the biases."""

    c: list[Positive] = setting(
        [1.0],
        "Weight C of the summed cross-entropy against half the squared weights. Of several, "
        "validation episodes choose one for each way and shot; test labels never do.",
        unit="1 / squared weight",
    )
    tolerance: Positive = setting(
        1e-6,
        "Newton's method stops when the gradient of the mean cross-entropy and penalty, as a "
        "Euclidean norm, is at most this; the optimum is unique, so the solver has no other part "
        "in the result.",
        unit="nats per embedding unit",
    )
    max_iterations: Count = setting(
        200, "Newton steps before an error; ten are usual.", unit="steps"
    )


class MlpSettings(Settings):
    """One hidden ReLU layer with dropout, trained on the support alone.

    The original stops early when the loss on the labelled *query* set rises, which leaks test
    labels, and does not publish its sizes. Here the number of steps is fixed.
    """

    hidden_units: Count = setting(
        128, "Width of the hidden layer; not published, our choice.", unit="units"
    )
    dropout: _Dropout = setting(
        0.5,
        "Probability with which a hidden unit is left out in a training step; not published, our "
        "choice.",
        unit="probability",
    )
    learning_rate: Positive = setting(
        1e-3, "Step size of Adam, the default of the library that the original used.", unit="1"
    )
    epochs: Count = setting(
        500,
        "Full-batch training steps, a fixed number: the most that the original allowed itself.",
        unit="steps",
    )
    l2: NonNegative = setting(
        0.0,
        "Weight of half the squared weights, biases left out, in the training loss.",
        unit="nats / squared weight",
    )


class ClusterMatchingSettings(Settings):
    """k-means on the training embeddings; support points label the clusters."""

    clusters: Count = setting(500, "Clusters k.", unit="clusters")
    n_init: Count = setting(10, "k-means starts, the best of which is kept.", unit="starts")
    max_iterations: Count = setting(3000, "Iterations of one start at most.", unit="iterations")
    tolerance: Fraction = setting(
        0.02,
        "k-means stops when no more than this share of the images changed its cluster in an "
        "iteration; at 0, when none did, as the original nearly does.",
        unit="images / images",
    )
    seed: CountOrZero = setting(0, "Seed of k-means; 0 in the original.")


def _paper_clusters() -> dict[DatasetName, dict[str, Any]]:
    return {"mnist": {"cluster_matching": {"clusters": 10}}}


class BaselineSettings(DatasetSettings):
    """Classifiers on embeddings that learn from the support of a test episode alone."""

    methods: list[BaselineName] = setting(
        ["knn", "linear", "mlp", "cluster_matching"], "Baselines to run."
    )
    validation_tasks: Count = setting(
        500,
        "Episodes from the validation split by which a method chooses among several values; not "
        "drawn where each method has one value.",
        unit="episodes",
    )
    knn: KnnSettings = setting(KnnSettings(), "Nearest neighbours.")
    linear: LinearSettings = setting(LinearSettings(), "Logistic regression.")
    mlp: MlpSettings = setting(MlpSettings(), "Multi-layer perceptron.")
    cluster_matching: ClusterMatchingSettings = setting(
        ClusterMatchingSettings(), "Cluster matching."
    )
    per_dataset: dict[DatasetName, dict[str, Any]] = Field(
        default_factory=_paper_clusters,
        description="Values of this section's keys that hold for one data set only.",
    )

    @model_validator(mode="after")
    def _lists_are_proper(self) -> Self:
        lists: dict[str, Sequence[str | float]] = {
            "methods": self.methods,
            "knn.neighbours": self.knn.neighbours,
            "linear.c": self.linear.c,
        }
        for key, values in lists.items():
            if not values or len(set(values)) < len(values):
                raise ValueError(f"`{key}` is empty or names a value twice: {values}")
        return self
