"""A cache of file hashes, valid while a file's size, times and inode stay the same."""

import json
import logging
import os
import stat
import sys
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, Self, TypeVar

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from cactus.errors import StorageError
from cactus.files import file_hash, read_bytes, write_text
from cactus.provenance.fingerprint.known_sources import KnownSources
from cactus.provenance.fingerprint.source_hash import PythonSource
from cactus.provenance.records.reasons import ABSENT, UNREADABLE, is_absent
from cactus.provenance.records.values import Sha256

HASHES_FILE: Final = "hashes.json"
# The hash of a source is the same in all versions of Python that are tested, but a later one may
# parse it otherwise.
_SOURCE: Final = f"source {sys.version_info.major}.{sys.version_info.minor}"


_State = tuple[int, int, int, int]
_Value = TypeVar("_Value", str, tuple[str, list[str]])


class _Entry(TypedDict):
    """The hash of a file, or the hash and the imports of a source, in one state of the file."""

    path: str
    state: _State
    value: Sha256 | tuple[Sha256, list[str]]


class _Saved(TypedDict):
    """What is saved.

    Increase `form` when this changes, or how sources are hashed.
    """

    form: Literal[6]
    entries: dict[str, _Entry]


_SAVED: Final = TypeAdapter(_Saved)


@dataclass
class HashCache:
    """Caches the hashes of files and of Python sources.

    A file counts as unchanged while its size, modification time, change time (ctime) and inode
    number stay the same. Programs cannot set the ctime, so setting the modification time back does
    not hide an edit.

    A saved cache is believed: whoever writes a false hash into it, with the state of the file,
    deceives its readers. What must not be deceived starts with an empty cache.

    Parameters
    ----------
    file
        Where to save the hashes; None keeps them in memory only.
    entries
        Hashes by kind and absolute path, each with the state of the file.
    sources
        What texts of Python tell, by their content alone.
    """

    file: Path | None
    entries: dict[str, _Entry] = field(default_factory=dict)
    _changed: bool = False
    sources: KnownSources = field(default_factory=KnownSources)

    @classmethod
    def load(cls, file: Path) -> Self:
        """Read a saved cache; a damaged file counts as empty, since a cache only saves time."""
        try:
            return cls(file, _SAVED.validate_json(read_bytes(file))["entries"])
        except (OSError, ValueError):
            return cls(file)

    def save(self) -> None:
        """Save the cache if it has changed, without the files that no longer exist.

        A cache that cannot be saved, such as that of a run to which nobody may write, is skipped.
        """
        self.sources.save()
        if self.file is None or not self._changed:
            return
        kept = {key: entry for key, entry in self.entries.items() if os.path.lexists(entry["path"])}
        try:
            write_text(self.file, json.dumps(_Saved(form=6, entries=kept)))
        except (StorageError, OSError) as error:
            logging.getLogger(__name__).debug("the hashes are not saved: %s", error)
        self._changed = False

    def state(self, path: Path | str, size: int | None = None) -> str:
        """Return the sha256 of a file's content, `ABSENT`, or why it cannot be read.

        Of a file with another `size` than the expected one, return its size: it is not hashed.
        """
        try:
            found = os.stat(path)  # noqa: PTH116
            if size not in (None, found.st_size) and stat.S_ISREG(found.st_mode):
                return f"{found.st_size} bytes"
            cached = self._get(_absolute(path), "sha256", _state_of(found))
            return cached if isinstance(cached, str) else self.sha256(path)
        except OSError as error:
            return ABSENT if is_absent(error) else f"{UNREADABLE} ({error.strerror})"

    def sha256(self, path: Path | str) -> str:
        """Return the sha256 of a file's content.

        Of many files, ask by strings: each is looked up in half the time.

        Raises
        ------
        OSError
            The file cannot be read.
        """
        # The state comes first: a file that changes while it is read is then hashed again.
        name, state = _absolute(path), _state(path)
        cached = self._get(name, "sha256", state)
        if isinstance(cached, str):
            return cached
        return self._put(name, "sha256", state, file_hash(Path(path)))

    def warm(self, paths: Iterable[Path | str]) -> None:
        """Hash the files that are not cached yet, in parallel; skip those that cannot be read.

        As Python exits, do nothing: who asks for a hash then waits for it.
        """

        def hash_next(waiting: Iterator[Path | str]) -> None:
            for path in waiting:
                with suppress(OSError):  # whoever asks for its hash gets the error
                    self.sha256(path)

        unknown = [path for path in dict.fromkeys(paths) if not self._knows(path)]
        # Python starts no more threads as it exits, when a dry run says what it would reuse.
        if unknown and threading.main_thread().is_alive():
            threads, waiting = os.cpu_count() or 1, iter(unknown)  # each takes the next from it
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(hash_next, [waiting] * threads))

    def source(self, path: Path, module: str) -> PythonSource:
        """Return the hash and the imports of a Python file.

        Raises
        ------
        OSError, SyntaxError, UnicodeDecodeError
            The file cannot be read as Python.
        """
        name, state = _absolute(path), _state(path)
        cached = self._get(name, _SOURCE, state)
        if cached is None or isinstance(cached, str):
            source = self.sources.read(read_bytes(path), module)
            cached = self._put(name, _SOURCE, state, (source.digest, list(source.imports)))
        return PythonSource(cached[0], tuple(cached[1]))

    def text_digest(self, content: bytes) -> str:
        """Return the source hash of a text of Python, which may be that of a file that was read.

        Raises
        ------
        SyntaxError, UnicodeDecodeError
            It is not Python.
        """
        return self.sources.read(content, "").digest

    def _knows(self, path: Path | str) -> bool:
        """Return whether the sha256 of a file is cached; also if the file cannot be read."""
        try:
            return self._get(_absolute(path), "sha256", _state(path)) is not None
        except OSError:
            return True

    def _get(self, path: str, kind: str, state: _State) -> str | tuple[str, list[str]] | None:
        entry = self.entries.get(f"{kind}:{path}")
        return entry["value"] if entry and entry["state"] == state else None

    def _put(self, path: str, kind: str, state: _State, value: _Value) -> _Value:
        self.entries[f"{kind}:{path}"] = {"path": path, "state": state, "value": value}
        self._changed = True
        return value


def _absolute(path: Path | str) -> str:
    # As `Path.absolute`, which takes ten times as long.
    name = os.fspath(path)
    return name if name[:1] == "/" else os.path.join(os.getcwd(), name)  # noqa: PTH109, PTH118


def _state(path: Path | str) -> _State:
    return _state_of(os.stat(path))  # noqa: PTH116


def _state_of(status: os.stat_result) -> _State:
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino
