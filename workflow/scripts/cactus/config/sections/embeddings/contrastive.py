"""Settings of contrastive learning."""

from typing import Annotated, Literal

from pydantic import Field

from cactus.config.sections.base import (
    Count,
    Fraction,
    NonNegative,
    Overrides,
    Positive,
    Settings,
    changed,
    overrides,
    setting,
)
from cactus.config.sections.embeddings.base import Batch, EvenSide, MethodSettings


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


class ViewSettings(Settings):
    """Random changes that make a view of an image, each drawn anew; 0, 1 or false turns one off."""

    quarter_turns: bool = setting(
        False,
        "Whether each image is first turned by a random multiple of 90 degrees, both views alike, "
        "so that a turned image counts as another one.",
    )
    rotation: Annotated[float, Field(ge=0.0, le=180.0)] = setting(
        20.0, "Largest rotation, to either side; 0 for none.", unit="degrees"
    )
    scale: Annotated[float, Field(ge=0.0, lt=1.0)] = setting(
        0.2,
        "Largest change of width and of height, each drawn by itself, as a fraction of them; 0 for "
        "none.",
    )
    shear: Fraction = setting(
        0.3, "Largest horizontal shift of a row per row of distance from the center; 0 for none."
    )
    shift: Fraction = setting(
        0.15, "Largest shift along each axis, as a fraction of the side; 0 for none."
    )
    elastic: Fraction = setting(
        0.045,
        "Standard deviation of the random displacement along each axis, as a fraction of the side; "
        "it is drawn on a grid of 4x4 points and smooth between them; 0 for none.",
    )
    crop_area_min: Annotated[float, Field(gt=0.0, le=1.0)] = setting(
        1.0,
        "Smallest random crop, as a fraction of the image's area; the largest is the whole image, "
        "and ratios of width to height are between 3/4 and 4/3; 1 for no crop.",
    )
    flip: bool = setting(False, "Flip images horizontally with probability one half.")
    jitter: Fraction = setting(
        0.0,
        "Strength of color jitter, which changes four of five color images: brightness, contrast "
        "and saturation by up to 0.8 times this fraction, and hue by 0.2 times this fraction of a "
        "full turn; 0 for none.",
    )
    grayscale: Fraction = setting(0.0, "Probability that a color image loses its colors.")
    blur_sigma: NonNegative = setting(
        0.0, "Largest standard deviation of a Gaussian blur; 0 for none.", unit="pixels"
    )
    blur_probability: Fraction = setting(0.5, "Probability that an image is blurred.")


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
    views: ViewSettings = ViewSettings()
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
    iterations: Count = setting(1000, "Training steps.", unit="steps")
    normalize: bool = setting(
        True, "Whether vectors are scaled to length 1, as the loss compares directions only."
    )
    per_dataset: Overrides = overrides(_contrastive_overrides)
