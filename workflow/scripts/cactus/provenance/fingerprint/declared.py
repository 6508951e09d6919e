"""Data files that a configuration declares: their names, and hashes of their content."""

import glob
import os
from collections.abc import Iterable, Iterator
from itertools import takewhile
from pathlib import Path
from typing import Final

from cactus.errors import ConfigError
from cactus.provenance.fingerprint.hash_cache import HashCache
from cactus.provenance.records.reasons import ABSENT

_LISTS: Final = "a list `files` under embeddings.custom, learners.custom or data.custom"
_MOST: Final = 10_000
_WILDCARDS: Final = "*?["
_MADE: Final = ("results", ".snakemake")  # folders that every run changes


def declared_path(start: Path, name: str) -> Path:
    """Return the path of a declared file; a relative one starts in the folder `start`."""
    return start / Path(name).expanduser()


def declared_hashes(start: Path, declared: Iterable[str], cache: HashCache) -> dict[str, str]:
    """Return the sha256 of each declared file, by its name; `ABSENT` for one that does not exist.

    Parameters
    ----------
    start
        Folder in which relative paths start.
    declared
        Files, folders, which stand for all files in them except hidden ones, and patterns with
        ``*``, ``?``, ``[...]`` and ``**``.
    cache
        Cache of file hashes.

    Raises
    ------
    ConfigError
        A file cannot be read, or there are more than 10,000.
    """
    try:
        found: set[str] = set()
        for name in (one for entry in declared for one in _own_names(start, entry)):
            found.add(name)
            if len(found) > _MOST:
                fix = f"declare at most {_MOST:,}, e.g. an archive of them"
                raise _refused(f"more than {_MOST:,} files", fix)
        paths = {name: declared_path(start, name) for name in sorted(found)}
        cache.warm(paths.values())
        return {
            name: cache.sha256(path) if path.is_file() else ABSENT for name, path in paths.items()
        }
    except (OSError, ValueError) as error:
        raise _refused(str(error), "make it readable, or correct the entry") from error


def missing_file(start: Path, name: str, where: str) -> ConfigError:
    """Return the error for a declared file that does not exist; `where` is the key."""
    path = declared_path(start, name)
    other = "a folder without files" if path.is_dir() else "no such file"
    links = (one for one in path.rglob("*") if one.is_symlink() and not one.exists())
    if lost := next(links, None):
        other += f", {lost.name} in it is a link to nothing"
    if path.exists() and not path.is_dir():
        other = "a pipe, a device or a socket"
    fix = f"put it at {path.absolute()}, or correct the entry"
    return _refused(f"{name}: {other}", fix, where)


def _names(start: Path, entry: str) -> Iterator[str]:
    path = declared_path(start, entry)
    if not entry.strip():
        raise _refused(f"the name {entry!r}", "give the name of a file, or leave the entry out")
    if path.is_dir():
        empty = True
        for one in path.rglob("*"):
            below = one.relative_to(path)
            if one.is_file() and not any(part.startswith(".") for part in below.parts):
                empty = False
                yield f"{entry.rstrip('/')}/{below.as_posix()}"
        if empty:
            yield entry
    elif any(one in entry for one in _WILDCARDS) and not path.is_file():
        # Path.glob takes no absolute patterns, and follows no links below ``**``.
        matches = glob.iglob(str(Path(entry).expanduser()), root_dir=start, recursive=True)  # noqa: PTH207
        files = [one for one in matches if (start / one).is_file()]
        yield from files or [entry]
    else:
        yield entry


def _own_names(start: Path, entry: str) -> Iterator[str]:
    """Yield the names that an entry stands for, if it takes in nothing that runs make.

    An entry that names a folder of runs itself may do so.
    """
    root = os.path.abspath(start)  # noqa: PTH100  links stay
    fixed = list(takewhile(lambda part: not set(part) & {*_WILDCARDS}, Path(entry).parts))
    place = os.path.abspath(declared_path(start, str(Path(*fixed))))  # noqa: PTH100
    whole = len(fixed) == len(Path(entry).parts) or Path(entry).parts[len(fixed)] == "**"
    if entry.strip() and whole and Path(root).is_relative_to(place):
        raise _takes_in(entry, "the folder in which runs are made")
    made = [Path(root, one) for one in _MADE]
    own = not any(Path(place).is_relative_to(one) for one in made)
    for name in _names(start, entry):
        path = Path(os.path.abspath(declared_path(start, name)))  # noqa: PTH100
        if own and any(path.is_relative_to(one) for one in made):
            raise _takes_in(entry, name)
        yield name


def _takes_in(entry: str, what: str) -> ConfigError:
    fix = "declare the folder of your own files: what runs make changes with each of them"
    return _refused(f"{entry!r}, which takes in {what}", fix)


def _refused(got: str, fix: str, where: str = _LISTS) -> ConfigError:
    return ConfigError("A declared file cannot be used.", where=where, got=got, fix=fix)
