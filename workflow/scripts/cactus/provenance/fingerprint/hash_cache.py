"""Hashes of files, remembered as long as a file's size, times and inode stay the same."""

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
# Raised when what is remembered changes its form.
_FORM: Final = 2


@dataclass
class HashCache:
    """Remembered hashes of files and of sources.

    A file counts as unchanged while its size, time of modification, time of change of its inode
    and inode number are. The time of change cannot be set by a program, so setting back the time
    of modification does not hide an edit.

    Parameters
    ----------
    file
        Where hashes are kept; None keeps them in memory only.
    entries
        Hashes by absolute path and kind, with the state of the file.
    """

    file: Path | None
    entries: dict[str, Any] = field(default_factory=dict)
    _changed: bool = False

    @classmethod
    def load(cls, file: Path) -> Self:
        """Read the remembered hashes; a damaged file counts as empty, as it only saves time."""
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
            entries = content["entries"] if content["form"] == _FORM else {}
        except (OSError, ValueError, KeyError, TypeError):
            entries = {}
        return cls(file, entries if isinstance(entries, dict) else {})

    def save(self) -> None:
        """Write what was learned, leaving out files that are gone."""
        if self.file is None or not self._changed:
            return
        alive = {key: value for key, value in self.entries.items() if Path(value["path"]).exists()}
        write_text(self.file, json.dumps({"form": _FORM, "entries": alive}))
        self._changed = False

    def sha256(self, path: Path) -> str:
        """Return the sha256 of a file's content.

        Raises
        ------
        OSError
            The file cannot be read.
        """
        known, state = self._known(path, "sha256"), _state(path)
        return str(known) if known else str(self._learn(path, "sha256", state, file_hash(path)))

    def warm(self, paths: Iterable[Path]) -> None:
        """Hash the files that are not known yet, several at a time; missing ones are left out."""
        unknown = [path for path in dict.fromkeys(paths) if path.is_file()]
        unknown = [path for path in unknown if self._known(path, "sha256") is None]
        # A file's state is taken before it is read: what changes later is then read again.
        states = [_state(path) for path in unknown]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            digests = pool.map(file_hash, unknown)
            for path, state, digest in zip(unknown, states, digests, strict=True):
                self._learn(path, "sha256", state, digest)

    def source(self, path: Path, module: str) -> PythonSource:
        """Return the hash and the imports of a Python file.

        Raises
        ------
        OSError, SyntaxError, UnicodeDecodeError
            The file cannot be read as Python.
        """
        known = self._known(path, "source")
        if known is None:
            state = _state(path)
            source = read_source(path.read_text(encoding="utf-8"), module)
            known = self._learn(path, "source", state, [source.digest, source.imports])
        return PythonSource(known[0], tuple(known[1]))

    def _known(self, path: Path, kind: str) -> Any:
        entry = self.entries.get(f"{kind}:{path.absolute()}")
        return entry["value"] if entry and entry["state"] == _state(path) else None

    def _learn(self, path: Path, kind: str, state: list[int], value: Any) -> Any:
        place = path.absolute()
        entry = {"path": str(place), "state": state, "value": value}
        self.entries[f"{kind}:{place}"] = entry
        self._changed = True
        return value


def _state(path: Path) -> list[int]:
    status = path.stat()
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
