"""All raw files of a data set, in folders and archives, under one tree of paths."""

import gzip
import io
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self, cast

from cactus.config.sections.data.section import DataSettings
from cactus.data.files.archives import open_archive
from cactus.data.files.checksums import Ledger
from cactus.data.files.containers import (
    UNFINISHED,
    Container,
    Folder,
    is_hidden,
    is_unfinished,
    path_parts,
)
from cactus.data.files.damage import (
    HEAD_BYTES,
    ReportingStream,
    damage_reported,
    other_format,
    refuse_impostor,
)
from cactus.data.files.registry import DatasetEntry
from cactus.errors import DataError, printable

_GIB = 1 << 30
_MIB = 1 << 20
_DOCUMENTS = (".gz", ".txt", ".csv", ".pkl", ".pickle")
_GZIP = b"\x1f\x8b"
# Some copies were compressed again on their way.
_GZIP_LAYERS = 2
# Many times the longest list of images that is read at once; those of CelebA are read by line.
_MAX_LIST = 32 << 20


Content = bytes | DataError


@dataclass(frozen=True, slots=True)
class RawEntry:
    """A raw file: the folder or archive that contains it, its path there and its size in bytes.

    `path` is its path below the raw folder, made printable; a member's path starts with that of
    its archive. Classes are named by it, so that no other file sees bytes that are not UTF-8.
    """

    container: Container
    name: str
    path: str
    size: int

    @property
    def loose(self) -> bool:
        """Whether the file is in a folder, not in an archive."""
        return isinstance(self.container, Folder)

    @property
    def basename(self) -> str:
        """The file name without folders."""
        return self.path.rsplit("/", 1)[-1]


class RawTree:
    """The raw files of one data set.

    Loose files come before entries in archives, and both are sorted by path, so that the first
    match is the same on every file system, and a loose copy replaces a damaged one in an archive.
    `unread` says of files that cannot be read, by path, what they are.

    Parameters
    ----------
    root
        The raw folder of the data set; it need not exist.
    entry
        What was published about the data set.
    settings
        Limits, and whether only official files are allowed.
    list_tars
        Whether to list tar archives, which reads them in full. If not, `unlisted` says whether
        there are any.

    Raises
    ------
    DataError
        An archive is damaged, unsafe or too large, or a file is not what its name says.
    """

    def __init__(
        self, root: Path, entry: DatasetEntry, settings: DataSettings, list_tars: bool = True
    ) -> None:
        self.root = root
        self.max_bytes = int(settings.max_unpacked_gib * _GIB)
        self.max_image_bytes = int(settings.max_image_mib * _MIB)
        self.ledger = Ledger(root, entry, settings.official_only)
        self.entries: list[RawEntry] = []
        self.unlisted = False
        self._folder = Folder(root)
        self.unread = {printable(name): kind for name, kind in self._folder.unread.items()}
        self._add(self._folder, "")
        with ExitStack() as stack:
            for path in self._folder.archives:
                if not list_tars and path.suffix.lower() != ".zip":
                    refuse_impostor(path)
                    self.unlisted = True
                    continue
                container = open_archive(path, self.max_bytes)
                stack.callback(container.close)
                self._add(container, f"{path.relative_to(root).as_posix()}/")
            self._open_containers = stack.pop_all()
        for loose in self.entries:
            if loose.container is self._folder and loose.basename.lower().endswith(_DOCUMENTS):
                refuse_impostor(root / loose.name)

    def _add(self, container: Container, prefix: str) -> None:
        for member in sorted(container.members, key=lambda member: member.name):
            parts = path_parts(member.name)
            path = printable(prefix + "/".join(parts))
            hidden = [part for part in parts if is_hidden(part)]
            if not hidden:
                self.entries.append(RawEntry(container, member.name, path, member.size))
            elif all(map(is_unfinished, hidden)):
                self.unread[path] = UNFINISHED

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._open_containers.close()

    def where(self, entry: RawEntry) -> str:
        """Return the entry's location for an error message."""
        return str(self.root / entry.path)

    def read_images(self, entries: Iterable[RawEntry]) -> Iterator[tuple[RawEntry, Content]]:
        """Yield entries and their bytes, each container in its fastest order.

        An entry that is larger than allowed for an image, or cannot be read, comes with an error
        instead, so that a user may learn of all of them at once.

        Raises
        ------
        DataError
            An archive that is read in one pass is damaged.
        """
        by_container: dict[Container, dict[str, RawEntry]] = {}
        for entry in entries:
            if entry.size > self.max_image_bytes:
                yield entry, self._too_large(entry)
            else:
                by_container.setdefault(entry.container, {})[entry.name] = entry
        for container, wanted in by_container.items():
            if container is not self._folder:
                self.ledger.record(container.path)
            if container.sequential:
                for name, content in container.read(wanted):
                    yield wanted[name], content
            else:
                for name, entry in wanted.items():
                    yield entry, self._read_one(container, name)

    def _read_one(self, container: Container, name: str) -> Content:
        """Return the bytes of an image, or why they cannot be read."""
        try:
            ((_, content),) = container.read([name])
        except DataError as error:
            return error
        if container is self._folder:
            self.ledger.record_image(name, content)
        return content

    def _too_large(self, entry: RawEntry) -> DataError:
        return DataError(
            "An image file is larger than allowed.",
            where=self.where(entry),
            got=f"{entry.size} bytes",
            fix="delete it, or raise data.max_image_mib",
        )

    @contextmanager
    def open(self, entry: RawEntry, *, record: bool = True) -> Iterator[IO[bytes]]:
        """Open a file of any size; if it is compressed by gzip, it is decompressed while read.

        What it holds decides, not its name. `record` says whether the data are made from it.

        Raises
        ------
        DataError
            The file or its archive is damaged, or is not what its name says.
        """
        path = self.root / entry.name if entry.container is self._folder else entry.container.path
        if record:
            with damage_reported(path):
                self.ledger.record(path)
        with entry.container.open(entry.name) as file, damage_reported(path):
            yield self._decompressed(file, path, self.where(entry))

    @staticmethod
    def _decompressed(file: IO[bytes], path: Path, where: str) -> IO[bytes]:
        stream = io.BufferedReader(ReportingStream(file, path))
        for layer in range(_GZIP_LAYERS + 1):
            head = stream.peek(HEAD_BYTES)[:HEAD_BYTES]
            if (error := other_format(head, where)) is not None:
                raise error
            if not head.startswith(_GZIP):
                break
            if layer == _GZIP_LAYERS:
                raise DataError(
                    "A raw file is compressed by gzip again and again.",
                    where=where,
                    got=f"more than {_GZIP_LAYERS} layers",
                    fix="decompress it with `gunzip`, or get the official file",
                )
            unpacked = cast(IO[bytes], gzip.GzipFile(fileobj=stream))
            stream = io.BufferedReader(ReportingStream(unpacked, path))
        return stream

    def read(self, entry: RawEntry) -> bytes:
        """Return the whole content of a list, decompressed if it is compressed by gzip.

        Raises
        ------
        DataError
            The file is damaged or larger than a list can be.
        """
        content = bytearray()
        with self.open(entry) as file:
            while chunk := file.read(1 << 20):
                content += chunk
                if len(content) > min(_MAX_LIST, self.max_bytes):
                    raise too_large(self.where(entry), f"more than {len(content) - len(chunk)}")
        return bytes(content)


def too_large(where: str, size: str) -> DataError:
    """Return the error for a file that is larger than its format allows; `size` is in bytes."""
    return DataError(
        "A raw file unpacks to more than is allowed.",
        where=where,
        got=f"{size} bytes",
        fix="delete it and get the official file; or raise data.max_unpacked_gib",
    )
