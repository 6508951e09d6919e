"""Settings of the synthetic data: small seeded stand-ins for the four data sets."""

from typing import Annotated

from pydantic import Field

from cactus.config.sections.base import (
    Count,
    CountOrZero,
    Fraction,
    NonNegative,
    Seed,
    Settings,
    setting,
)

# Official file names have two digits for the character and two for the drawer.
TwoDigitCount = Annotated[int, Field(ge=1, le=99)]
JpegQuality = Annotated[int, Field(ge=1, le=95)]


class SyntheticMnist(Settings):
    """Real 8x8 digits, enlarged to MNIST's format and jittered."""

    train_images: Count = setting(2000, "Training images to write.", unit="images")
    test_images: Count = setting(600, "Test images to write.", unit="images")
    rotation: NonNegative = setting(8.0, "Largest rotation of a digit.", unit="degrees")
    scaling: Annotated[float, Field(ge=0.0, le=0.5)] = setting(
        0.1, "Largest relative change of a digit's width and of its height.", unit="fraction"
    )
    shear: NonNegative = setting(0.1, "Largest horizontal shear of a digit.", unit="fraction")
    shift: NonNegative = setting(0.75, "Largest shift of a digit along each axis.", unit="pixels")


class SyntheticOmniglot(Settings):
    """Characters of invented alphabets, each drawn by several drawers."""

    background_alphabets: Annotated[int, Field(ge=1, le=30)] = setting(
        6, "Alphabets in images_background.zip.", unit="alphabets"
    )
    evaluation_alphabets: Annotated[int, Field(ge=1, le=20)] = setting(
        4, "Alphabets in images_evaluation.zip.", unit="alphabets"
    )
    characters: TwoDigitCount = setting(10, "Characters per alphabet.", unit="characters")
    drawers: TwoDigitCount = setting(
        20, "Drawers, each of whom draws every character.", unit="drawers"
    )
    variation: NonNegative = setting(
        1.0, "Strength of the drawers' slant, scale, shift and wobble; at 0, all draw alike."
    )


class SyntheticMiniImagenet(Settings):
    """Textured objects on varied backgrounds, under wnids of the Ravi-Larochelle split."""

    train_classes: Annotated[int, Field(ge=1, le=64)] = setting(
        16, "Classes in the training split.", unit="classes"
    )
    val_classes: Annotated[int, Field(ge=1, le=16)] = setting(
        5, "Classes in the validation split.", unit="classes"
    )
    test_classes: Annotated[int, Field(ge=1, le=20)] = setting(
        8, "Classes in the test split.", unit="classes"
    )
    images_per_class: Annotated[int, Field(ge=1, le=600)] = setting(
        60, "Images per class.", unit="images"
    )
    variation: Annotated[float, Field(ge=0.0, le=2.0)] = setting(
        1.0, "Strength of the changes in pose, color and light between images of a class."
    )
    clutter: CountOrZero = setting(
        4, "Maximum number of objects behind the main one.", unit="objects"
    )
    jpeg_quality: JpegQuality = setting(80, "Quality of the JPEG files.")


class SyntheticCeleba(Settings):
    """Drawn faces with the 40 attributes."""

    train_images: Count = setting(700, "Faces in the training partition.", unit="images")
    val_images: Count = setting(200, "Faces in the validation partition.", unit="images")
    test_images: Count = setting(200, "Faces in the test partition.", unit="images")
    kinds: Count = setting(
        24,
        "Kinds of people: faces of a kind share most attributes and their clothes.",
        unit="kinds",
    )
    deviation: Fraction = setting(
        0.15, "Probability that an attribute of a face is drawn independently of its kind."
    )
    variation: Annotated[float, Field(ge=0.0, le=2.0)] = setting(
        1.0, "Strength of the changes in pose, proportions and light between faces."
    )
    jpeg_quality: JpegQuality = setting(72, "Quality of the JPEG files.")


class SyntheticSettings(Settings):
    """Stand-ins in the official raw formats, for demos and tests without downloads."""

    seed: Seed = setting(0, "Seed of all synthetic data sets.")
    mnist: SyntheticMnist = Field(default_factory=SyntheticMnist, description="Stand-in for MNIST.")
    omniglot: SyntheticOmniglot = Field(
        default_factory=SyntheticOmniglot, description="Stand-in for Omniglot."
    )
    miniimagenet: SyntheticMiniImagenet = Field(
        default_factory=SyntheticMiniImagenet, description="Stand-in for miniImageNet."
    )
    celeba: SyntheticCeleba = Field(
        default_factory=SyntheticCeleba, description="Stand-in for CelebA."
    )
