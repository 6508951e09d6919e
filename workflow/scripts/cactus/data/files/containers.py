"""Folders and archives of raw files, read without unpacking them to disk."""

import bz2
import gzip
import lzma
import os
import re
import stat
import tarfile
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from cactus.data.files.damage import damage_reported, damaged, refuse_html
from cactus.errors import DataError

_ARCHIVE = re.compile(r"\.(zip|tar|tgz|tbz2|txz|tar\.(gz|bz2|xz))$", re.IGNORECASE)
_PLAIN_TAR = re.compile(r"\.tar$", re.IGNORECASE)
_DRIVE = re.compile(r"[A-Za-z]:")
_ENCRYPTED = 0x1
_TAR_BLOCK = 512
_COMPRESSED: tuple[tuple[bytes, Callable[[Path], IO[bytes]]], ...] = (
    (b"\x1f\x8b", lambda path: cast(IO[bytes], gzip.GzipFile(path))),
    (b"BZh", lambda path: cast(IO[bytes], bz2.BZ2File(path))),
    (b"\xfd7zXZ", lambda path: cast(IO[bytes], lzma.LZMAFile(path))),  # noqa: SIM115
)


@dataclass(frozen=True, slots=True)
class Member:
    """A file in a container: its path there, with slashes, and its size in bytes."""

    name: str
    size: int


class Container(ABC):
    """A folder or an archive that holds raw files, its members in any order."""

    path: Path
    members: list[Member]

    @abstractmethod
    def read(self, names: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """Yield names and contents, in the order that is fastest to read."""

    @abstractmethod
    def open(self, name: str) -> AbstractContextManager[IO[bytes]]:
        """Open one file for sequential reading."""

    def close(self) -> None:  # noqa: B027
        """Close open files; a container that opens its files one by one has none."""


def is_archive(name: str) -> bool:
    """Return whether a file has the name of an archive."""
    return _ARCHIVE.search(name) is not None


def open_archive(path: Path, max_bytes: int) -> Container:
    """Open an archive and check that its members are plain files of limited size.

    Raises
    ------
    DataError
        The archive is damaged, is a web page, or holds links, devices, paths that leave it, or
        more than `max_bytes` bytes.
    """
    refuse_html(path)
    container: Container = (
        ZipArchive(path) if path.suffix.lower() == ".zip" else TarArchive(path, max_bytes)
    )
    _check_size(path, sum(member.size for member in container.members), max_bytes)
    return container


class Folder(Container):
    """The plain files below a folder, without hidden files and archives."""

    def __init__(self, path: Path) -> None:
        self.path = path
        names = list(_walk(path))
        self.archives = sorted(path / name for name in names if is_archive(name))
        self.members = [
            Member(name, (path / name).stat().st_size) for name in names if not is_archive(name)
        ]

    def read(self, names: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """Yield names and contents in the given order."""
        for name in names:
            with damage_reported(self.path / name):
                content = (self.path / name).read_bytes()
            yield name, content

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Open one file."""
        with damage_reported(self.path / name), (self.path / name).open("rb") as file:
            yield file


class ZipArchive(Container):
    """A zip archive; members are read one by one in place."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with damage_reported(path):
            self._archive = zipfile.ZipFile(path)
        self.members = list(self._list())

    def _list(self) -> Iterator[Member]:
        """Yield the members, checked."""
        for info in self._archive.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise _unsafe(self.path, f"'{info.filename}' is a link or a device")
            if info.flag_bits & _ENCRYPTED:
                raise damaged(self.path, f"'{info.filename}' is encrypted")
            _check_path(self.path, info.filename)
            if not info.is_dir():
                yield Member(info.filename, info.file_size)

    def read(self, names: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """Yield names and contents in the given order; checksums are verified."""
        for name in names:
            with damage_reported(self.path), self._archive.open(name) as file:
                # Reading the declared size limits what a false header can unpack to.
                content = file.read(self._archive.getinfo(name).file_size)
            yield name, content

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Open one file."""
        with damage_reported(self.path), self._archive.open(name) as file:
            yield file

    def close(self) -> None:
        """Close the archive."""
        self._archive.close()


class TarArchive(Container):
    """A tar archive, compressed or not; every read is one pass through the archive."""

    def __init__(self, path: Path, max_bytes: int) -> None:
        self.path = path
        self.members = []
        total = 0
        # The size is checked while listing, because skipping a member decompresses it.
        for info, _ in self._scan():
            total += info.size
            _check_size(path, total, max_bytes)
            self.members.append(Member(info.name, info.size))

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
        if _PLAIN_TAR.search(self.path.name):
            self._check_end()
        with self._opened() as archive:
            while info := self._next(archive):
                _check_path(self.path, info.name)
                if info.isdir():
                    continue
                file = archive.extractfile(info) if info.isreg() else None
                if file is None:
                    raise _unsafe(self.path, f"'{info.name}' is a link or a device")
                yield info, file

    def _next(self, archive: tarfile.TarFile) -> tarfile.TarInfo | None:
        with damage_reported(self.path):
            return archive.next()

    @contextmanager
    def _opened(self) -> Iterator[tarfile.TarFile]:
        """Open as a stream; unlike tarfile's own, these decompressors notice truncated files."""
        with self.path.open("rb") as file:
            head = file.read(8)
        opener = next((opener for magic, opener in _COMPRESSED if head.startswith(magic)), None)
        with opener(self.path) if opener else self.path.open("rb") as stream:
            with damage_reported(self.path):
                archive = tarfile.open(fileobj=stream, mode="r|")  # noqa: SIM115
            with archive:
                yield archive

    def _check_end(self) -> None:
        """Check that an uncompressed archive ends with a block of zeros."""
        with self.path.open("rb") as file:
            file.seek(max(0, self.path.stat().st_size - _TAR_BLOCK))
            if any(file.read()):
                raise damaged(self.path, "a tar archive without its final block")


def path_parts(name: str) -> list[str]:
    """Return the parts of a member's path; some archives use backslashes or a leading dot."""
    return [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]


def is_hidden(name: str) -> bool:
    """Return whether a file comes from the operating system or an incomplete download."""
    return name.startswith((".", "__MACOSX")) or name.endswith(".part")


def _walk(root: Path) -> Iterator[str]:
    """Yield the files below a folder, relative to it; follow links, but visit a folder once."""
    visited = set()
    for folder, folders, names in os.walk(root, followlinks=True):
        visited.add(os.path.realpath(folder))
        folders[:] = [
            name
            for name in folders
            if not is_hidden(name) and os.path.realpath(Path(folder, name)) not in visited
        ]
        for name in names:
            file = Path(folder, name)
            if not is_hidden(name) and file.is_file():
                yield file.relative_to(root).as_posix()


def _check_path(archive: Path, name: str) -> None:
    if name.startswith(("/", "\\")) or ".." in path_parts(name) or _DRIVE.match(name):
        raise _unsafe(archive, f"'{name}' points outside the archive")


def _check_size(archive: Path, total: int, max_bytes: int) -> None:
    if total > max_bytes:
        raise DataError(
            "An archive unpacks to more than is allowed.",
            where=str(archive),
            got=f"{total} bytes or more, at most {max_bytes}",
            fix="delete it if it does not come from a trusted source; or raise "
            "data.max_unpacked_gib",
        )


def _unsafe(archive: Path, got: str) -> DataError:
    return DataError(
        "An archive has a member that no data set needs and that is not safe to read.",
        where=str(archive),
        got=got,
        fix="delete it and get the archive from its official source",
    )
