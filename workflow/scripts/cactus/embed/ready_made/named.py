"""Vectors that belong to images by name."""

import posixpath
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final, NoReturn

from cactus.config.sections.embeddings.ready_vectors import ReadyVectors
from cactus.data.arrays import load_images
from cactus.data.names import load_names
from cactus.embed.ready_made.files import Images, read_names
from cactus.errors import DataError, did_you_mean, few
from cactus.splits import SPLITS

_NAMES: Final = "results/<run>/data/<data set>/<split>_names.txt"


class NamedRows:
    """The rows of vectors by the names of their images, however their paths are written.

    Parameters
    ----------
    settings
        Where names are.
    counts
        How many vectors each of the settings' parts has.

    Raises
    ------
    DataError
        Names cannot be read, differ in number from their vectors, or are there twice.
    """

    def __init__(self, settings: ReadyVectors, counts: Collection[int]) -> None:
        self._where = ", ".join(part.names for part in settings.parts)
        self._row_of: dict[str, int] = {}
        repeated: dict[str, None] = {}
        row = 0
        for part, count in zip(settings.parts, counts, strict=True):
            for name in read_names(Path(part.names), settings.name_array, count):
                plain = _plain(name)
                if self._row_of.setdefault(plain, row) != row:
                    repeated[name if name == plain else f"{name}, which is {plain}"] = None
                row += 1
        if repeated:
            fix = "write each image's vector once; give images of one name others, with folders"
            self._refuse("Ready-made vectors have the same name.", few(repeated), fix)

    def images(self, data_folder: Path) -> Iterator[tuple[str, int, Images]]:
        """Yield each image of a prepared data set: its name, the row of its vector, its pixels.

        Raises
        ------
        DataError
            Images have no vector.
        """
        images = {split: load_images(data_folder, split) for split in SPLITS}
        names = {split: load_names(data_folder, split, len(images[split])) for split in SPLITS}
        ours = [name for split in SPLITS for name in names[split]]
        missing = [name for name in ours if _plain(name) not in self._row_of]
        if missing:
            self._refuse_missing(missing, ours)
        for split in SPLITS:
            for name, image in zip(names[split], images[split], strict=True):
                yield name, self._row_of[_plain(name)], image

    def _refuse_missing(self, missing: list[str], ours: list[str]) -> NoReturn:
        unknown = self._row_of.keys() - set(map(_plain, ours))
        got = f"{len(missing)} of {len(ours)} images have none: {few(missing)}"
        if unknown:
            got += f"; {len(unknown)} names are of no image: {few(sorted(unknown))}"
        similar = did_you_mean(missing[0], sorted(unknown))
        fix = f"write the names as they are in {_NAMES}"
        if similar:
            fix = f"{missing[0]}: {similar} {fix.capitalize()}"
        self._refuse("Images have no ready-made vector of their name.", got, fix)

    def _refuse(self, what: str, got: str, fix: str) -> NoReturn:
        raise DataError(what, where=self._where, got=got, fix=fix)


def _plain(name: str) -> str:
    """Return a name, if it is a path, without steps that lead nowhere, as in ``./a/../b.png``."""
    return posixpath.normpath(name)
