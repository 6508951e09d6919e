"""What was found in texts of Python, by their content, kept beside Python's own bytecode.

Parsing all sources takes a quarter of an audit of a small run. What a text tells depends on nothing
but the text. So this file is as good as the bytecode beside it: who can write it can write the code
that reads it.
"""

import hashlib
import importlib.util
import json
import logging
import sys
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter

from cactus.errors import DataError, StorageError
from cactus.files import read_bytes, read_json, write_text
from cactus.provenance.fingerprint import source_hash
from cactus.provenance.fingerprint.source_hash import PythonSource, read_source
from cactus.provenance.records.values import Sha256, checked

_Entries = dict[str, tuple[Sha256, tuple[str, ...]]]
_ENTRIES: Final = TypeAdapter(_Entries)
_MOST: Final = 4000  # texts; of more, those of the last process are kept


def beside_the_code() -> Path:
    """Return the file beside the bytecode of this package."""
    return Path(importlib.util.cache_from_source(__file__)).with_suffix(".json")


@dataclass
class KnownSources:
    """Reads texts of Python, each once.

    Parameters
    ----------
    file
        Where they are kept for other processes.
    """

    file: Path = field(default_factory=beside_the_code)
    _used: _Entries = field(default_factory=dict, init=False)

    def read(self, content: bytes, module: str) -> PythonSource:
        """Return the hash and the imports of a text, see `source_hash.read_source`.

        Raises
        ------
        SyntaxError, UnicodeDecodeError
            It is not Python.
        """
        key = f"{hashlib.sha256(content).hexdigest()} {module}"
        entry = self._used.get(key) or self._kept.get(key)
        if entry is None:
            source = read_source(content, module)
            entry = source.digest, source.imports
        self._used[key] = entry
        return PythonSource(*entry)

    def save(self) -> None:
        """Keep what was read, unless Python keeps no bytecode; one who may not write keeps none."""
        if sys.dont_write_bytecode or not self._used or self._used.keys() <= self._kept.keys():
            return
        entries = {**self._kept, **self._used}
        try:
            content = {
                "form": self._form,
                "entries": entries if len(entries) <= _MOST else self._used,
            }
            write_text(self.file, json.dumps(content))
        except (StorageError, OSError) as error:
            logging.getLogger(__name__).debug("what sources tell is not kept: %s", error)

    @cached_property
    def _form(self) -> str:
        """What the entries were made by: this Python, whose parser may differ, and this code."""
        code = hashlib.sha256(read_bytes(Path(source_hash.__file__))).hexdigest()
        return f"{sys.version} {code}"

    @cached_property
    def _kept(self) -> _Entries:
        try:
            content: dict[str, Any] = read_json(self.file)
            entries = content["entries"] if content["form"] == self._form else {}
            found: _Entries = checked(_ENTRIES, entries)
        except (DataError, OSError, ValueError, KeyError, TypeError):
            return {}  # a damaged file counts as empty, since it only saves time
        return found
