"""Settings of data sets of one's own; see docs/adding-a-dataset.md."""

import unicodedata
from collections.abc import Iterator
from itertools import combinations
from math import fsum, isclose
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from cactus.config.sections.base import (
    BUILT_IN,
    Count,
    Positive,
    Seed,
    Settings,
    UnfitError,
    setting,
)
from cactus.config.sections.title import Title, title_setting

ImageSide = Annotated[int, Field(ge=8, le=1024)]
Resampling = Literal["nearest", "box", "bilinear", "bicubic", "lanczos"]

_VARIED: Final = [name for name, one in BUILT_IN.items() if one.varied]


def _varied(name: str) -> str:
    """Refuse the name of a data set that has no variants."""
    if name not in _VARIED:
        raise UnfitError("", f"choose one of {', '.join(_VARIED)}")
    return name


_Varied = Annotated[str, AfterValidator(_varied), WithJsonSchema({"enum": _VARIED})]
_FileName = Annotated[str, Field(min_length=1)]
_Classes = list[Annotated[str, Field(min_length=1)]]
ROTATIONS: Final = 4  # of a class, itself among them
# Classes of each split by the published lists in config/splits.
PUBLISHED: Final = {"vinyals": {"train": 1028, "val": 172, "test": 423}}
# What says nothing about images that a module makes.
_OF_FILES: Final = ("table",)
_OF_MODULES: Final = ("settings", "files")
_OF_OTHERS: Final = ("table", "module", "settings", "files")


def plain_name(name: str) -> str:
    """Return the same text for names of classes that are hard to tell apart."""
    return unicodedata.normalize("NFC", name).casefold().strip()


class ClassLists(Settings):
    """The classes of each split."""

    train: _Classes
    val: _Classes
    test: _Classes

    @model_validator(mode="after")
    def _classes_are_in_one_split(self) -> Self:
        for (first, ones), (second, others) in combinations(self.named(), 2):
            taken = {*map(plain_name, others)}
            for name in ones:
                if plain_name(name) in taken:
                    raise UnfitError(second, f"the class '{name}' is in {first}, too; remove one")
        for split, names in self.named():
            if len({*map(plain_name, names)}) < len(names) or not names:
                raise UnfitError(split, "name at least one class, and none twice")
        return self

    def named(self) -> Iterator[tuple[str, list[str]]]:
        """Yield each split and its classes."""
        yield from (("train", self.train), ("val", self.val), ("test", self.test))


class SplitRule(Settings):
    """How classes are split, if the data does not say so itself: by exactly one of four keys."""

    shares: tuple[Positive, Positive, Positive] | None = setting(
        None, "Shares of the classes for train, val and test, which are chosen at random."
    )
    seed: Seed = setting(0, "Seed of the choice by `shares`.")
    classes: ClassLists | None = setting(None, "The classes of each split.")
    file: _FileName | None = setting(
        None, "A file with the columns `class` and `split`, in the data set's folder."
    )
    published: Literal["vinyals"] | None = setting(
        None,
        "A published list, for a variant of Omniglot: `vinyals` is that of Matching Networks, with "
        "1,028 characters for training, 172 for validation and 423 for tests, in "
        "`config/splits/omniglot_vinyals.csv`.",
    )

    @model_validator(mode="after")
    def _one_rule_is_given(self) -> Self:
        given = (self.shares, self.classes, self.file, self.published)
        if sum(one is not None for one in given) != 1:
            raise UnfitError("", "give one of `shares`, `classes`, `file` and `published`")
        if self.shares and not isclose(fsum(self.shares), 1.0, abs_tol=1e-6):
            raise UnfitError("shares", f"the shares add up to {fsum(self.shares):g}, not to 1")
        return self


class LeastClasses(Settings):
    """How many classes the splits have at least."""

    train: Count = setting(5, "Classes of the training split.", unit="classes")
    val: Count = setting(5, "Classes of the validation split.", unit="classes")
    test: Count = setting(5, "Classes of the test split.", unit="classes")


class CustomDataset(Settings):
    """A data set of one's own; see docs/adding-a-dataset.md."""

    title: Title | None = title_setting()
    variant_of: _Varied | None = setting(
        None,
        "A built-in data set whose raw files are read, and downloaded if they are missing; null "
        "for images of one's own.",
    )
    rotations: bool = setting(
        False,
        "Whether each class becomes four in its split: its images, and those turned by 90, 180 and "
        "270 degrees. `min_classes` counts classes without turned ones.",
    )
    image_size: ImageSide = Field(description="Side length of the prepared images. [pixels]")
    channels: Literal[1, 3] = Field(description="1 for gray images, 3 for color.")
    resize: Resampling = setting("lanczos", "Filter that resizes images of other sizes.")
    split: SplitRule | None = setting(
        None,
        "How the classes are split; null if the data says so: by the folders train, val and test, "
        "by the table's column `split`, or by the module.",
    )
    shared_classes: bool = setting(
        False,
        "Whether the splits have the same classes and other images of each, as in MNIST. `shares` "
        "are then those of each class's images.",
    )
    min_classes: LeastClasses = LeastClasses()
    min_images_per_class: Count = setting(
        20, "Images that each class of each split has at least.", unit="images"
    )
    table: _FileName | None = setting(
        None,
        "A csv file in the data set's folder with the columns `file`, `class` and, if it splits "
        "the classes, `split`; null if the folders are the classes.",
    )
    module: str | None = setting(
        None,
        "Python module with `read` and `Settings` that returns the images: a dotted name, or the "
        "path of a .py file; null if they are files in the data set's folder.",
    )
    settings: dict[str, Any] = setting({}, "Keys of the module's `Settings`.")
    files: list[str] = setting(
        [], "Data files that the module reads, as for a custom embedding; others are refused."
    )

    @model_validator(mode="after")
    def _keys_belong_together(self) -> Self:
        idle = _OF_MODULES if self.module is None else _OF_FILES
        for key in idle:
            if getattr(self, key):
                form = "there is no `module`" if self.module is None else "`module` gives images"
                raise UnfitError(key, f"remove it: {form}")
        if self.variant_of is not None:
            self._check_variant()
        elif self.split and self.split.published:
            raise UnfitError("split.published", f"it needs `variant_of: {_VARIED[0]}`")
        if self.split and self.module is not None and self.split.file is not None:
            raise UnfitError("split.file", "a module has no folder: list the `classes` instead")
        if self.shared_classes and self.split and self.split.shares is None:
            fix = "with `shared_classes`, no class belongs to one split: give `shares` or no split"
            raise UnfitError("split", fix)
        return self

    def _check_variant(self) -> None:
        for key in _OF_OTHERS:
            if getattr(self, key):
                raise UnfitError(key, "remove it: `variant_of` says where images are")
        if self.split is None or self.split.file is not None:
            raise UnfitError("split", "a variant needs `published`, `shares` or `classes`")

    @property
    def form(self) -> str:
        """The module in `cactus.data.custom` that reads the data set."""
        return self.variant_of or ("module" if self.module else "files")

    @property
    def turns(self) -> int:
        """How many classes of the prepared data a class becomes."""
        return ROTATIONS if self.rotations else 1

    @property
    def knows_classes(self) -> bool:
        """Whether the classes of each split are known without the data."""
        return self.split is not None and bool(self.split.classes or self.split.published)

    def class_counts(self) -> dict[str, int]:
        """Return how many classes each split has at least."""
        if self.split and self.split.classes:
            return {split: len(names) for split, names in self.split.classes.named()}
        if self.split and self.split.published:
            return PUBLISHED[self.split.published]
        return self.min_classes.model_dump()
