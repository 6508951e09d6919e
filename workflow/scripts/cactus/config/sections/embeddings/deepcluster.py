"""Settings of DeepCluster."""

from typing import Annotated

from pydantic import Field

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
from cactus.config.sections.embeddings.base import Batch, MethodSettings


def _deepcluster_overrides() -> Overrides:
    gray = {
        "working_size": 28,
        "channels": [48, 128, 192, 192, 128],
        "hidden": 1024,
        "crop_area_min": 0.5,
        "flip": False,
    }
    return {
        "mnist": {**gray, "clusters": 390},
        "omniglot": {**gray, "clusters": 170},
        "celeba": {"clusters": 1270},
    }


class DeepclusterSettings(MethodSettings):
    """DeepCluster: a network that predicts the clusters of its own features (Caron et al. 2018).

    The network is AlexNet on 64-pixel images with a first convolution of kernel size 5, stride 1
    and padding 1, as CACTUs states for miniImageNet. Grayscale characters have no color and
    little texture, so they use half its filters and a quarter of its units. They are never
    mirrored, because a mirrored character is a different one, and cropped less, because a part
    may be a different one too.
    """

    batch_size: Batch = changed(MethodSettings, "batch_size", 256)
    dims: Count = setting(256, "Dimensions after PCA whitening.")
    clusters: Annotated[int, Field(ge=2)] = setting(
        300,
        "Number of clusters k for the pseudo-labels. The original has 128 images per cluster "
        "(k = 10,000 on ImageNet); the ratio is kept here, because the number for CACTUs is not "
        "published.",
    )
    kmeans_iterations: Count = setting(20, "Iterations of k-means per epoch.")
    channels: tuple[Count, Count, Count, Count, Count] = setting(
        (96, 256, 384, 384, 256), "Filters of AlexNet's five convolutions."
    )
    first_kernel: Count = setting(5, "Kernel size of the first convolution.", unit="pixels")
    first_stride: Count = setting(1, "Stride of the first convolution.", unit="pixels")
    first_padding: CountOrZero = setting(1, "Padding of the first convolution.", unit="pixels")
    hidden: Count = setting(4096, "Units of the two fully connected layers.")
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = setting(
        0.5, "Fraction of units dropped before each of the two fully connected layers."
    )
    learning_rate: Positive = setting(0.05, "Learning rate of SGD, for trunk and classifier.")
    momentum: Fraction = setting(0.9, "Momentum of SGD for the trunk; the classifier has none.")
    weight_decay: NonNegative = setting(1e-5, "L2 penalty on all weights.")
    epochs: CountOrZero = setting(
        200,
        "Epochs; each starts with a new clustering. 0 for the untrained network.",
        unit="epochs",
    )
    crop_area_min: Annotated[float, Field(gt=0.0, le=1.0)] = setting(
        0.08,
        "Smallest random crop, as a fraction of the image's area; the largest is the whole image.",
    )
    crop_ratio_max: Annotated[float, Field(ge=1.0)] = setting(
        4 / 3, "Largest aspect ratio of a crop; the smallest is its inverse."
    )
    flip: bool = setting(True, "Flip images horizontally with probability one half.")
    per_dataset: Overrides = overrides(_deepcluster_overrides)

    @fitting
    def _sizes_fit(self) -> None:
        if self.dims > self.hidden:
            raise UnfitError("dims", f"dims ({self.dims}) is larger than hidden ({self.hidden})")
        if self.feature_size < 1:
            raise UnfitError(
                "first_stride",
                f"nothing is left of images of {self.working_size} pixels after the convolutions; "
                "increase working_size or decrease first_stride",
            )

    @property
    def feature_size(self) -> int:
        """Side length of the last feature map: a strided convolution, three 3x3 poolings by two."""
        size = (self.working_size + 2 * self.first_padding - self.first_kernel) // self.first_stride
        size += 1
        for _ in range(3):
            size = (size - 3) // 2 + 1
        return size
