"""Settings of contrastive learning."""

from typing import Annotated, Literal

from pydantic import Field
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
from cactus.config.sections.embeddings.base import Batch, EvenSide, MethodSettings
from cactus.config.sections.views import Degrees, Scale, ViewSettings


def _contrastive_overrides() -> Overrides:
    warps = dict.fromkeys(("rotation", "scale", "shear", "shift", "elastic"), 0.0)
    colors = {"jitter": 0.5, "grayscale": 0.2, "blur_sigma": 1.0, "blur_probability": 0.5}
    photograph = {
        "working_size": 84,
        "network": "resnet",
        "iterations": 20_000,
        "views": {**warps, "crop_area_min": 0.2, "flip": True, **colors},
    }
    return {
        "omniglot": {"views": {"quarter_turns": True}},
        "miniimagenet": photograph,
        "celeba": photograph,
    }


class ContrastiveViews(ViewSettings):
    """Random changes that make a view of an image, each drawn anew; 0, 1 or false turns one off."""

    rotation: Degrees = changed(ViewSettings, "rotation", 20.0)
    scale: Scale = changed(ViewSettings, "scale", 0.2)
    shear: Fraction = changed(ViewSettings, "shear", 0.3)
    shift: Fraction = changed(ViewSettings, "shift", 0.15)
    elastic: Fraction = changed(ViewSettings, "elastic", 0.045)


class ContrastiveSettings(MethodSettings):
    """Contrastive learning: two views of an image get similar vectors (SimCLR, Chen et al. 2020).

    The paper does not have this embedding. The defaults are for characters of 28 pixels: few steps
    with a small network, and warps in place of the original's crops and colors. Photographs have a
    small residual network and the original's changes, weaker because the images are smaller.
    Only Omniglot has quarter turns: a turned digit may be another digit.
    """

    working_size: EvenSide = changed(MethodSettings, "working_size", 28)
    batch_size: Batch = setting(
        384, "Images in a training batch, at least 2; each has two views.", unit="images"
    )
    views: ContrastiveViews = ContrastiveViews()
    network: Literal["conv", "resnet"] = setting(
        "conv",
        "Encoder architecture: `conv` has three convolutions, each followed by pooling, and a "
        "fourth, whose map is the embedding; `resnet` has residual blocks that halve the image, "
        "and the embedding is the mean over their last map.",
    )
    filters: Count = setting(96, "Filters of the first three convolutions of `conv`.")
    map_filters: Count = setting(
        128,
        "Filters of the last convolution of `conv`; times the map's area, which is 3x3 for images "
        "of 28 pixels, the embedding's dimensions.",
    )
    widths: Annotated[tuple[Count, ...], Field(min_length=1)] = setting(
        (64, 128, 256, 512),
        "Filters of each block of `resnet`; the last are the embedding's dimensions.",
    )
    hidden: Count = setting(
        256, "Units of the projection head's hidden layer; the head is used in training alone."
    )
    projection: Count = setting(64, "Dimensions of the projections that the loss compares.")
    temperature: Positive = setting(0.1, "Temperature by which similarities are divided.")
    learning_rate: Positive = setting(
        3e-3,
        "Highest learning rate of AdamW: the rate rises in the first three tenths of the steps, "
        "and then falls to zero, both along a cosine.",
    )
    weight_decay: NonNegative = setting(0.01, "Weight decay of AdamW, on all weights.")
    iterations: CountOrZero = setting(
        1000, "Training steps. 0 for the untrained network.", unit="steps"
    )
    normalize: bool = setting(
        True, "Whether vectors are scaled to length 1, as the loss compares directions only."
    )
    per_dataset: Overrides = overrides(_contrastive_overrides)

    @property
    @override
    def unread(self) -> frozenset[str]:
        of_conv = {"filters", "map_filters"}
        return frozenset({"widths"} if self.network == "conv" else of_conv)

    @fitting
    def _views_can_differ(self) -> None:
        if not self.views.differ:
            change = "set a change, such as `rotation` or `crop_area_min`"
            raise UnfitError("views", f"two views of an image would be the same: {change}")
