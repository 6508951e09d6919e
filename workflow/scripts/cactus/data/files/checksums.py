"""Checksums of raw files, compared with the published ones and recorded."""

import hashlib
import os
from pathlib import Path, PurePosixPath

from cactus.data.files.record import RawRecord
from cactus.data.files.registry import DatasetEntry, OfficialFile
from cactus.errors import DataError, printable

_CHUNK_BYTES = 1 << 20


def file_digests(path: Path) -> tuple[str, str]:
    """Return the md5 and the sha256 of a file, read once in chunks."""
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            md5.update(chunk)
            sha256.update(chunk)
    return md5.hexdigest(), sha256.hexdigest()


def matches(official: OfficialFile, md5: str, sha256: str) -> bool:
    """Return whether digests are those of an official file."""
    return official.sha256 == sha256 if official.sha256 else official.md5 == md5


class Ledger:
    """Record of the raw files that were read.

    A file is official (True) if its checksum is a published one, whatever its name. It is
    unofficial (False) if it has an official name or replaces a file with a published checksum.
    It is unknown (None) if there is no published checksum to compare with.

    Parameters
    ----------
    root
        The raw folder of the data set; names are recorded relative to it.
    entry
        What is published about the data set.
    official_only
        Whether to refuse unofficial files.
    """

    def __init__(self, root: Path, entry: DatasetEntry, official_only: bool) -> None:
        self._root, self._entry, self._official_only = root, entry, official_only
        self._images_official = False if entry.checksum_published else None
        self._records: dict[str, RawRecord] = {}
        self._images: dict[str, bytes] = {}

    def record(self, path: Path) -> None:
        """Record a file when it is first used.

        Raises
        ------
        DataError
            The file is unofficial and only official ones are allowed.
        """
        name = path.relative_to(self._root).as_posix()
        if name in self._records:
            return
        if name != printable(name):
            raise DataError(
                "A raw file has a name that cannot be recorded.",
                where=str(path),
                got="bytes that are not UTF-8, or control characters",
                fix="rename the file, or the folder that it is in",
            )
        md5, sha256 = file_digests(path)
        official: bool | None = any(matches(file, md5, sha256) for file in self._entry.files)
        if not official and not self._entry.checksum_published:
            official = False if self._entry.file(path.name) else None
        self._check_allowed(name, official)
        self._records[name] = RawRecord(file=name, sha256=sha256, official=official)

    def record_image(self, name: str, content: bytes) -> None:
        """Record an image in a plain folder; `name` is relative to the root."""
        if not self._images:
            self._check_allowed(name, self._images_official)
        self._images[name] = hashlib.sha256(content).digest()

    def records(self) -> list[RawRecord]:
        """Return all records, by name.

        Images in plain folders share one record: their common folder, and the sha256 over
        their sorted names and the sha256 of their contents.
        """
        records = dict(self._records)
        if self._images:
            parents = {PurePosixPath(name).parent.as_posix() for name in self._images}
            common = PurePosixPath(os.path.commonpath(parents))
            # The record is stored as UTF-8: a folder with another name is known by the one above.
            while common.as_posix() != printable(common.as_posix()):
                common = common.parent
            folder = f"{common.as_posix()}/"
            digest = hashlib.sha256()
            for name, content in sorted(self._images.items()):
                digest.update(name.encode(errors="surrogateescape") + b"\0" + content)
            records[folder] = RawRecord(
                file=folder, sha256=digest.hexdigest(), official=self._images_official
            )
        return [records[name] for name in sorted(records)]

    def _check_allowed(self, name: str, official: bool | None) -> None:
        if official is False and self._official_only:
            raise DataError(
                f"A raw file of {self._entry.title} is not the official one.",
                where=str(self._root / name),
                got="a checksum that was not published",
                fix=f"get the official file from {self._entry.page}, or set data.official_only to "
                "false to read this one and record it as unofficial",
            )
