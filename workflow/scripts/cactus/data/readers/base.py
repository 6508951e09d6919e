"""What a reader of raw files returns, to be written as arrays."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from cactus.config.sections.data.section import DataSettings
from cactus.data.files.registry import DatasetEntry
from cactus.data.files.tree import RawEntry, RawTree
from cactus.data.readers.failures import Failures
from cactus.data.readers.image_fitter import ImageFitter
from cactus.errors import DataError
from cactus.splits import Split


@dataclass(frozen=True)
class RawSplit:
    """One split.

    Attributes
    ----------
    name
        The split.
    classes
        Class names in the order of the labels (CelebA: names of the split's attributes).
    labels
        int64 (N,), or for CelebA uint8 (N, 40).
    names
        Names of the N images in the order of the labels, which no other image of the data set has.
    images
        Row numbers in [0, N) and images, uint8 (H, W, C), in any order, each once.
    attributes
        CelebA: the columns of `labels` that define the split's tasks.
    """

    name: Split
    classes: list[str]
    labels: npt.NDArray[Any]
    names: Sequence[str]
    images: Iterator[tuple[int, npt.NDArray[np.uint8]]]
    attributes: list[int] | None = None


@dataclass
class RawDataset:
    """A data set with images of one shape, (H, W, C).

    `splits` are train, val and test, to be consumed one after the other; `notes` say what a user
    should know about the data, and are complete once the splits are consumed.
    """

    image_shape: tuple[int, int, int]
    splits: Iterator[RawSplit]
    notes: list[str] = field(default_factory=list)


class Reader(Protocol):
    """The interface of each module `cactus.data.readers.<dataset>`."""

    def uses(self, entry: RawEntry) -> bool:
        """Return whether a file has a name by which this reader reads it."""

    def missing(self, tree: RawTree) -> list[str]:
        """Return the names of official files that are needed and missing; must be fast."""

    def read(self, tree: RawTree, settings: DataSettings, entry: DatasetEntry) -> RawDataset:
        """Read, check and split the raw files; images are decoded when they are used."""


@dataclass(frozen=True)
class Layout:
    """A split as in `RawSplit`, with the entries of its N images in the order of the labels."""

    classes: list[str]
    labels: npt.NDArray[Any]
    names: Sequence[str]
    entries: list[RawEntry]
    attributes: list[int] | None = None


def _decoded(
    tree: RawTree, entries: Sequence[RawEntry], later: Sequence[RawEntry], fitter: ImageFitter
) -> Iterator[tuple[int, npt.NDArray[np.uint8]]]:
    """Yield the index of each entry and its image, in the order that is fastest to read.

    If images cannot be used, the `later` ones are checked, too, and one error names all.
    """
    rows = {(entry.container, entry.name): row for row, entry in enumerate(entries)}
    failures = Failures(tree)
    for entry, image in _images(tree, entries, fitter):
        if isinstance(image, DataError):
            failures.add(entry, image)
        elif not failures.count:
            yield rows[entry.container, entry.name], image
    if failures.count:
        for entry, image in _images(tree, later, fitter):
            if isinstance(image, DataError):
                failures.add(entry, image)
        raise failures.error()


def _images(
    tree: RawTree, entries: Sequence[RawEntry], fitter: ImageFitter
) -> Iterator[tuple[RawEntry, npt.NDArray[np.uint8] | DataError]]:
    """Yield entries with their images, or with why they have none."""
    for entry, content in tree.read_images(entries):
        image: npt.NDArray[np.uint8] | DataError
        try:
            image = (
                content
                if isinstance(content, DataError)
                else fitter.decode(content, tree.where(entry))
            )
        except DataError as error:
            image = error
        yield entry, image


def decoded_splits(
    tree: RawTree, layouts: dict[Split, Layout], fitter: ImageFitter, notes: list[str]
) -> Iterator[RawSplit]:
    """Yield the splits, with images that are decoded when they are used; then add the notes."""
    todo = [layout.entries for layout in layouts.values()]
    for name, layout in layouts.items():
        entries, *todo = todo
        images = _decoded(tree, entries, list(chain(*todo)), fitter)
        yield RawSplit(name, layout.classes, layout.labels, layout.names, images, layout.attributes)
    notes.extend(fitter.notes())


def lay_out(
    dataset: str,
    images: dict[Split, dict[str, list[RawEntry]]],
    minimum: int,
    name: Callable[[str, RawEntry], str],
) -> dict[Split, Layout]:
    """Put the images of each split into one sequence, class by class.

    `name` returns the name of an image of a class; those that get the same have their paths.

    Raises
    ------
    DataError
        A split is empty or a class has fewer than `minimum` images.
    """
    layouts = {}
    for split, by_class in images.items():
        classes = sorted(by_class)
        labels = np.repeat(np.arange(len(classes)), [len(by_class[label]) for label in classes])
        check_class_sizes(dataset, split, classes, labels, minimum)
        members = [(label, entry) for label in classes for entry in by_class[label]]
        names = [name(label, entry) for label, entry in members]
        entries, uses = [entry for _, entry in members], Counter(names)
        unique = [
            one if uses[one] == 1 else entry.path for one, entry in zip(names, entries, strict=True)
        ]
        layouts[split] = Layout(classes, labels, unique, entries)
    return layouts


def check_class_sizes(
    dataset: str, split: Split, classes: Sequence[str], labels: npt.NDArray[np.int64], minimum: int
) -> None:
    """Check that every class of a split has enough images.

    Raises
    ------
    DataError
        The split is empty or a class has fewer than `minimum` images.
    """
    sizes = np.bincount(labels, minlength=len(classes))
    if classes and sizes.min() >= minimum:
        return
    what, where, got = f"A split of {dataset} has no image.", f"{split} split", "no class"
    if classes:
        worst = int(sizes.argmin())
        what = f"A class of {dataset} has too few images."
        where += f", class {classes[worst]}"
        got = f"{sizes[worst]} images, at least {minimum} needed"
    raise DataError(
        what,
        where=where,
        got=got,
        fix=f"complete the raw data; or lower data.{dataset}.min_images_per_class, if all tasks "
        "need fewer shots and queries",
    )
