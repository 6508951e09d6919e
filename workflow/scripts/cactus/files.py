"""Files that are either complete or absent, and their hashes."""

import errno
import hashlib
import json
import math
import os
import re
import shutil
import stat
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import Any, Final

from cactus.errors import DataError, StorageError
from cactus.refusals import storage_error

# A disk with less free space counts as full.
_FULL_BYTES = 1 << 20
_LARGEST_TEXT: Final = 256 << 20
_LONGEST_INTEGER: Final = 40
_DEEPEST: Final = 100
_NESTING: Final = (dict, list)
_TOO_DEEP: Final = f"values are nested more than {_DEEPEST} deep"
_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")


@contextmanager
def atomic_path(path: Path, *, flush: bool = True) -> Iterator[Path]:
    """Yield a temporary file next to `path` that replaces it when the block succeeds.

    It has the suffix of `path`, because some libraries choose a format by it. The file is flushed
    to disk before the rename, and its folder after it, unless `flush` says that it may be lost in
    a crash. If the block fails, the file is removed.

    Raises
    ------
    StorageError
        The disk or quota is full, the folder is not writable, or the file is larger than
        allowed.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(
            dir=path.parent, prefix=f".{path.stem[:80]}.", suffix=path.suffix
        )
    except OSError as error:
        if refused := storage_error(error, str(path)):
            raise refused from error
        raise
    os.close(descriptor)
    temporary = Path(name)
    try:
        yield temporary
        if flush:
            _flush_to_disk(temporary)
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
        if flush:
            with suppress(OSError):  # some network file systems cannot flush a folder
                _flush_to_disk(path.parent)
    except Exception as error:
        if refused := _storage_error(error, path):
            raise refused from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def _flush_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def _storage_error(error: Exception, path: Path) -> StorageError | None:
    """Return the error for what the disk refused; None if the disk has nothing to do with it."""
    if isinstance(error, OSError) and error.errno is not None:
        return storage_error(error, str(path))
    # Libraries report a full disk in different ways; NumPy leaves out the error number.
    if shutil.disk_usage(path.parent).free < _FULL_BYTES:
        return storage_error(OSError(errno.ENOSPC, str(error)), str(path))
    return None


def write_text(path: Path, text: str | bytes) -> None:
    """Write `text` to `path`, as UTF-8 unless it is encoded already, atomically."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(text.encode() if isinstance(text, str) else text)


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON with sorted keys, atomically."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True) + "\n")


def open_regular(path: Path) -> BufferedReader:
    """Open a regular file to read bytes; a pipe or a device might block or never end.

    Raises
    ------
    OSError
        The file cannot be opened, or is of another type.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return os.fdopen(descriptor, "rb")


def read_text(path: Path) -> str:
    """Read a UTF-8 text of at most 256 MiB.

    Raises
    ------
    OSError, ValueError
        The file cannot be read, is too large, or is not UTF-8.
    """
    return read_bytes(path).decode("utf-8")


def read_bytes(path: Path) -> bytes:
    """Read a regular file of at most 256 MiB.

    Raises
    ------
    OSError, ValueError
        The file cannot be read, or is too large.
    """
    with open_regular(path) as file:
        content = file.read(_LARGEST_TEXT + 1)
    if len(content) > _LARGEST_TEXT:
        raise ValueError(f"it is larger than {_LARGEST_TEXT >> 20} MiB")
    return content


def parse_json(text: str) -> Any:
    """Parse JSON as the standard has it, without what Python's parser adds or lets through.

    Raises
    ------
    ValueError
        It is not JSON; a number is NaN, infinite or an integer of more than 40 digits; a key
        occurs twice; a text is not Unicode; or values are nested more than 100 deep.
    """
    try:
        value = json.loads(
            text,
            parse_constant=_finite,
            parse_float=_finite,
            parse_int=_short,
            object_pairs_hook=_without_repeats,
        )
    except RecursionError as error:
        raise ValueError(_TOO_DEEP) from error
    if _SURROGATE.search(text):  # half of a pair, unless the other half is there too
        json.dumps(value, ensure_ascii=False).encode()
    if _is_too_deep(value):
        raise ValueError(_TOO_DEEP)
    return value


def _is_too_deep(value: Any) -> bool:
    level: list[Any] = [[value]]
    for _ in range(_DEEPEST + 1):
        inside = (one.values() if isinstance(one, dict) else one for one in level)
        level = [one for parts in inside for one in parts if isinstance(one, _NESTING)]
        if not level:
            return False
    return True


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is not a finite number")
    return value


def _short(text: str) -> int:
    if len(text) > _LONGEST_INTEGER:
        raise ValueError(f"an integer of {len(text):,} digits")
    return int(text)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        (name, count), *_ = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"the key {name!r} occurs {count} times")
    return found


def read_json(path: Path) -> Any:
    """Read a JSON file, as strictly as `parse_json`.

    Raises
    ------
    DataError
        The file is missing or is not valid JSON.
    """
    try:
        return parse_json(read_text(path))
    except (OSError, ValueError) as error:
        raise unreadable("A JSON file cannot be read.", path, error) from error


def read_manifest(path: Path, /, **expected: Any) -> dict[str, Any]:
    """Read the JSON object that describes the files beside it, and check some of its entries.

    Raises
    ------
    DataError
        The file is missing or damaged, or an entry is not the expected one.
    """
    content = read_json(path)
    found = content if isinstance(content, dict) else {}
    for name, value in expected.items():
        if found.get(name) != value:
            raise DataError(
                "A manifest describes something else than what is read here.",
                where=f"{path}: {name}",
                got=f"{found.get(name, 'no such entry')}, expected {value}",
                fix="delete the folder and run the same command again to recreate it",
            )
    return found


def unreadable(what: str, path: Path, error: Exception) -> DataError:
    """Return the error about a file that cannot be read and that a job makes again."""
    fix = "delete the file and run the same command again to recreate it"
    return DataError(what, where=str(path), got=str(error), fix=fix)


def file_hash(path: Path) -> str:
    """Return the hexadecimal sha256 of a file, which is read in chunks."""
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
