"""Names of prepared images, by which vectors that were made elsewhere find them."""

from collections.abc import Sequence
from pathlib import Path

from cactus.errors import DataError, printable
from cactus.files import read_text, write_text
from cactus.splits import Split


def write_names(folder: Path, split: Split, names: Sequence[str]) -> None:
    """Write the names of a split's images, one per line, in the order of the images.

    Raises
    ------
    ValueError
        Two images have the same name.
    """
    lines = [printable(name) for name in names]
    if len(set(lines)) < len(lines):
        raise ValueError(f"two images of {split} have the same name")
    write_text(names_path(folder, split), "".join(f"{line}\n" for line in lines))


def load_names(folder: Path, split: Split, count: int) -> list[str]:
    """Read the names of a split's images, in the order of the images.

    Parameters
    ----------
    folder, split
        A prepared data set, and the split.
    count
        How many images the split has.

    Raises
    ------
    DataError
        The file cannot be read, or has another number of names.
    """
    path = names_path(folder, split)
    try:
        names = read_text(path).split("\n")[:-1]
        got = f"{len(names)} names for {count} images"
    except (OSError, ValueError) as error:
        names, got = [], str(error)
    if len(names) != count:
        raise DataError(
            "The names of prepared images cannot be read.",
            where=str(path),
            got=got,
            fix=f"delete {folder} and run the target `data` again",
        )
    return names


def names_path(folder: Path, split: Split) -> Path:
    """Return the path of the file of a split's names."""
    return folder / f"{split}_names.txt"
