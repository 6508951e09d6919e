"""A cache of file hashes, valid while a file's size, times and inode stay the same."""

import json
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from cactus.files import file_hash, write_text
from cactus.provenance.fingerprint.source_hash import PythonSource, read_source

HASHES_FILE: Final = "hashes.json"
# Increase this when the format of the file changes.
_FORMAT: Final = 3


@dataclass
class HashCache:
    """Caches the hashes of files and of Python sources.

    A file counts as unchanged while its size, modification time, change time (ctime) and inode
    number stay the same. Programs cannot set the ctime, so setting the modification time back does
    not hide an edit.

    Parameters
    ----------
    file
        Where to save the hashes; None keeps them in memory only.
    entries
        Hashes by kind and absolute path, each with the state of the file.
    """

    file: Path | None
    entries: dict[str, Any] = field(default_factory=dict)
    _changed: bool = False

    @classmethod
    def load(cls, file: Path) -> Self:
        """Read a saved cache; a damaged file counts as empty, since a cache only saves time."""
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
            entries = content["entries"] if content["form"] == _FORMAT else {}
        except (OSError, ValueError, KeyError, TypeError):
            entries = {}
        return cls(file, entries if isinstance(entries, dict) else {})

    def save(self) -> None:
        """Save the cache if it has changed, without the files that no longer exist."""
        if self.file is None or not self._changed:
            return
        kept = {key: entry for key, entry in self.entries.items() if Path(entry["path"]).exists()}
        write_text(self.file, json.dumps({"form": _FORMAT, "entries": kept}))
        self._changed = False

    def sha256(self, path: Path) -> str:
        """Return the sha256 of a file's content.

        Raises
        ------
        OSError
            The file cannot be read.
        """
        cached, state = self._get(path, "sha256"), _state(path)
        return str(cached or self._put(path, "sha256", state, file_hash(path)))

    def warm(self, paths: Iterable[Path]) -> None:
        """Hash the files that are not cached yet, in parallel; skip missing ones."""
        unknown = [path for path in dict.fromkeys(paths) if path.is_file()]
        unknown = [path for path in unknown if self._get(path, "sha256") is None]
        # Take the states before reading: a file that changes meanwhile is then hashed again.
        states = [_state(path) for path in unknown]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            digests = pool.map(file_hash, unknown)
            for path, state, digest in zip(unknown, states, digests, strict=True):
                self._put(path, "sha256", state, digest)

    def source(self, path: Path, module: str) -> PythonSource:
        """Return the hash and the imports of a Python file.

        Raises
        ------
        OSError, SyntaxError, UnicodeDecodeError
            The file cannot be read as Python.
        """
        cached = self._get(path, "source")
        if cached is None:
            state = _state(path)
            source = read_source(path.read_text(encoding="utf-8"), module)
            cached = self._put(path, "source", state, [source.digest, source.imports])
        return PythonSource(cached[0], tuple(cached[1]))

    def _get(self, path: Path, kind: str) -> Any:
        entry = self.entries.get(f"{kind}:{path.absolute()}")
        return entry["value"] if entry and entry["state"] == _state(path) else None

    def _put(self, path: Path, kind: str, state: list[int], value: Any) -> Any:
        absolute = str(path.absolute())
        self.entries[f"{kind}:{absolute}"] = {"path": absolute, "state": state, "value": value}
        self._changed = True
        return value


def _state(path: Path) -> list[int]:
    status = path.stat()
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
