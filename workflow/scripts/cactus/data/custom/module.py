"""Images of a data set of one's own that a module of one's own returns."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal, NoReturn

import numpy as np
from PIL import Image

from cactus.config.sections.data.custom import CustomDataset
from cactus.config.sections.data.section import DataSettings
from cactus.custom_code import DATASET, custom_code
from cactus.data.custom.rotations import with_rotations
from cactus.data.custom.split import Division, Item, divide
from cactus.data.files.registry import DatasetEntry
from cactus.data.files.tree import RawEntry, RawTree
from cactus.data.readers.base import RawDataset, RawSplit, check_class_sizes
from cactus.data.readers.image_fitter import ImageFitter
from cactus.data.readers.pixel_modes import UnclearPixelsError
from cactus.errors import DataError


class CustomReader:
    """Reads what a module returns; see `cactus.data.readers.base.Reader`.

    Parameters
    ----------
    dataset, own
        Name and settings of the data set.
    """

    def __init__(self, dataset: str, own: CustomDataset) -> None:
        self._dataset, self._own = dataset, own

    def uses(self, entry: RawEntry) -> bool:
        """Return False: the module's files are declared, and not in the data set's folder."""
        del entry
        return False

    def missing(self, tree: RawTree) -> list[str]:
        """Return nothing: the module tells what it lacks."""
        del tree
        return []

    def read(self, tree: RawTree, settings: DataSettings, entry: DatasetEntry) -> RawDataset:
        """Run the module, and divide what it returns into splits.

        Raises
        ------
        ConfigError
            The module cannot be imported, lacks a name, or rejects its settings.
        DataError
            It returns something else than images with their classes, a class is in two splits, or
            there are too few classes or images.
        """
        del settings, entry
        own, side = self._own, self._own.image_size
        images, items = self._returned()
        division, notes = divide(self._dataset, own, items, None)
        mode: Literal["L", "RGB"] = "L" if own.channels == 1 else "RGB"
        fitter = ImageFitter(mode, side, own.resize, tree.max_image_bytes)
        splits = self._splits(division, images, fitter, notes)
        return with_rotations(own, RawDataset((side, side, own.channels), splits, notes))

    def _returned(self) -> tuple[Sequence[Any], list[Item]]:
        """Return the images of the module, and the class and the split of each."""
        module = str(self._own.module)
        read, settings = custom_code(DATASET, self._dataset, module, self._own.settings)
        found = read(settings)
        if not isinstance(found, tuple) or len(found) not in (2, 3):
            self._refuse(f"{type(found).__name__}, not (images, classes) or with splits as a third")
        images, *names = found
        try:
            lengths = [len(one) for one in found]
        except TypeError as error:
            self._refuse(str(error))
        if len(set(lengths)) > 1:
            self._refuse(f"{' and '.join(map(str, lengths))} images, classes and splits")
        if not lengths[0]:
            self._refuse("no image")
        columns = [[self._text(value) for value in one] for one in names]
        # Places have the same number of digits, so that their order is the images'.
        width = len(str(lengths[0]))
        keys = (f"image {place:0{width}}" for place in range(lengths[0]))
        return images, [Item(*one) for one in zip(keys, *columns, strict=True)]

    def _text(self, value: Any) -> str:
        if isinstance(value, (str, int, np.integer)) and not isinstance(value, bool):
            return str(value)
        self._refuse(f"{value!r} as a class or a split, neither text nor an integer")

    def _splits(
        self, division: Division, images: Sequence[Any], fitter: ImageFitter, notes: list[str]
    ) -> Iterator[RawSplit]:
        for split, by_class in division.items():
            classes = sorted(by_class)
            counts = [len(by_class[label]) for label in classes]
            labels = np.repeat(np.arange(len(classes)), counts)
            least = self._own.min_images_per_class
            check_class_sizes(f"custom.{self._dataset}", split, classes, labels, least)
            places = [place for label in classes for place in by_class[label]]
            fitted = (fitter.fit(self._image(images[place], place, fitter)) for place in places)
            yield RawSplit(split, classes, labels, list(map(str, places)), enumerate(fitted))
        notes.extend(fitter.notes())

    def _image(self, pixels: object, place: int, fitter: ImageFitter) -> Image.Image:
        """Return an image in the data set's mode; one of Pillow's may have a palette and more."""
        if isinstance(pixels, Image.Image):
            try:
                return fitter.converted(pixels)
            except UnclearPixelsError as error:
                self._refuse(f"image {place} with {error}")
        found = np.asarray(pixels)
        if found.ndim == 3 and found.shape[2] == 1:
            found = found[..., 0]
        color = found.ndim == 3 and found.shape[2] == 3
        if found.dtype != np.uint8 or not found.size or not (color or found.ndim == 2):
            self._refuse(
                f"image {place} as {found.dtype} {found.shape}, not uint8 (H, W), (H, W, 1) or "
                "(H, W, 3)"
            )
        image = Image.fromarray(np.ascontiguousarray(found))
        return image.convert("L" if self._own.channels == 1 else "RGB")

    def _refuse(self, got: str) -> NoReturn:
        raise DataError(
            f"The module of the data set {self._dataset} returns what cannot be used.",
            where=f"data.custom.{self._dataset}.module, {self._own.module}",
            got=got,
            fix=f"let `read` return what {DATASET.guide} describes",
        )
