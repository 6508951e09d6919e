"""Settings of the few-shot evaluation and of the baselines on embeddings."""

from itertools import product
from typing import Annotated, Any, Final, Literal, Self, get_args

from pydantic import Field, model_validator
from typing_extensions import override

from cactus.config.sections.base import (
    Count,
    DatasetName,
    DatasetSettings,
    Fraction,
    NonNegative,
    Overrides,
    Positive,
    Seed,
    Settings,
    overrides,
    refuse_repeats,
    setting,
)

BaselineName = Literal["knn", "linear", "mlp", "cluster_matching"]
_METHODS: Final = frozenset(get_args(BaselineName))
Parameters = dict[str, Any]

_Dropout = Annotated[float, Field(ge=0.0, lt=1.0)]
_Ways = Annotated[int, Field(ge=2)]
_Tasks = Annotated[int, Field(ge=2)]  # one alone has no interval


class FewShotSetting(Settings):
    """The way and shot of the episodes behind one number in a table."""

    way: _Ways = setting(5, "Classes per episode.", unit="classes")
    shot: Count = setting(1, "Labeled images per class.", unit="images")


def _paper_settings() -> Overrides:
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
    """Episodes on which every method of a data set is evaluated."""

    tasks: _Tasks = setting(1000, "Episodes for each way and shot.", unit="episodes")
    query: Count = setting(5, "Query images per class.", unit="images")
    split: Literal["val", "test"] = setting(
        "test",
        "Split from which the episodes are drawn. With `val`, a baseline that selects among "
        "several values is evaluated on the same episodes that it was selected on.",
    )
    seed: Seed = setting(0, "Seed of the episodes; every method gets the same episodes.")
    settings: list[FewShotSetting] = setting(
        [FewShotSetting()], "Ways and shots; one trained model is evaluated on all of them."
    )
    per_dataset: Overrides = overrides(_paper_settings)

    @model_validator(mode="after")
    def _settings_are_distinct(self) -> Self:
        refuse_repeats("settings", self.settings)
        return self

    def of_way(self, way: int | None) -> Self:
        """Return these settings with only those of one way, if it is given."""
        kept = [one for one in self.settings if way in (None, one.way)]
        return self.model_copy(update={"settings": kept})


class KnnSettings(Settings):
    """Nearest neighbors by Euclidean distance."""

    neighbors: list[Count] = setting(
        [1, 3, 5, 10, 20, 50],
        "Number of neighbors k that vote. Given several, validation episodes select one for each "
        "way and shot among those no larger than the support, the first listed on a tie; test "
        "labels are never used. The original's script has 1; the paper reports the best of "
        "several.",
        unit="support points",
    )


class LinearSettings(Settings):
    """Multinomial logistic regression with a squared penalty on the weights, not the biases."""

    c: list[Positive] = setting(
        [0.01, 0.1, 1.0, 10.0, 100.0],
        "Weight C of the summed cross-entropy relative to half the squared weights. Given several, "
        "validation episodes select one for each way and shot, the first listed on a tie; test "
        "labels are never used. The original's script has 1; the paper reports the best of "
        "several.",
        unit="1 / squared weight",
    )
    solver: Literal["newton", "scikit-learn"] = setting(
        "newton",
        "What solves the regressions: our Newton's method, for all episodes at once, or, as the "
        "reference, scikit-learn's newton-cg, one by one.",
    )
    tolerance: Positive = setting(
        1e-6,
        "Newton's method stops when the Euclidean norm of the gradient of the mean cross-entropy "
        "and penalty is at most this; scikit-learn's, when no entry of the gradient is larger. The "
        "optimum is unique, so the solver affects the result in no other way.",
        unit="nats per embedding unit",
    )
    max_iterations: Count = setting(
        200, "Maximum number of Newton steps before an error; ten are typical.", unit="steps"
    )


class MlpSettings(Settings):
    """One hidden ReLU layer with dropout, trained on the support alone.

    The original stops early when the loss on the labeled *query* set rises, which leaks test
    labels, and does not publish its layer size. Here the number of steps is fixed.
    """

    hidden_units: list[Count] = setting(
        [128, 512],
        "Width of the hidden layer. Given several, validation episodes select one, with the "
        "dropout, for each way and shot, the first listed on a tie; test labels are never used. "
        "Not published, so our choice.",
        unit="units",
    )
    dropout: list[_Dropout] = setting(
        [0.2, 0.5],
        "Probability that a hidden unit is dropped in a training step, selected like the width. "
        "Not published, so our choice.",
        unit="probability",
    )
    validation_tasks: Count = setting(
        100,
        "Validation episodes by which width and dropout are selected; fewer than for the other "
        "methods, because every pair trains a network on each.",
        unit="episodes",
    )
    learning_rate: Positive = setting(
        1e-3, "Learning rate of Adam, the default of the library that the original used.", unit="1"
    )
    epochs: Count = setting(
        500,
        "Full-batch training steps, a fixed number: the maximum that the original allowed.",
        unit="steps",
    )
    l2: NonNegative = setting(
        0.0,
        "Weight of half the squared weights, without biases, in the training loss.",
        unit="nats / squared weight",
    )

    @property
    @override
    def unread(self) -> frozenset[str]:
        single = len(self.hidden_units) == len(self.dropout) == 1
        return frozenset({"validation_tasks"} if single else ())


class ClusterMatchingSettings(Settings):
    """k-means on the training embeddings; support points label the clusters."""

    clusters: Count = setting(500, "Number of clusters k.", unit="clusters")
    kmeans: Literal["lloyd", "scikit-learn"] = setting(
        "lloyd",
        "k-means of this project, or scikit-learn's as a reference: from k-means++, until its "
        "centroids hardly move.",
    )
    n_init: Count = setting(10, "k-means starts, of which the best is kept.", unit="starts")
    max_iterations: Count = setting(
        3000, "Maximum number of iterations per start.", unit="iterations"
    )
    tolerance: Fraction = setting(
        0.02,
        "Our k-means stops when at most this fraction of the images changed clusters in an "
        "iteration. At 0, it stops when none did, which is close to the original.",
        unit="images / images",
    )
    seed: Seed = setting(0, "Seed of k-means; 0 in the original.")

    @property
    @override
    def unread(self) -> frozenset[str]:
        return frozenset({"tolerance"} if self.kmeans == "scikit-learn" else ())


def _paper_clusters() -> Overrides:
    return {"mnist": {"cluster_matching": {"clusters": 10}}}


class BaselineSettings(DatasetSettings):
    """Classifiers on embeddings that learn only from the support set of a test episode."""

    methods: list[BaselineName] = setting(
        ["knn", "linear", "mlp", "cluster_matching"], "Baselines to run."
    )
    validation_tasks: Count = setting(
        500,
        "Validation episodes by which nearest neighbors and logistic regression select among "
        "several values. A method with a single value draws none.",
        unit="episodes",
    )
    knn: KnnSettings = setting(KnnSettings(), "Nearest neighbors.")
    linear: LinearSettings = setting(LinearSettings(), "Logistic regression.")
    mlp: MlpSettings = setting(MlpSettings(), "Multilayer perceptron.")
    cluster_matching: ClusterMatchingSettings = setting(
        ClusterMatchingSettings(), "Cluster matching."
    )
    per_dataset: Overrides = overrides(_paper_clusters)

    @model_validator(mode="after")
    def _values_are_distinct(self) -> Self:
        refuse_repeats("methods", self.methods)
        refuse_repeats("knn.neighbors", self.knn.neighbors)
        refuse_repeats("linear.c", self.linear.c)
        refuse_repeats("mlp.hidden_units", self.mlp.hidden_units)
        refuse_repeats("mlp.dropout", self.mlp.dropout)
        return self

    @property
    @override
    def unread(self) -> frozenset[str]:
        choices = {"knn": len(self.knn.neighbors), "linear": len(self.linear.c)}
        selects = any(choices.get(method, 1) > 1 for method in self.methods)
        return frozenset(_METHODS - {*self.methods} | (set() if selects else {"validation_tasks"}))

    def choices(self, method: BaselineName, setting: FewShotSetting) -> list[Parameters]:
        """Return the parameter sets that a method selects from for a way and shot, in order.

        Numbers of neighbors above the size of the support are left out, perhaps all of them.
        """
        values = getattr(self, method).model_dump(exclude={"validation_tasks"})
        lists = {key: value for key, value in values.items() if isinstance(value, list)}
        if method == "knn":
            lists["neighbors"] = [k for k in lists["neighbors"] if k <= setting.way * setting.shot]
        return [values | dict(zip(lists, one, strict=True)) for one in product(*lists.values())]

    def selection_tasks(self, method: BaselineName) -> int:
        """Return the validation episodes by which a method selects among several values."""
        return self.mlp.validation_tasks if method == "mlp" else self.validation_tasks
