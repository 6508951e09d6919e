"""Settings of the raw data sets and of their preparation."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from cactus.config.base import Count, CountOrZero, Positive, Settings, setting

ImageSide = Annotated[int, Field(ge=8, le=1024)]
Resampling = Literal["nearest", "box", "bilinear", "bicubic", "lanczos"]

CELEBA_ATTRIBUTES = 40
CELEBA_WIDTH = 178


class MnistData(Settings):
    """MNIST: 28x28 grey digits."""

    val_size: Count = setting(
        10000,
        "Images that form the validation split: the last ones of the 60,000 training images, so "
        "that the 10,000 official test images stay the test split. The paper does not say.",
        unit="images",
    )
    min_images_per_class: Count = setting(
        20,
        "Fewest images of a digit in any split; 10 shots and 10 queries use 20.",
        unit="images",
    )


class OmniglotData(Settings):
    """Omniglot: handwritten characters, 20 drawers each."""

    train_characters: Count = setting(1100, "Characters of the training split.", unit="characters")
    val_characters: Count = setting(
        100, "Characters of the validation split; the rest are the test split.", unit="characters"
    )
    split_seed: CountOrZero = setting(
        0,
        "Seed of the random split of the characters. The paper's own split is not published, "
        "only its sizes.",
    )
    image_size: ImageSide = setting(28, "Side of the prepared images.", unit="pixels")
    resize: Resampling = setting(
        "lanczos",
        "Filter that shrinks the 105x105 drawings, after they are turned from 1 bit to grey: on "
        "1-bit images every filter falls back to nearest, which tears thin strokes.",
    )
    ink: Literal["white", "black"] = setting(
        "white",
        "Colour of the strokes. White ink (255 on 0) agrees with MNIST and makes the background "
        "equal to the zero padding of convolutions; the files hold black ink. The paper does not "
        "say.",
    )
    min_images_per_class: Count = setting(
        16,
        "Fewest drawings of a character; ProtoNets trained on true classes use 1 shot and 15 "
        "queries.",
        unit="images",
    )


class MiniImagenetData(Settings):
    """miniImageNet: 100 ImageNet classes of 600 images."""

    image_size: ImageSide = setting(84, "Side of the prepared images.", unit="pixels")
    resize: Resampling = setting(
        "lanczos",
        "Filter that brings images of other sizes to a square, without keeping the aspect ratio; "
        "images of the right size stay as they are.",
    )
    min_images_per_class: Count = setting(
        55, "Fewest images of a class; 50 shots and 5 queries use 55.", unit="images"
    )


class CelebaData(Settings):
    """CelebA: aligned faces with 40 binary attributes."""

    image_size: ImageSide = setting(84, "Side of the prepared images.", unit="pixels")
    crop_side: Annotated[int, Field(ge=1, le=CELEBA_WIDTH)] = setting(
        CELEBA_WIDTH,
        "Side of the centred square cut from the 178x218 images before they are resized; copies "
        "of other sizes are cut in proportion to their shorter side. The paper's crop is not "
        "published; 178 is the largest square.",
        unit="pixels",
    )
    resize: Resampling = setting("bilinear", "Filter that resizes the square; it antialiases.")
    partitions: Literal["official", "proportional"] = setting(
        "official",
        "`official` follows list_eval_partition; `proportional` cuts the images present, in order "
        "of their names, in the official proportions, for partial copies without any validation "
        "or test image.",
    )
    train_attributes: Annotated[int, Field(ge=3, le=CELEBA_ATTRIBUTES)] = setting(
        20, "Attributes of the training tasks: the first ones of the list.", unit="attributes"
    )
    val_attributes: Annotated[int, Field(ge=3, le=CELEBA_ATTRIBUTES)] = setting(
        10,
        "Attributes of the validation tasks: the next ones; the rest make the test tasks.",
        unit="attributes",
    )
    min_images: Count = setting(
        20, "Fewest images of a split; a 2-way 5-shot 5-query task uses 20.", unit="images"
    )

    @model_validator(mode="after")
    def _test_attributes_are_left(self) -> Self:
        left = CELEBA_ATTRIBUTES - self.train_attributes - self.val_attributes
        if left < 3:
            raise ValueError(
                f"train_attributes and val_attributes leave {left} of {CELEBA_ATTRIBUTES} "
                "attributes for the test tasks, which need 3"
            )
        return self


class DataSettings(Settings):
    """Where raw data lie and how they are prepared."""

    raw_dir: str = setting(
        "data",
        "Folder of the raw data, with one folder per data set; relative to the working directory.",
    )
    download: bool = setting(
        True, "Download missing files that have a stable address (MNIST, Omniglot, class lists)."
    )
    download_timeout: Positive = setting(
        60.0, "Silence after which a transfer is taken up again.", unit="seconds"
    )
    download_attempts: Count = setting(
        5, "Times that a transfer is taken up again on one mirror.", unit="attempts"
    )
    official_only: bool = setting(
        False,
        "Refuse files whose checksum is not the published one. Otherwise they are read and "
        "recorded as unofficial with their sha256. Files of a kind that has no published "
        "checksum (miniImageNet images) are read either way.",
    )
    max_unpacked_gib: Positive = setting(
        16.0, "Largest unpacked size of one archive or compressed file.", unit="GiB"
    )
    max_image_mib: Positive = setting(
        256.0, "Largest size of one image, both as a file and decoded.", unit="MiB"
    )
    mnist: MnistData = Field(default_factory=MnistData, description="MNIST.")
    omniglot: OmniglotData = Field(default_factory=OmniglotData, description="Omniglot.")
    miniimagenet: MiniImagenetData = Field(
        default_factory=MiniImagenetData, description="miniImageNet."
    )
    celeba: CelebaData = Field(default_factory=CelebaData, description="CelebA.")
