"""How many classes and images the splits of a data set have, at most, by the configuration."""

import sys
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, get_args

from cactus.config.sections.base import DatasetName
from cactus.config.sections.data.custom import CustomDataset
from cactus.config.sections.data.section import CELEBA_ATTRIBUTES, DataSettings
from cactus.config.sections.synthetic import SyntheticSettings

if TYPE_CHECKING:
    from cactus.config.models import Config

SplitName = Literal["train", "val", "test"]

_DIGITS: Final = 10


class SplitSize(NamedTuple):
    """A split: its classes (attributes for CelebA), its images, and those of its smallest class.

    Of a data set of one's own, the least number of classes and of images of a class are known.
    """

    classes: int
    images: int
    per_class: int


Sizes = dict[SplitName, SplitSize]


def split_sizes(config: "Config", dataset: DatasetName) -> Sizes:
    """Return the sizes of a data set's splits; raw files of one's own may have less."""
    data, synthetic = config.data, config.synthetic if config.synthetic_data else None
    match dataset:
        case "mnist":
            return _mnist(data, synthetic)
        case "omniglot":
            return _omniglot(data, synthetic)
        case "miniimagenet":
            return _miniimagenet(synthetic)
        case "celeba":
            return _celeba(data, synthetic)
    return _custom(data.custom[dataset])


def _custom(own: CustomDataset) -> Sizes:
    counts, images = own.class_counts(), own.min_images_per_class
    splits: tuple[SplitName, ...] = get_args(SplitName)
    return {split: SplitSize(own.turns * counts[split], sys.maxsize, images) for split in splits}


def _mnist(data: DataSettings, synthetic: SyntheticSettings | None) -> Sizes:
    train, test = (
        (synthetic.mnist.train_images, synthetic.mnist.test_images)
        if synthetic
        else (60_000, 10_000)
    )
    val = data.mnist.val_size
    images: dict[SplitName, int] = {"train": train - val, "val": val, "test": test}
    return {split: SplitSize(_DIGITS, n, n // _DIGITS) for split, n in images.items()}


def _omniglot(data: DataSettings, synthetic: SyntheticSettings | None) -> Sizes:
    characters, drawers = 1623, 20
    if synthetic:
        own = synthetic.omniglot
        characters = (own.background_alphabets + own.evaluation_alphabets) * own.characters
        drawers = own.drawers
    train, val = data.omniglot.train_characters, data.omniglot.val_characters
    classes: dict[SplitName, int] = {"train": train, "val": val, "test": characters - train - val}
    return {split: SplitSize(n, n * drawers, drawers) for split, n in classes.items()}


def _miniimagenet(synthetic: SyntheticSettings | None) -> Sizes:
    classes: dict[SplitName, int] = {"train": 64, "val": 16, "test": 20}
    images = 600
    if synthetic:
        own = synthetic.miniimagenet
        classes = {"train": own.train_classes, "val": own.val_classes, "test": own.test_classes}
        images = own.images_per_class
    return {split: SplitSize(n, n * images, images) for split, n in classes.items()}


def _celeba(data: DataSettings, synthetic: SyntheticSettings | None) -> Sizes:
    images: dict[SplitName, int] = {"train": 162_770, "val": 19_867, "test": 19_962}
    if synthetic:
        own = synthetic.celeba
        images = {"train": own.train_images, "val": own.val_images, "test": own.test_images}
    train, val = data.celeba.train_attributes, data.celeba.val_attributes
    left = CELEBA_ATTRIBUTES - train - val
    attributes: dict[SplitName, int] = {"train": train, "val": val, "test": left}
    # A class and its opposite are two of the sides that the values of an attribute make.
    return {split: SplitSize(attributes[split], n, n // 2) for split, n in images.items()}
