"""Hashes of the raw files that a data set is prepared from."""

import hashlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from cactus.data.files.containers import Folder
from cactus.data.files.registry import raw_folders
from cactus.errors import printable
from cactus.provenance.fingerprint.hash_cache import HashCache
from cactus.provenance.records.reasons import ABSENT


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
        Files, or folders of loose images (ending in ``/``), in the data set's folder. The hash of
        a folder covers the sorted names and hashes of all files in it.
    """
    found: dict[str, str] = {}
    wanted, places = list(names), raw_folders(raw_dir, folders)
    # A folder that has them all is the one that was read; another may have some of their names.
    whole = [place for place in places if all((place / name).exists() for name in wanted)]
    for name in wanted:
        paths = (place / name for place in whole or places)
        with suppress(OSError):  # what this user may not read is not available
            path = next(filter(Path.exists, paths), None)
            if path is not None:
                found[name] = _hash(path, cache)
    return found


def custom_raw_hashes(raw_dir: Path, dataset: str, cache: HashCache) -> dict[str, str]:
    """Return the sha256 of each file in the folder of a data set of one's own, by its path there.

    Hidden files and unfinished downloads do not count. Empty if there is no such folder.
    """
    places = raw_folders(raw_dir, [dataset])
    if not places:
        return {}
    folder = Folder(places[0])
    archives = [path.relative_to(places[0]).as_posix() for path in folder.archives]
    names = sorted([*(one.name for one in folder.members), *archives])
    cache.warm(places[0] / name for name in names)
    found: dict[str, str] = {}
    for name in names:
        with suppress(OSError):
            found[printable(name)] = cache.sha256(places[0] / name)
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


def _hash(path: Path, cache: HashCache) -> str:
    if path.is_file():
        return cache.sha256(path)
    files = sorted(file for file in path.rglob("*") if file.is_file())
    cache.warm(files)
    digest = hashlib.sha256()
    for file in files:
        line = f"{file.relative_to(path).as_posix()}\0{cache.sha256(file)}\n"
        digest.update(line.encode(errors="surrogateescape"))
    return digest.hexdigest()
