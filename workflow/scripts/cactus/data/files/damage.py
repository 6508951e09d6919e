"""Errors for raw files that are damaged or are not what their names say."""

import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cactus.errors import DataError

_HEAD_BYTES = 512
_HTML = re.compile(
    rb"\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?<(!doctype html|html|head)\b",
    re.IGNORECASE | re.DOTALL,
)
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


def is_html(path: Path) -> bool:
    """Return whether a file begins like an HTML page."""
    with path.open("rb") as file:
        return _HTML.match(file.read(_HEAD_BYTES).removeprefix(b"\xef\xbb\xbf")) is not None


def refuse_html(path: Path) -> None:
    """Raise if a data file is really a web page.

    Raises
    ------
    DataError
        The file is an HTML page.
    """
    if is_html(path):
        raise DataError(
            "A raw file is a web page, not data.",
            where=str(path),
            got="HTML, as sent for a quota, login or error page",
            fix="delete it and download the file again; open the page in a browser to see why",
        )


def damaged(path: Path, got: str) -> DataError:
    """Return the error for a file that is truncated or altered."""
    return DataError(
        "A raw file is damaged or incomplete.",
        where=str(path),
        got=got,
        fix="delete it and get it again",
    )


@contextmanager
def damage_reported(path: Path) -> Iterator[None]:
    """Turn errors from reading a damaged file into a `DataError` that names it."""
    try:
        yield
    except _DAMAGE as error:
        raise damaged(path, f"{type(error).__name__}: {error}") from error
