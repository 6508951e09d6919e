"""Files that are either complete or absent, and their hashes."""

import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cactus.errors import DataError, StorageError

# A disk with less free space counts as full.
_FULL_BYTES = 1 << 20


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary file next to `path` that replaces it when the block succeeds.

    It has the suffix of `path`, because some libraries choose a format by it. The file is flushed
    to disk before the rename, and its folder after it. If the block fails, the file is removed.

    Raises
    ------
    StorageError
        The disk or quota is full, or the folder is not writable.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(
            dir=path.parent, prefix=f".{path.stem[:80]}.", suffix=path.suffix
        )
    except OSError as error:
        if _is_refusal(error):
            raise _storage_error(error, path) from error
        raise
    os.close(descriptor)
    temporary = Path(name)
    try:
        yield temporary
        _flush_to_disk(temporary)
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
        with suppress(OSError):  # some network file systems cannot flush a folder
            _flush_to_disk(path.parent)
    except Exception as error:
        # Libraries report a full disk in different ways; NumPy leaves out the error number.
        if _is_refusal(error) or shutil.disk_usage(path.parent).free < _FULL_BYTES:
            raise _storage_error(error, path) from error
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


def _is_refusal(error: Exception) -> bool:
    refusals = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS)
    return isinstance(error, OSError) and error.errno in refusals


def _storage_error(error: Exception, path: Path) -> StorageError:
    if isinstance(error, OSError) and error.errno in (errno.EACCES, errno.EROFS):
        fix = "check that the folder exists and that you can write to it"
        return StorageError("A result cannot be written.", where=str(path), got=str(error), fix=fix)
    return disk_full(error, str(path))


def disk_full(error: Exception, where: str) -> StorageError:
    """Return the error for a full disk or quota."""
    fix = "free some space and run the same command again; finished results are kept"
    return StorageError("The disk is full.", where=where, got=str(error), fix=fix)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` as UTF-8, atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON with sorted keys, atomically."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises
    ------
    DataError
        The file is missing or is not valid JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _unreadable("A JSON file cannot be read.", path, error) from error


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


def write_array(path: Path, array: npt.NDArray[Any]) -> None:
    """Write `array` as `.npy` without pickles, atomically."""
    with atomic_path(path) as temporary:
        np.save(temporary, array, allow_pickle=False)


def read_array(path: Path, *, mmap: bool = False) -> npt.NDArray[Any]:
    """Read a `.npy` file without pickles; with `mmap`, map it into memory, read-only.

    Raises
    ------
    DataError
        The file is missing or damaged, or it contains Python objects.
    """
    try:
        array: npt.NDArray[Any] = np.load(path, mmap_mode="r" if mmap else None, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise _unreadable("An array cannot be read.", path, error) from error
    return array


def _unreadable(what: str, path: Path, error: Exception) -> DataError:
    fix = "delete the file and run the same command again to recreate it"
    return DataError(what, where=str(path), got=str(error), fix=fix)


def file_hash(path: Path) -> str:
    """Return the hexadecimal sha256 of a file, which is read in chunks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
