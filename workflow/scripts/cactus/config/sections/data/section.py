"""Settings of the raw data sets and their preparation."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from cactus.config.sections.base import (
    BUILT_IN,
    MAX_NAME,
    Count,
    Positive,
    Seed,
    Settings,
    UnfitError,
    fitting,
    setting,
)
from cactus.config.sections.data.custom import CustomDataset, ImageSide
from cactus.config.sections.data.custom import Resampling as Resampling
from cactus.config.sections.source import NAME_PATTERN
from cactus.config.sections.title import refuse_equal_titles

# In the order of list_attr_celeba.txt, by which they are split.
_CELEBA = """
    5_o_Clock_Shadow Arched_Eyebrows Attractive Bags_Under_Eyes Bald Bangs Big_Lips Big_Nose
    Black_Hair Blond_Hair Blurry Brown_Hair Bushy_Eyebrows Chubby Double_Chin Eyeglasses Goatee
    Gray_Hair Heavy_Makeup High_Cheekbones Male Mouth_Slightly_Open Mustache Narrow_Eyes No_Beard
    Oval_Face Pale_Skin Pointy_Nose Receding_Hairline Rosy_Cheeks Sideburns Smiling Straight_Hair
    Wavy_Hair Wearing_Earrings Wearing_Hat Wearing_Lipstick Wearing_Necklace Wearing_Necktie Young
"""
CELEBA_NAMES = tuple(_CELEBA.split())
CELEBA_ATTRIBUTES = len(CELEBA_NAMES)
CELEBA_WIDTH = 178
MNIST_SIDE = 28


class MnistData(Settings):
    """MNIST: 28x28 grayscale digits."""

    val_size: Count = setting(
        10000,
        "Images in the validation split: the last of the 60,000 training images, so that the "
        "10,000 official test images remain the test split. The paper does not specify this.",
        unit="images",
    )
    min_images_per_class: Count = setting(
        20,
        "Minimum number of images per digit in each split; 10 shots and 10 queries use 20.",
        unit="images",
    )


class OmniglotData(Settings):
    """Omniglot: handwritten characters, each drawn by 20 people."""

    train_characters: Count = setting(1100, "Characters in the training split.", unit="characters")
    val_characters: Count = setting(
        100,
        "Characters in the validation split; the remaining ones form the test split.",
        unit="characters",
    )
    split_seed: Seed = setting(
        0,
        "Seed of the random split of the characters. The paper publishes only the sizes of its "
        "split, not the split itself.",
    )
    image_size: ImageSide = setting(28, "Side length of the prepared images.", unit="pixels")
    resize: Resampling = setting(
        "lanczos",
        "Filter that shrinks the 105x105 drawings after their conversion from 1-bit to grayscale: "
        "on 1-bit images, every filter falls back to nearest, which breaks thin strokes.",
    )
    ink: Literal["white", "black"] = setting(
        "white",
        "Color of the strokes. White ink (255 on 0) agrees with MNIST and makes the background "
        "equal to the zero padding of convolutions; the files hold black ink. The paper does not "
        "specify this.",
    )
    min_images_per_class: Count = setting(
        16,
        "Minimum number of drawings per character; ProtoNets trained on true classes use 1 shot "
        "and 15 queries.",
        unit="images",
    )


class MiniImagenetData(Settings):
    """miniImageNet: 100 ImageNet classes of 600 images."""

    image_size: ImageSide = setting(84, "Side length of the prepared images.", unit="pixels")
    resize: Resampling = setting(
        "lanczos",
        "Filter that resizes images of other sizes to a square without keeping the aspect ratio; "
        "images of the right size are left unchanged.",
    )
    min_images_per_class: Count = setting(
        55, "Minimum number of images per class; 50 shots and 5 queries use 55.", unit="images"
    )


class CelebaData(Settings):
    """CelebA: aligned faces with 40 binary attributes."""

    image_size: ImageSide = setting(84, "Side length of the prepared images.", unit="pixels")
    crop_side: Annotated[int, Field(ge=1, le=CELEBA_WIDTH)] = setting(
        CELEBA_WIDTH,
        "Side length of the centered square cropped from the 178x218 images before resizing; for "
        "images of other sizes, the crop scales with the shorter side. The paper does not publish "
        "its crop; 178 is the largest square.",
        unit="pixels",
    )
    resize: Resampling = setting("bilinear", "Filter that resizes the square, with antialiasing.")
    partitions: Literal["official", "proportional"] = setting(
        "official",
        "`official` follows list_eval_partition; `proportional` divides the available images, in "
        "order of their names, in the official proportions, for partial copies without "
        "validation or test images.",
    )
    train_attributes: Annotated[int, Field(ge=3, le=CELEBA_ATTRIBUTES)] = setting(
        20, "Attributes for the training tasks: the first ones in the list.", unit="attributes"
    )
    val_attributes: Annotated[int, Field(ge=3, le=CELEBA_ATTRIBUTES)] = setting(
        10,
        "Attributes for the validation tasks: the next ones; the test tasks use the rest.",
        unit="attributes",
    )
    min_images: Count = setting(
        20,
        "Minimum number of images per split; a 2-way 5-shot 5-query task uses 20.",
        unit="images",
    )

    @fitting
    def _test_attributes_are_left(self) -> None:
        left = CELEBA_ATTRIBUTES - self.train_attributes - self.val_attributes
        if left < 3:
            raise UnfitError(
                "train_attributes",
                f"train_attributes and val_attributes leave {left} of {CELEBA_ATTRIBUTES} "
                "attributes for the test tasks, which need at least 3",
            )


class DataSettings(Settings):
    """Where the raw data is and how it is prepared."""

    raw_dir: str = setting(
        "data",
        "Folder of the raw data, with one subfolder per data set; relative to the working "
        "directory.",
    )
    download: bool = setting(
        True, "Download missing files that have a stable URL (MNIST, Omniglot, class lists)."
    )
    download_timeout: Positive = setting(
        60.0, "Time without data after which a download is retried.", unit="seconds"
    )
    download_attempts: Count = setting(5, "Download retries per mirror.", unit="attempts")
    official_only: bool = setting(
        False,
        "Reject files whose checksum differs from the published one. If false, they are read, and "
        "recorded as unofficial with their sha256. Files without a published checksum "
        "(miniImageNet images) are read in either case.",
    )
    max_unpacked_gib: Positive = setting(
        16.0, "Maximum unpacked size of an archive or compressed file.", unit="GiB"
    )
    max_image_mib: Positive = setting(
        256.0, "Maximum size of an image, both as a file and decoded.", unit="MiB"
    )
    mnist: MnistData = Field(default_factory=MnistData, description="MNIST.")
    omniglot: OmniglotData = Field(default_factory=OmniglotData, description="Omniglot.")
    miniimagenet: MiniImagenetData = Field(
        default_factory=MiniImagenetData, description="miniImageNet."
    )
    celeba: CelebaData = Field(default_factory=CelebaData, description="CelebA.")
    custom: dict[str, CustomDataset] = setting({}, "Data sets of one's own, by name.")

    @model_validator(mode="after")
    def _raw_dir_is_a_path(self) -> Self:
        if not self.raw_dir:
            raise UnfitError("raw_dir", "name a folder, which has one for each data set")
        if re.match(r"~|.*\$[A-Za-z_{]", self.raw_dir):
            raise UnfitError("raw_dir", "write the whole path; no shell reads `~` or `$` here")
        return self

    @model_validator(mode="after")
    def _custom_names_are_free(self) -> Self:
        for name in self.custom:
            if len(name) > MAX_NAME or not NAME_PATTERN.fullmatch(name) or name in BUILT_IN:
                raise UnfitError(
                    "custom",
                    f"'{name[:100]}' cannot name a data set of your own; use at most {MAX_NAME} "
                    "lowercase letters, digits and underscores, and no name of a built-in one",
                    name,
                )
        titles = {name: one.title for name, one in self.custom.items()}
        refuse_equal_titles("data set", titles, (one.title for one in BUILT_IN.values()))
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all data sets: the built-in ones first."""
        return (*BUILT_IN, *self.custom)

    def path(self, dataset: str) -> tuple[str, ...]:
        """Return the key of a data set's section in the configuration."""
        return ("data", "custom", dataset) if dataset in self.custom else ("data", dataset)

    def of(self, dataset: str) -> Any:
        """Return the section of a data set."""
        return self.custom[dataset] if dataset in self.custom else getattr(self, dataset)

    def title(self, dataset: str) -> str:
        """Return a data set's name in tables and figures."""
        if dataset in self.custom:
            return self.custom[dataset].title or dataset
        return BUILT_IN[dataset].title

    def image_shape(self, dataset: str) -> tuple[int, int, int]:
        """Return height, width and channels of a data set's prepared images."""
        section = self.of(dataset)
        size = getattr(section, "image_size", MNIST_SIDE)
        channels = section.channels if dataset in self.custom else BUILT_IN[dataset].channels
        return size, size, channels
