"""Omniglot from its archives, official or repacked, or from unpacked folders.

torchvision's reader is not suitable: it takes only the two official archives, by their md5, and
has no split of 1100/100/423 characters.
"""

import re
from pathlib import PurePosixPath

from cactus.config.sections.data.section import DataSettings, OmniglotData
from cactus.data.files.registry import DatasetEntry
from cactus.data.files.tree import RawEntry, RawTree
from cactus.data.files.unused import without_copy_mark
from cactus.data.readers.base import RawDataset, decoded_splits, lay_out
from cactus.data.readers.image_fitter import ImageFitter
from cactus.errors import DataError
from cactus.seeding import derive_seed
from cactus.splits import Split

_PARTS = {"images_background": "background", "images_evaluation": "evaluation"}
_DRAWERS = 20
_DRAWING = re.compile(r"(?:^|/)([^/]+)/character(\d+)/([^/]+\.png)$", re.IGNORECASE)

_Characters = dict[str, list[RawEntry]]


def uses(entry: RawEntry) -> bool:
    """Return whether a file has a name by which it is read."""
    return _DRAWING.search(entry.path) is not None


def missing(tree: RawTree) -> list[str]:
    """Return the archives from which no drawing is present.

    A copy with all alphabets in one folder names neither archive, and nothing is missing from it.
    """
    drawings = [entry for entry in tree.entries if uses(entry)]
    found = {_part(entry) for entry in drawings} - {None}
    if drawings and not found:
        return []
    return [f"{part}.zip" for part in _PARTS if part not in found]


def read(tree: RawTree, settings: DataSettings, entry: DatasetEntry) -> RawDataset:
    """Read Omniglot and split its characters at random.

    Raises
    ------
    DataError
        There are too few characters for the split, or a character has too few drawings.
    """
    own = settings.omniglot
    characters = find_characters(tree)
    notes = []
    if entry.classes is not None and len(characters) != entry.classes:
        notes.append(f"{len(characters)} of {entry.classes} characters are present")
    fewer = sum(len(drawings) < _DRAWERS for drawings in characters.values())
    if fewer:
        notes.append(f"{fewer} characters have fewer than {_DRAWERS} drawings")
    split = split_characters(list(characters), own)
    images = {name: {key: characters[key] for key in split[name]} for name in split}
    layouts = lay_out("omniglot", images, own.min_images_per_class, drawing_name)
    side = own.image_size
    # The drawings have black ink on white.
    fitter = ImageFitter("L", side, own.resize, tree.max_image_bytes, invert=own.ink == "white")
    return RawDataset((side, side, 1), decoded_splits(tree, layouts, fitter, notes), notes)


def drawing_name(character: str, drawing: RawEntry) -> str:
    """Return the name of a drawing, "<Alphabet>/characterNN/NNNN_NN"."""
    return f"{character}/{PurePosixPath(drawing.basename).stem}"


def find_characters(tree: RawTree) -> _Characters:
    """Return the drawings of each character, "<Alphabet>/characterNN", sorted by file name.

    A drawing that occurs more than once (in an archive and unpacked, or as a second copy that a
    file manager made) is used once.

    Raises
    ------
    DataError
        A character is in both parts of the data set.
    """
    found: dict[str, dict[str, RawEntry]] = {}
    part_of: dict[str, str] = {}
    for entry in tree.entries:
        if match := _DRAWING.search(entry.path):
            alphabet, character, drawing = match.groups()
            name = f"{alphabet}/character{int(character):02}"
            part = _part(entry)
            if part is not None and part_of.setdefault(name, part) != part:
                raise _in_both(tree, entry, name, part_of[name])
            found.setdefault(name, {}).setdefault(drawing, entry)
    return {name: _without_copies(drawings) for name, drawings in found.items()}


def _part(entry: RawEntry) -> str | None:
    """Return the part of the data set that a path names; None if it names both or neither."""
    folders = entry.path.lower().split("/")[:-3]
    named = [part for part, word in _PARTS.items() if any(word in folder for folder in folders)]
    return named[0] if len(named) == 1 else None


def _without_copies(drawings: dict[str, RawEntry]) -> list[RawEntry]:
    originals = {name.lower(): name for name in sorted(drawings, reverse=True)}
    return [
        drawings[name]
        for name in sorted(drawings)
        if originals.get(without_copy_mark(name).lower(), name) == name
    ]


def _in_both(tree: RawTree, entry: RawEntry, name: str, other: str) -> DataError:
    return DataError(
        "A character of Omniglot is in both parts of the data set.",
        where=tree.where(entry),
        got=f"{name}, which is also in {other}",
        fix="get the two official archives again, and take other folders of drawings away",
    )


def split_characters(names: list[str], settings: OmniglotData) -> dict[Split, list[str]]:
    """Split characters at random with the seed in the settings; the rest are the test split.

    Characters are ordered by a hash of seed and name. The order does not depend on the order of
    the files or the version of a library, and missing characters do not move the others.

    Raises
    ------
    DataError
        There are too few characters.
    """
    train, val = settings.train_characters, settings.val_characters
    if len(names) <= train + val:
        raise DataError(
            "Omniglot has too few characters for the split.",
            where="data.omniglot",
            got=f"{len(names)} characters, {train} for training and {val} for validation",
            fix="complete the raw data, or lower train_characters and val_characters",
        )
    order = sorted(names, key=lambda name: derive_seed("omniglot", settings.split_seed, name))
    return {"train": order[:train], "val": order[train : train + val], "test": order[train + val :]}
