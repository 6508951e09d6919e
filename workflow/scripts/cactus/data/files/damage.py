"""Errors for raw files that are damaged or are not what their names say."""

import errno
import io
import lzma
import re
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from cactus.errors import DataError

HEAD_BYTES = 512
_HTML = re.compile(
    rb"\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?<(!doctype html|html|head|error)\b",
    re.IGNORECASE | re.DOTALL,
)
# The first line of a pointer; the second address is the one of Git LFS before its release.
_LFS = (b"version https://git-lfs.github.com/spec/", b"version https://hawser.github.com/spec/")
_PACKED = {
    b"Rar!\x1a\x07": "a RAR archive",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive",
    b"\x28\xb5\x2f\xfd": "compressed by Zstandard",
    b"\x04\x22\x4d\x18": "compressed by LZ4",
    b"\x1f\x9d": "compressed by compress",
    b"LZIP": "compressed by lzip",
}
# Formats in which no list, idx file or pickle comes, though kits write them under such names.
_OTHER_FORMATS = {
    b"PK\x03\x04": "a zip archive, as torch.save, Excel and np.savez write",
    b"BZh": "compressed by bzip2",
    b"\xfd7zXZ\0": "compressed by xz",
    b"\x93NUMPY": "a NumPy array",
    b"\x89HDF": "HDF5",
    b"PAR1": "Parquet",
    b"MATLAB": "a MATLAB file",
    b"SQLite format 3": "an SQLite database",
    b"\x80\x02\x8a\x0al\xfc\x9cF\xf9": "what torch.save wrote before version 1.6",
}
# What the readers of compressed files and archives raise on truncated or altered bytes.
# RuntimeError includes NotImplementedError: encryption and compression that zipfile lacks.
_DAMAGE = (
    EOFError,
    OSError,
    RuntimeError,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
)
# What they raise besides on headers that make no sense.
_NONSENSE = (ArithmeticError, LookupError, ValueError, struct.error)
# Errors of the system that a look at the file does not explain: it lacks memory or handles.
_SHORT_OF = (errno.ENOMEM, errno.EMFILE, errno.ENFILE)


def is_html(path: Path) -> bool:
    """Return whether a file begins like a web page, or like an error that a server sent."""
    return _html(_head(path))


def lfs_pointer(head: bytes) -> bool:
    """Return whether a file that begins with these bytes is a pointer of Git LFS."""
    return head.lstrip().startswith(_LFS)


def impostor(head: bytes, where: str) -> DataError | None:
    """Return the error for a file that is not what any data set has; None if it may be.

    Parameters
    ----------
    head
        The first `HEAD_BYTES` bytes of the file.
    where
        The file.
    """
    if _html(head):
        return DataError(
            "A raw file is a web page, not data.",
            where=where,
            got="HTML, as sent for a quota, login or error page",
            fix="delete it and download the file again; open the page in a browser to see why",
        )
    if lfs_pointer(head):
        return DataError(
            "A raw file is a pointer of Git LFS, not the data.",
            where=where,
            got=" ".join(head.decode(errors="replace").split())[:200],
            fix="run `git lfs pull` in the repository that it comes from and copy the file again; "
            "an archive that GitHub packs holds only pointers",
        )
    packed = next((kind for magic, kind in _PACKED.items() if head.startswith(magic)), None)
    if packed is not None:
        return DataError(
            "A raw file is packed in a way that is not read here.",
            where=where,
            got=f"a file that is {packed}",
            fix="unpack it, e.g. with `7z x` or `unzstd`, and put what was in it into the folder "
            "in its place; or pack that as .zip or .tar.gz",
        )
    return None


def other_format(head: bytes, where: str) -> DataError | None:
    """Return the error for what begins like no list, idx file or pickle; None if it may be one."""
    found = next((kind for magic, kind in _OTHER_FORMATS.items() if head.startswith(magic)), None)
    if found is None:
        return impostor(head, where)
    return DataError(
        "A raw file is in another format than its name says.",
        where=where,
        got=found,
        fix="unpack it, or save what it holds in a form that docs/data.md names",
    )


def refuse_impostor(path: Path) -> None:
    """Raise if a data file is really a web page, a pointer, or packed in an unknown way.

    Raises
    ------
    DataError
        It is, or the file cannot be read.
    """
    with damage_reported(path):
        error = impostor(_head(path), str(path))
    if error is not None:
        raise error


def damaged(path: Path, got: str) -> DataError:
    """Return the error for a file that is truncated or altered, or for what it is instead."""
    if not Path(path).is_file():  # a member of an archive
        return _damaged(path, got)
    return impostor(_head(path), str(path)) or _damaged(path, got)


def _damaged(path: Path, got: str) -> DataError:
    return DataError(
        "A raw file is damaged or incomplete.",
        where=str(path),
        got=got or "unreadable bytes",
        fix="delete it and get it again",
    )


@contextmanager
def damage_reported(path: Path, *, headers: bool = False) -> Iterator[None]:
    """Turn errors from reading a file into a `DataError` that names it.

    Parameters
    ----------
    path
        The file, or the archive that holds it.
    headers
        Whether the block does nothing but read headers by a library, so that errors of values,
        which else would be mistakes of ours, come from them.
    """
    try:
        yield
    except _DAMAGE as error:
        if not isinstance(error, OSError) or error.errno in (None, errno.EINVAL):
            raise damaged(path, f"{type(error).__name__}: {error}") from error
        if error.errno in _SHORT_OF:
            raise
        raise _unreadable(path, error) from error
    except _NONSENSE as error:
        if not headers:
            raise
        raise damaged(path, f"{type(error).__name__}: {error}") from error


class ReportingStream(io.RawIOBase):
    """A stream whose errors while reading are those of a damaged file; see `damage_reported`.

    Parameters
    ----------
    stream
        The stream to read from.
    path
        The file, or the archive that holds it.
    """

    def __init__(self, stream: IO[bytes], path: Path) -> None:
        self._stream, self._path = cast(Any, stream), path

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer and return the number of bytes."""
        with damage_reported(self._path, headers=True):
            count: int = self._stream.readinto(buffer)
        return count


def _unreadable(path: Path, error: OSError) -> DataError:
    return DataError(
        "A raw file or folder cannot be read.",
        where=str(error.filename or path),
        got=error.strerror or type(error).__name__,
        fix="give yourself the right to read it (`chmod u+r` for a file, `chmod u+rx` for a "
        "folder), ask its owner for it, or check the disk that it is on",
    )


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


def _html(head: bytes) -> bool:
    return _HTML.match(head.removeprefix(b"\xef\xbb\xbf")) is not None
