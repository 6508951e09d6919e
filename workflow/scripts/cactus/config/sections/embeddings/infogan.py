"""Settings of InfoGAN."""

from typing import Literal

from typing_extensions import override

from cactus.config.sections.base import (
    Count,
    CountOrZero,
    Fraction,
    NonNegative,
    Overrides,
    Positive,
    UnfitError,
    changed,
    fitting,
    overrides,
    setting,
)
from cactus.config.sections.embeddings.base import JOINT_BATCH, EvenSide, MethodSettings, Momentum


def _infogan_overrides() -> Overrides:
    many = {"categorical": [10] * 10, "continuous": 0, "noise": 128}
    color = {**many, "working_size": 32, "iterations": 50_000}
    return {"omniglot": many, "miniimagenet": color, "celeba": color}


class InfoganSettings(MethodSettings):
    """InfoGAN: a GAN whose codes can be recovered from its images (Chen et al. 2016).

    The defaults are those of the authors' MNIST runs. Color images use the codes, the noise and
    the working size of the paper's CelebA run, with ten times the steps, because photographs are
    harder to generate. Omniglot uses the same codes, because a single ten-valued code cannot
    distinguish 1100 characters.
    """

    working_size: EvenSide = changed(MethodSettings, "working_size", 28)
    noise: CountOrZero = setting(62, "Dimensions of the incompressible noise, uniform on (-1, 1).")
    categorical: tuple[Count, ...] = setting((10,), "Number of values of each categorical code.")
    continuous: CountOrZero = setting(2, "Number of continuous codes, uniform on (-1, 1).")
    width: Count = setting(
        64, "Filters of the first convolution; each additional one doubles them."
    )
    hidden: Count = setting(1024, "Units of the fully connected layer after the convolutions.")
    recognition_hidden: Count = setting(128, "Units of the recognition network's own layer.")
    kernel: Count = setting(4, "Kernel size.", unit="pixels")
    leak: Fraction = setting(
        0.01,
        "Negative slope of the activations of discriminator and recognition network: the default "
        "of the authors' code; their paper says 0.1.",
    )
    joint_batch: bool = setting(False, JOINT_BATCH)
    generator_rate: Positive = setting(1e-3, "Learning rate of Adam for the generator.")
    discriminator_rate: Positive = setting(
        2e-4, "Learning rate of Adam for discriminator and recognition network."
    )
    beta1: Momentum = setting(0.5, "Coefficient of Adam's first moment, below 1.")
    categorical_weight: NonNegative = setting(
        1.0, "Weight lambda of the categorical codes' mutual information."
    )
    continuous_weight: NonNegative = setting(
        1.0, "Weight lambda of the continuous codes' mutual information."
    )
    iterations: CountOrZero = setting(
        5_000,
        "Training steps, each updates discriminator and generator (50 x 100). 0 for the untrained "
        "network.",
        unit="steps",
    )
    features: Literal["codes", "hidden", "trunk"] = setting(
        "codes",
        "What to use as the embedding: `codes` are the recognition network's outputs before any "
        "activation, as in CACTUs; `hidden` is the layer before, `trunk` the one before that.",
    )
    per_dataset: Overrides = overrides(_infogan_overrides)

    @property
    @override
    def unread(self) -> frozenset[str]:
        found = {"categorical_weight": self.categorical, "continuous_weight": self.continuous}
        return frozenset(key for key, codes in found.items() if not codes)

    @fitting
    def _codes_exist(self) -> None:
        if not self.categorical and self.continuous == 0:
            raise UnfitError("categorical", "there are no codes; set `categorical` or `continuous`")
        if min(self.categorical, default=2) < 2:
            raise UnfitError("categorical", "a categorical code needs at least two values")
