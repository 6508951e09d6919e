"""Zip archives, read member by member in place."""

import glob
import stat
import zipfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from cactus.data.files.containers import Container, is_hidden, path_parts
from cactus.data.files.damage import damage_reported
from cactus.data.files.members import Listing, check_path, unsafe
from cactus.errors import DataError

_ENCRYPTED = 0x1
# The fixed part of a member's header in front of its data.
_LOCAL_HEADER = 30
# The record at an archive's end, with the longest comment; a number that is kept elsewhere.
_END_RECORD = 22 + 0xFFFF
_ZIP64 = 0xFFFF
_READABLE = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
_METHODS = {9: "Deflate64", 93: "Zstandard", 95: "XZ", 98: "PPMd", 99: "AES encryption"}


class ZipArchive(Container):
    """A zip archive; members are read one by one in place.

    Raises
    ------
    DataError
        The archive is damaged, encrypted, compressed in an unknown way, unsafe, or too large.
    """

    def __init__(self, path: Path, max_bytes: int) -> None:
        self.path = path
        volumes = sorted(path.parent.glob(f"{glob.escape(path.stem)}.[zZ][0-9][0-9]"))
        if volumes:
            raise self._split(f"the last of {len(volumes) + 1} volumes; {volumes[0].name} is one")
        with damage_reported(path, headers=True):
            self._archive = zipfile.ZipFile(path)
            infos = self._archive.infolist()
        if any(info.header_offset < 0 for info in infos) or self._disk() != 0:
            raise self._split("the last volume; those before it are missing")
        self._check_overlaps(infos)
        listing = Listing(path, max_bytes)
        for info in infos:
            if "\0" in info.orig_filename:
                raise unsafe(path, f"'{info.orig_filename}' has a zero in its name")
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise unsafe(path, f"'{info.filename}' is a link or a device")
            if info.filename and info.is_dir():
                check_path(path, info.filename)
            else:
                self._check_readable(info)
                listing.add(info.filename, info.file_size)
        self.members = listing.members

    def read(self, names: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """Yield names and contents in the given order; checksums are verified."""
        for name in names:
            with damage_reported(self.path, headers=True), self._archive.open(name) as file:
                # Reading the declared size limits what a false header can unpack to.
                content = file.read(self._archive.getinfo(name).file_size)
            yield name, content

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Open one file."""
        with damage_reported(self.path, headers=True):
            file = self._archive.open(name)
        with damage_reported(self.path), file:
            yield file

    def close(self) -> None:
        """Close the archive."""
        self._archive.close()

    def _disk(self) -> int:
        """Return the number of this volume, which is in the record at the end of the archive."""
        with damage_reported(self.path), self.path.open("rb") as file:
            file.seek(max(0, self.path.stat().st_size - _END_RECORD))
            tail = file.read()
        start = tail.rfind(b"PK\x05\x06")
        number = int.from_bytes(tail[start + 4 : start + 6], "little")
        return 0 if number == _ZIP64 else number

    def _split(self, got: str) -> DataError:
        name = self.path.name
        return DataError(
            "An archive is split into volumes, which are not read here.",
            where=str(self.path),
            got=got,
            fix=f"with all volumes beside it, join them (`zip -s 0 {name} --out whole.zip`) or "
            f"unpack them (`7z x {name}`); then take the volumes away",
        )

    def _check_overlaps(self, infos: list[zipfile.ZipInfo]) -> None:
        """Refuse members that share bytes, by which a small archive unpacks to a huge one."""
        end = 0
        for info in sorted(infos, key=lambda info: info.header_offset):
            if info.header_offset < end:
                raise unsafe(self.path, f"'{info.filename}' shares its bytes with another member")
            end = info.header_offset + _LOCAL_HEADER + info.compress_size

    def _check_readable(self, info: zipfile.ZipInfo) -> None:
        plain = not info.flag_bits & _ENCRYPTED and info.compress_type in _READABLE
        if plain or any(map(is_hidden, path_parts(info.filename))):
            return
        if info.flag_bits & _ENCRYPTED:
            raise DataError(
                "An archive is encrypted.",
                where=str(self.path),
                got=f"'{info.filename}' is encrypted",
                fix="unpack it with its password, e.g. with `7z x`, and take the archive away",
            )
        method = _METHODS.get(info.compress_type, "an unknown one")
        raise DataError(
            "An archive is compressed in a way that is not read here.",
            where=str(self.path),
            got=f"zip method {info.compress_type} ({method}) for '{info.filename}'",
            fix="unpack it, e.g. with `7z x`, and put its files into the folder in its place; "
            "or pack them again by Deflate, the usual method",
        )
