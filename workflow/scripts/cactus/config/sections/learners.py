"""Settings of the meta-learners: MAML, ProtoNets, and MAML's network without meta-training."""

from typing import Any, Literal, Self

from cactus.config.sections.base import (
    Count,
    CountOrZero,
    DatasetName,
    DatasetSettings,
    LearnerName,
    Overrides,
    Positive,
    Precision,
    Settings,
    changed,
    overrides,
    setting,
)
from cactus.config.sections.source import Source

Downsampling = Literal["stride", "max_pool"]
HeadInput = Literal["spatial_mean", "flatten"]
HeadInit = Literal["normal", "xavier"]
GammaInit = Literal["uniform", "ones"]


class ValidationSettings(Settings):
    """Labeled validation episodes, whose accuracy is only logged: it never selects or stops."""

    every: Count = setting(1000, "Interval between two points of the curve.", unit="iterations")
    tasks: Count = setting(100, "Episodes per point, the same for all points.", unit="episodes")
    way: Count = setting(5, "Classes per episode.", unit="classes")
    shot: Count = setting(1, "Support images per class.", unit="images")
    query: Count = setting(5, "Query images per class.", unit="images")


class TrainingSettings(DatasetSettings):
    """Settings that both meta-learners share."""

    way: Count = setting(20, "Classes per training episode.", unit="classes")
    shot: Count = setting(1, "Support images per class in training.", unit="images")
    query: Count = setting(5, "Query images per class in training.", unit="images")
    iterations: CountOrZero = setting(
        30_000, "Outer updates; the weights after the last one are the model.", unit="iterations"
    )
    oracle_iterations: CountOrZero | None = setting(
        None,
        "Outer updates on true classes; null means the same as `iterations`. For MAML on Omniglot "
        "it is 120,000, as in the original's script. A file or `--config` that sets `iterations` "
        "and not this key sets it to null.",
        unit="iterations",
    )
    tasks_per_batch: Count = setting(8, "Episodes per outer update.", unit="episodes")
    outer_lr: Positive = setting(0.001, "Learning rate of Adam in the outer update, constant.")
    gradient_clip: Positive | None = setting(
        None, "Each element of the outer gradient is clipped to +- this; null for no clipping."
    )
    filters: Count = setting(
        32, "Filters per convolution, of which there are four.", unit="filters"
    )
    log_every: Count = setting(
        100,
        "Iterations per point of the training curve; each point is their mean.",
        unit="iterations",
    )
    validation: ValidationSettings = ValidationSettings()

    def for_source(self, source: str) -> Self:
        """Return these settings for one source of tasks; "labels" is the oracle."""
        parsed = Source.parse(source)
        own = self.oracle_iterations if parsed.kind == "labels" else None
        changes: dict[str, Any] = {
            "iterations": self.iterations if own is None else own,
            "oracle_iterations": None,
        }
        if parsed.way is not None:  # MAML's head has no more classes than in training
            way = min(parsed.way, self.validation.way)
            validation = self.validation.model_copy(update={"way": way})
            changes |= {"way": parsed.way, "validation": validation}
        return self.model_copy(update=changes)


def _maml_overrides() -> Overrides:
    large: dict[str, Any] = {
        "iterations": 60_000,
        "gradient_clip": 10.0,
        "downsampling": "max_pool",
        "head": "flatten",
        "head_init": "xavier",
    }
    return {
        "mnist": {"way": 10, "validation": {"way": 10}},
        "omniglot": {"oracle_iterations": 120_000},
        "miniimagenet": {**large, "way": 5},
        "celeba": {**large, "way": 2, "validation": {"way": 2, "shot": 5}},
    }


class MamlSettings(TrainingSettings):
    """CACTUs-MAML. The top-level values are those for Omniglot."""

    inner_lr: Positive = setting(
        0.05,
        "Learning rate of the inner gradient steps. The inner loss is the cross-entropy summed "
        "over the support and divided by the shot, as in the original: at N-way, this rate acts "
        "like N times itself on a mean loss.",
    )
    inner_steps: Count = setting(5, "Inner gradient steps in training.", unit="steps")
    evaluation_steps: Count = setting(
        50, "Inner gradient steps in validation and evaluation.", unit="steps"
    )
    first_order: bool = setting(
        False, "Omit the second derivatives (first-order MAML); the paper keeps them."
    )
    downsampling: Downsampling = setting(
        "stride",
        "Halve the resolution by convolutions of stride 2, or by 2x2 max pooling after stride 1.",
    )
    head: HeadInput = setting(
        "spatial_mean", "Input of the linear head: the mean over positions, or all values."
    )
    head_init: HeadInit = setting(
        "normal",
        "Initial weights of the head: N(0, 1), or Glorot uniform. Convolutions start from Glorot "
        "uniform and biases from zero, as in the original.",
    )
    batch_norm_eps: Positive = setting(
        1e-3, "Added to the batch variance; the default of the original's library."
    )
    per_dataset: Overrides = overrides(_maml_overrides)


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

    query: Count = changed(TrainingSettings, "query", 15)
    tasks_per_batch: Count = changed(TrainingSettings, "tasks_per_batch", 1)
    filters: Count = changed(TrainingSettings, "filters", 64)
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


class ScratchSettings(DatasetSettings):
    """MAML's network, randomly initialized and trained on the support of each test episode."""

    inner_lr: Positive = setting(
        0.1,
        "Learning rate of the gradient steps, on the summed loss of MAML's inner steps, from the "
        "original's Omniglot script. The paper sweeps rates; we do not, because that needs labels.",
    )
    steps: Count = setting(
        50,
        "Gradient steps before the queries are classified, as many as MAML takes. The original "
        "logs the accuracy of each of 200 and does not say which it reports; on Omniglot, 10, 50 "
        "and 200 steps agree within their intervals.",
        unit="steps",
    )

    def apply(self, settings: MamlSettings) -> MamlSettings:
        """Return MAML's settings with these steps in evaluation."""
        changes = {"inner_lr": self.inner_lr, "evaluation_steps": self.steps, "iterations": 0}
        return settings.model_copy(update=changes)


class LearnerSettings(Settings):
    """All meta-learners."""

    maml: MamlSettings = MamlSettings()
    protonets: ProtonetsSettings = ProtonetsSettings()
    scratch: ScratchSettings = ScratchSettings()

    def resolve(
        self, name: LearnerName, dataset: DatasetName, source: str | None = None
    ) -> MamlSettings | ProtonetsSettings:
        """Return the settings of a meta-learner for one data set and, if given, task source."""
        settings: MamlSettings | ProtonetsSettings = getattr(self, name).resolve(dataset)
        return settings if source is None else settings.for_source(source)
