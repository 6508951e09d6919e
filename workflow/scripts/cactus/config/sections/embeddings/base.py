"""Settings that embeddings share."""

from typing import Annotated, Any

from pydantic import Field

from cactus.config.sections.base import (
    Count,
    DatasetSettings,
    Precision,
    setting,
)

EvenSide = Annotated[int, Field(ge=8, multiple_of=2)]
Batch = Annotated[int, Field(ge=2)]  # batch norm needs two images
Momentum = Annotated[float, Field(ge=0.0, lt=1.0)]

JOINT_BATCH = (
    "Whether the discriminator sees real and generated images in one batch. The original uses "
    "two batches, in which batch norm hides their overall difference; with one, training is "
    "faster at first."
)


class MethodSettings(DatasetSettings):
    """Settings that all methods with a training loop share."""

    working_size: EvenSide = setting(
        64,
        "Side length of the images that the networks see: larger images are downsampled with "
        "antialiasing, smaller ones padded with their border pixels.",
        unit="pixels",
    )
    batch_size: Batch = setting(128, "Images in a training batch, at least 2.", unit="images")
    log_every: Count = setting(
        100, "Steps per point of the training curve; each point is their mean.", unit="steps"
    )
    encode_batch_size: Count = setting(
        500, "Images encoded at once; does not affect the embedding.", unit="images"
    )
    precision: Precision = setting(
        "float32",
        "Precision of the networks' passes in training: `bfloat16` is mixed precision, on a GPU "
        "only. Weights, statistics, losses and encoding stay float32.",
    )


class OwnCode(DatasetSettings):
    """An embedding whose code is a module of users."""

    module: str = setting(
        "",
        "Python module with the classes `Method` and `Settings`: a dotted name, or the path of a "
        ".py file.",
    )
    settings: dict[str, Any] = setting(
        {}, "Keys of the module's `Settings`, or of the embedding that this one is like."
    )
