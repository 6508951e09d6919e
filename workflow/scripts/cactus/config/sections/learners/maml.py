"""Settings of MAML, and of its network without meta-training."""

from typing import Any, ClassVar, Final, Literal

from typing_extensions import override

from cactus.config.sections.base import (
    Count,
    DatasetSettings,
    Overrides,
    Positive,
    UnfitError,
    fitting,
    overrides,
    setting,
)
from cactus.config.sections.learners.base import ScoredSettings, TrainingSettings

AtOnce = Count | Literal["auto"]
Downsampling = Literal["stride", "max_pool"]
HeadInput = Literal["spatial_mean", "flatten"]
HeadInit = Literal["normal", "xavier"]
_NETWORK: Final = frozenset({"way", "filters", "downsampling", "head", "batch_norm_eps"})


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

    scored: ClassVar = _NETWORK | {"inner_lr", "evaluation_steps"}

    filters: Count = setting(
        32, "Filters per convolution, of which there are four.", unit="filters"
    )
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

    @property
    @override
    def most_classes(self) -> int:
        """Its head has a column for each class in training."""
        return self.way


class MamlSpeed(ScoredSettings):
    """How MAML is computed."""

    scored: ClassVar = frozenset({"kernel", "evaluation_tasks_at_once"})

    kernel: Literal["manual", "autograd"] = setting(
        "manual",
        "How the inner steps are differentiated: by formulas derived by hand, or by automatic "
        "differentiation, the slower reference.",
    )
    cuda_graph: bool = setting(
        False,
        "Record the kernel launches of a training step's gradient as a CUDA graph and replay it; "
        "only on a GPU and with the manual kernel.",
    )
    tasks_at_once: AtOnce = setting(
        "auto",
        "Episodes of an outer update computed together by grouped convolutions. `auto` chooses by "
        "size, device and threads.",
        unit="episodes",
    )
    evaluation_tasks_at_once: AtOnce = setting(
        "auto", "The same for the episodes of an evaluation.", unit="episodes"
    )

    @fitting
    def _graphs_have_no_autograd(self) -> None:
        if self.cuda_graph and self.kernel != "manual":
            raise UnfitError("kernel", "cuda_graph needs the kernel 'manual': reset one of the two")


class ScratchSettings(DatasetSettings):
    """MAML's network, randomly initialized and trained on the support of each test episode."""

    # Keys of MAML that it reads: it draws its weights, and has a rate and steps of its own.
    network: ClassVar = _NETWORK | {"head_init"}

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
