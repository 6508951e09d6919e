"""Downloads that resume where they stopped and are verified before they are used."""

import fcntl
import http.client
import os
import re
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from io import BufferedWriter
from pathlib import Path

from cactus.data.files.checksums import file_digests, matches
from cactus.data.files.damage import is_html
from cactus.data.files.progress_lines import ProgressLines
from cactus.data.files.registry import OfficialFile
from cactus.errors import DataError, StorageError

_CHUNK_BYTES = 1 << 16
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")
_NETWORK = (
    urllib.error.URLError,
    http.client.HTTPException,
    ssl.SSLError,
    ConnectionError,
    TimeoutError,
)


@dataclass(frozen=True)
class Retry:
    """How broken transfers are retried: the number of attempts per mirror, the pause in seconds.

    A transfer counts as broken after `timeout` seconds of silence.
    """

    timeout: float
    attempts: int
    pause: float = 2.0


def download(file: OfficialFile, folder: Path, retry: Retry) -> Path:
    """Download an official file into `folder` from the first mirror that has it.

    The bytes are collected in `<name>.part`, from which a later call resumes. The file gets its
    name once its checksum matches the published one. A second process that wants the file waits
    for the first.

    Raises
    ------
    DataError
        No mirror provided the file.
    StorageError
        The file cannot be written.
    """
    target, part = folder / file.name, folder / f"{file.name}.part"
    failures = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(part):
            if target.is_file():
                return target
            for url in file.urls:
                problem = _fill(url, file, part, retry)
                if problem is None:
                    return part.replace(target)
                failures.append(f"{url}: {problem}")
    except OSError as error:
        raise StorageError(
            "A download cannot be written.",
            where=str(target),
            got=error.strerror or str(error),
            fix="free some space or make the folder writable, then run the same command again",
        ) from error
    raise DataError(
        f"The file {file.name} could not be downloaded.",
        where=str(target),
        got="; ".join(failures) or "no address",
        fix="run the same command again to resume the transfer; or put the file there by hand",
    )


@contextmanager
def _alone(part: Path) -> Iterator[None]:
    """Keep other processes from an unfinished download; remove it if it stays empty."""
    while True:
        with part.open("ab") as file:
            # Some file systems have no locks; a mixture of two transfers has another checksum.
            with suppress(OSError):
                fcntl.flock(file, fcntl.LOCK_EX)
            if not _is_at(part, file):  # the one before has finished
                continue
            try:
                yield
            finally:
                if _is_at(part, file) and not part.stat().st_size:
                    part.unlink()
            return


def _is_at(path: Path, file: BufferedWriter) -> bool:
    """Return whether an open file is the one at a path."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def _fill(url: str, file: OfficialFile, part: Path, retry: Retry) -> str | None:
    """Complete and verify `part` from one mirror; return why that failed, or None on success."""
    problem = "no attempt was made"
    for attempt in range(retry.attempts):
        if attempt:
            time.sleep(retry.pause)
        resumed = part.is_file() and part.stat().st_size > 0
        try:
            _transfer(url, part, retry.timeout)
        except urllib.error.HTTPError as error:
            problem = f"HTTP {error.code} {error.reason}"
            whole = error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and resumed
            if not whole and error.code < HTTPStatus.INTERNAL_SERVER_ERROR:
                return problem
        except _NETWORK as error:
            problem = str(error) or type(error).__name__
            whole = False
        else:
            whole = True
        if whole:
            if matches(file, *file_digests(part)):
                return None
            problem = "an HTML page" if is_html(part) else "a file with another checksum"
            os.truncate(part, 0)
            # The first bytes may be from an earlier, different file: then try again from the start.
            if not resumed:
                return problem
    return problem


def _transfer(url: str, part: Path, timeout: float) -> None:
    """Append what is missing to `part`, or rewrite it if the server sends the whole file."""
    start = part.stat().st_size if part.is_file() else 0
    headers = {"User-Agent": "cactus-pipeline", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    request = urllib.request.Request(url, headers=headers)
    with urllib.request.urlopen(request, timeout=timeout) as response:
        start, total = _extent(response, start)
        left = None if total is None else total - start
        progress = ProgressLines(f"downloading {url.rsplit('/', 1)[-1]}", left, "bytes")
        with part.open("ab" if start else "wb") as output:
            while chunk := _read(response):
                output.write(chunk)
                progress.advance(len(chunk))
            progress.finish()
            os.fsync(output.fileno())
    size = part.stat().st_size
    if total is not None and size < total:
        raise ConnectionError(f"the transfer ended after {size} of {total} bytes")


def _read(response: http.client.HTTPResponse) -> bytes:
    """Return the next bytes; an error of the network is told apart from one of the disk."""
    try:
        return response.read(_CHUNK_BYTES)
    except _NETWORK:
        raise
    except OSError as error:  # such as that there is no route to the host anymore
        raise ConnectionError(error.strerror or str(error)) from error


def _extent(response: http.client.HTTPResponse, start: int) -> tuple[int, int | None]:
    """Return the offset of the first byte sent and the size of the whole file, if stated."""
    if response.status == HTTPStatus.PARTIAL_CONTENT:
        match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if match is None or int(match[1]) != start:
            raise http.client.HTTPException("the server sent a different part than requested")
        return start, int(match[2])
    length = response.headers.get("Content-Length")
    return 0, int(length) if length is not None else None
