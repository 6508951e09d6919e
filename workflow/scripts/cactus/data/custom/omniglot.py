"""Variants of Omniglot: its drawings, split in another way, in classes that may be turned."""

import csv
from typing import Final, Literal

from cactus.config.sections.data.custom import CustomDataset
from cactus.config.sections.data.section import DataSettings
from cactus.data.custom.rotations import with_rotations
from cactus.data.custom.split import Item, divide
from cactus.data.files.registry import CONFIG_FOLDER, DatasetEntry
from cactus.data.files.tree import RawEntry, RawTree
from cactus.data.readers import omniglot
from cactus.data.readers.base import Layout, RawDataset, decoded_splits, lay_out
from cactus.data.readers.image_fitter import ImageFitter
from cactus.splits import Split

_LISTS: Final = CONFIG_FOLDER / "splits"


class CustomReader:
    """Reads a variant; see `cactus.data.readers.base.Reader`.

    Parameters
    ----------
    dataset, own
        Name and settings of the data set.

    Attributes
    ----------
    train_images
        Prepared images of the training split; None before they are found.
    """

    train_images: int | None = None

    def __init__(self, dataset: str, own: CustomDataset) -> None:
        self._dataset, self._own = dataset, own

    def uses(self, entry: RawEntry) -> bool:
        """Return whether a file has a name by which it is read."""
        return omniglot.uses(entry)

    def missing(self, tree: RawTree) -> list[str]:
        """Return the archives from which no drawing is present; if none is, check the split."""
        names = omniglot.missing(tree)
        if not names:
            self._layouts(tree)
        return names

    def read(self, tree: RawTree, settings: DataSettings, entry: DatasetEntry) -> RawDataset:
        """Read the drawings, with white ink, and divide the characters into splits.

        Raises
        ------
        DataError
            A listed character has no drawing, or there are too few characters or drawings.
        """
        del settings, entry
        own, side = self._own, self._own.image_size
        layouts, notes = self._layouts(tree)
        mode: Literal["L", "RGB"] = "L" if own.channels == 1 else "RGB"
        fitter = ImageFitter(mode, side, own.resize, tree.max_image_bytes, invert=True)
        splits = decoded_splits(tree, layouts, fitter, notes)
        return with_rotations(own, RawDataset((side, side, own.channels), splits, notes))

    def _layouts(self, tree: RawTree) -> tuple[dict[Split, Layout], list[str]]:
        """Return the layout of each split, and notes."""
        found = [
            (character, drawing)
            for character, drawings in sorted(omniglot.find_characters(tree).items())
            for drawing in drawings
        ]
        items = [Item(omniglot.drawing_name(*one), one[0]) for one in found]
        rule = self._own.split
        listed = _published(rule.published) if rule and rule.published else None
        division, notes = divide(self._dataset, self._own, items, listed)
        images = {
            split: {label: [found[place][1] for place in places] for label, places in of.items()}
            for split, of in division.items()
        }
        least, name = self._own.min_images_per_class, f"custom.{self._dataset}"
        layouts = lay_out(name, images, least, omniglot.drawing_name)
        self.train_images = self._own.turns * len(layouts["train"].entries)
        return layouts, notes


def _published(name: str) -> dict[str, str]:
    """Return the split of each character in a published list."""
    with (_LISTS / f"omniglot_{name}.csv").open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return {row["class"]: row["split"] for row in rows}
