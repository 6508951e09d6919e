"""Hashes of the raw files that a data set is prepared from."""

import hashlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from cactus.data.files.containers import Folder
from cactus.data.files.registry import raw_folders
from cactus.errors import DataError, printable
from cactus.provenance.fingerprint.hash_cache import HashCache
from cactus.provenance.records.reasons import ABSENT

# Stands for all files of a data set's folder that were not read. What is there decides what is read
# the next time, so a file that is added counts.
OTHERS: Final = "other-files"
# What the manifest calls images that lie in several folders, or in the data set's own.
_ALL: Final = "./"


def read_raw_hashes(
    raw_dir: Path, folders: Sequence[str], names: Iterable[str], cache: HashCache
) -> dict[str, str]:
    """Return the sha256 of the raw files that a job has read, and of the `OTHERS`.

    Parameters are those of `raw_hashes`.
    """
    read = [name for name in names if name != _ALL]
    return raw_hashes(raw_dir, folders, [*read, OTHERS], cache)


def raw_hashes(
    raw_dir: Path, folders: Sequence[str], names: Iterable[str], cache: HashCache
) -> dict[str, str]:
    """Return the sha256 of the raw files that are available.

    Parameters
    ----------
    raw_dir
        Folder with one folder of raw files per data set.
    folders
        Names that the data set's folder may have there, in any case.
    names
        Files, or folders of loose images (ending in ``/``), in the data set's folder, and `OTHERS`.
        The hash of a folder covers the sorted names and hashes of all files in it but hidden ones.
    """
    found: dict[str, str] = {}
    given, places = list(names), raw_folders(raw_dir, folders)
    wanted = [name for name in given if name != OTHERS]
    # A folder that has them all is the one that was read; another may have some of their names.
    whole = [place for place in places if all((place / name).exists() for name in wanted)]
    for name in wanted:
        paths = (place / name for place in whole or places)
        with suppress(OSError, DataError):  # what this user may not read is not available
            path = next(filter(Path.exists, paths), None)
            if path is not None:
                found[name] = cache.sha256(path) if path.is_file() else _hash(path, cache)
    if OTHERS in given and whole:
        with suppress(OSError, DataError):
            found[OTHERS] = _hash(whole[0], cache, wanted)
    return found


def custom_raw_hashes(raw_dir: Path, dataset: str, cache: HashCache) -> dict[str, str]:
    """Return the sha256 of each file in the folder of a data set of one's own, by its path there.

    Hidden files and unfinished downloads do not count. Empty if there is no such folder.
    """
    places = raw_folders(raw_dir, [dataset])
    if not places:
        return {}
    names = _names(places[0])
    cache.warm(f"{places[0]}/{name}" for name in names)
    found: dict[str, str] = {}
    for name in names:
        with suppress(OSError):
            found[printable(name)] = cache.sha256(f"{places[0]}/{name}")
    return found


def current_raw_hashes(
    raw_dir: Path,
    dataset: str,
    folders: Sequence[str] | None,
    recorded: Iterable[str],
    cache: HashCache,
) -> dict[str, str]:
    """Return the sha256 of recorded raw files now, of those that are available.

    Parameters
    ----------
    raw_dir, dataset
        Folder of all raw data, and the data set.
    folders
        See `raw_hashes`. None for a data set of one's own, of which all files in its folder count,
        and as absent those that are gone.
    recorded
        Names of the recorded files.
    """
    if folders is not None:
        return raw_hashes(raw_dir, folders, recorded, cache)
    found = custom_raw_hashes(raw_dir, dataset, cache)
    return {**dict.fromkeys(recorded, ABSENT), **found} if found else {}


def _hash(folder: Path, cache: HashCache, without: Sequence[str] = ()) -> str:
    """Return the sha256 of the names and hashes of the files in a folder, without some."""
    skipped = {name for name in without if not name.endswith("/")}
    below = tuple(name for name in without if name.endswith("/"))
    names = [one for one in _names(folder) if one not in skipped and not one.startswith(below)]
    cache.warm(f"{folder}/{name}" for name in names)
    digest = hashlib.sha256()
    for name in names:
        line = f"{name}\0{cache.sha256(f'{folder}/{name}')}\n"
        digest.update(line.encode(errors="surrogateescape"))
    return digest.hexdigest()


def _names(folder: Path) -> list[str]:
    """Return the files below a folder, but hidden ones and unfinished downloads."""
    found = Folder(folder)
    archives = (path.relative_to(folder).as_posix() for path in found.archives)
    return sorted([*(one.name for one in found.members), *archives])
