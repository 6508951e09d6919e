"""Tar archives, compressed or not, read in one pass."""

import bz2
import gzip
import lzma
import tarfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NoReturn, cast

from cactus.data.files.containers import Container
from cactus.data.files.damage import damage_reported, damaged
from cactus.data.files.members import Listing, check_path, unsafe

_TAR_BLOCK = 512
COMPRESSED: tuple[tuple[bytes, Callable[[Path], IO[bytes]]], ...] = (
    (b"\x1f\x8b", lambda path: cast(IO[bytes], gzip.GzipFile(path))),
    (b"BZh", lambda path: cast(IO[bytes], bz2.BZ2File(path))),
    (b"\xfd7zXZ", lambda path: cast(IO[bytes], lzma.LZMAFile(path))),  # noqa: SIM115
)
# Headers that hold the long name or the attributes of the next member; tarfile reads them whole.
_EXTENSIONS = (
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
)
_MAX_EXTENSION = 1 << 20


class _UnsafeError(Exception):
    """A header that is refused before tarfile acts on it."""


class _CheckedInfo(tarfile.TarInfo):
    """A header that is checked as soon as it is read, before what belongs to it is."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "_CheckedInfo":
        """Parse a header; tarfile would take a damaged one for the end of the archive."""
        try:
            info = super().frombuf(buf, encoding, errors)
        except (tarfile.InvalidHeaderError, tarfile.TruncatedHeaderError) as error:  # type: ignore[attr-defined]
            raise tarfile.ReadError(str(error)) from error
        if info.size < 0 or (info.type in _EXTENSIONS and info.size > _MAX_EXTENSION):
            raise _UnsafeError(f"a header of {info.size} bytes")
        if info.type == tarfile.GNUTYPE_SPARSE:
            info._refuse_sparse()
        return info

    def _refuse_sparse(self, *_args: Any) -> NoReturn:
        raise _UnsafeError("a sparse file, whose gaps were left out (`tar --sparse`)")

    # What tarfile calls for the three newer formats of sparse files.
    _proc_gnusparse_00 = _proc_gnusparse_01 = _proc_gnusparse_10 = _refuse_sparse


class TarArchive(Container):
    """A tar archive, compressed or not; every read is one pass through the archive.

    Raises
    ------
    DataError
        The archive is damaged, unsafe or too large.
    """

    sequential = True

    def __init__(self, path: Path, max_bytes: int) -> None:
        self.path = path
        # The size is checked while listing, because skipping a member decompresses it.
        listing = Listing(path, max_bytes)
        for info, _ in self._scan():
            listing.add(info.name, info.size)
        self.members = listing.members

    def read(self, names: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """Yield names and contents in the order of the archive."""
        wanted = set(names)
        for info, file in self._scan():
            if info.name in wanted:
                wanted.remove(info.name)
                with damage_reported(self.path):
                    content = file.read()
                yield info.name, content
                if not wanted:
                    return

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Open one file."""
        for info, file in self._scan():
            if info.name == name:
                with damage_reported(self.path):
                    yield file
                return

    def _scan(self) -> Iterator[tuple[tarfile.TarInfo, IO[bytes]]]:
        """Yield the plain files of the archive in one pass."""
        with self._opened() as archive:
            while info := self._next(archive):
                if info.isdir():
                    check_path(self.path, info.name)
                    continue
                if not info.isreg():
                    raise unsafe(self.path, f"'{info.name}' is a link or a device")
                if info.size < 0:
                    raise unsafe(self.path, f"'{info.name}' has {info.size} bytes")
                yield info, cast(IO[bytes], archive.extractfile(info))

    def _next(self, archive: tarfile.TarFile) -> tarfile.TarInfo | None:
        try:
            with damage_reported(self.path, headers=True):
                info = archive.next()
        except _UnsafeError as error:
            raise unsafe(self.path, str(error)) from error
        # tarfile keeps every header; an archive of nothing but headers would fill the memory.
        archive.members = []  # type: ignore[attr-defined]
        return info

    @contextmanager
    def _opened(self) -> Iterator[tarfile.TarFile]:
        """Open as a stream; unlike tarfile's own, these decompressors notice truncated files."""
        with damage_reported(self.path), self.path.open("rb") as file:
            head = file.read(8)
        opener = next((opener for magic, opener in COMPRESSED if head.startswith(magic)), None)
        if opener is None:
            self._check_end()
        with (
            opener(self.path) if opener else self.path.open("rb") as stream,
            self._archive(stream) as archive,
        ):
            yield archive

    def _archive(self, stream: IO[bytes]) -> tarfile.TarFile:
        try:
            with damage_reported(self.path, headers=True):
                return tarfile.open(fileobj=stream, mode="r|", tarinfo=_CheckedInfo)
        except _UnsafeError as error:
            raise unsafe(self.path, str(error)) from error

    def _check_end(self) -> None:
        """Check that an uncompressed archive ends with a block of zeros."""
        with damage_reported(self.path), self.path.open("rb") as file:
            file.seek(max(0, self.path.stat().st_size - _TAR_BLOCK))
            if any(file.read()):
                raise damaged(self.path, "a tar archive without its final block")
