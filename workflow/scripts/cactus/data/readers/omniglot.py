"""Omniglot from its archives, official or repacked, or from unpacked folders.

torchvision's reader is not suitable: it takes only the two official archives, by their md5, and
has no split of 1100/100/423 characters.
"""

import re

from cactus.config.sections.data import DataSettings, OmniglotData
from cactus.data.files.registry import DatasetEntry
from cactus.data.files.tree import RawEntry, RawTree
from cactus.data.readers.base import RawDataset, decoded_splits, lay_out
from cactus.data.readers.image_fitter import ImageFitter
from cactus.errors import DataError
from cactus.seeding import derive_seed
from cactus.splits import Split

_PARTS = ("images_background", "images_evaluation")
_DRAWERS = 20
_DRAWING = re.compile(r"(?:^|/)([^/]+)/(character\d+)/([^/]+\.png)$", re.IGNORECASE)

_Characters = dict[str, list[RawEntry]]


def missing(tree: RawTree) -> list[str]:
    """Return the archives from which no drawing is present.

    A copy with all alphabets in one folder names neither archive, and nothing is missing from it.
    """
    drawings = [entry.path for entry in tree.entries if _DRAWING.search(entry.path)]
    found = [part for part in _PARTS if any(part in path for path in drawings)]
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
    layouts = lay_out("omniglot", images, own.min_images_per_class)
    side = own.image_size
    # The drawings have black ink on white.
    fitter = ImageFitter("L", side, own.resize, tree.max_image_bytes, invert=own.ink == "white")
    return RawDataset((side, side, 1), decoded_splits(tree, layouts, fitter, notes), notes)


def find_characters(tree: RawTree) -> _Characters:
    """Return the drawings of each character, "<Alphabet>/characterNN", sorted by file name.

    A drawing that occurs more than once (in an archive and unpacked) is used once.
    """
    found: dict[str, dict[str, RawEntry]] = {}
    for entry in tree.entries:
        if match := _DRAWING.search(entry.path):
            alphabet, character, drawing = match.groups()
            found.setdefault(f"{alphabet}/{character}", {}).setdefault(drawing, entry)
    return {name: [drawings[key] for key in sorted(drawings)] for name, drawings in found.items()}


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
