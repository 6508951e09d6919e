"""All raw files of a data set, in folders and archives, under one tree of paths."""

import gzip
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self, cast

from cactus.config.sections.data import DataSettings
from cactus.data.files.checksums import Ledger
from cactus.data.files.containers import Container, Folder, is_hidden, open_archive, path_parts
from cactus.data.files.damage import damage_reported, refuse_html
from cactus.data.files.registry import DatasetEntry
from cactus.errors import DataError

_GIB = 1 << 30
_MIB = 1 << 20
_DOCUMENTS = (".gz", ".txt", ".csv", ".pkl", ".pickle")


@dataclass(frozen=True, slots=True)
class RawEntry:
    """A raw file: the folder or archive that contains it, its path there and its size in bytes.

    `path` is its path below the raw folder; a member's path starts with that of its archive.
    """

    container: Container
    name: str
    path: str
    size: int

    @property
    def basename(self) -> str:
        """The file name without folders."""
        return self.path.rsplit("/", 1)[-1]


class RawTree:
    """The raw files of one data set.

    Entries in archives come before loose files, and both are sorted by path, so that the first
    match is the same on every file system.

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
        An archive is damaged, unsafe or too large, or a file is a web page.
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
        with ExitStack() as stack:
            for path in self._folder.archives:
                if not list_tars and path.suffix.lower() != ".zip":
                    refuse_html(path)
                    self.unlisted = True
                    continue
                container = open_archive(path, self.max_bytes)
                stack.callback(container.close)
                self._add(container, f"{path.relative_to(root).as_posix()}/")
            self._add(self._folder, "")
            self._open_containers = stack.pop_all()
        for loose in self.entries:
            if loose.container is self._folder and loose.basename.lower().endswith(_DOCUMENTS):
                refuse_html(root / loose.name)

    def _add(self, container: Container, prefix: str) -> None:
        for member in sorted(container.members, key=lambda member: member.name):
            parts = path_parts(member.name)
            if not any(map(is_hidden, parts)):
                path = prefix + "/".join(parts)
                self.entries.append(RawEntry(container, member.name, path, member.size))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._open_containers.close()

    def where(self, entry: RawEntry) -> str:
        """Return the entry's location for an error message."""
        return str(self.root / entry.path)

    def read_images(self, entries: Iterable[RawEntry]) -> Iterator[tuple[RawEntry, bytes]]:
        """Yield entries and their bytes, each container in its fastest order.

        Raises
        ------
        DataError
            An entry is larger than allowed for an image, or its archive is damaged.
        """
        by_container: dict[Container, dict[str, RawEntry]] = {}
        for entry in entries:
            if entry.size > self.max_image_bytes:
                raise DataError(
                    "An image file is larger than allowed.",
                    where=self.where(entry),
                    got=f"{entry.size} bytes",
                    fix="delete it, or raise data.max_image_mib",
                )
            by_container.setdefault(entry.container, {})[entry.name] = entry
        for container, wanted in by_container.items():
            if container is not self._folder:
                self.ledger.record(container.path)
            for name, content in container.read(wanted):
                if container is self._folder:
                    self.ledger.record_image(name, content)
                yield wanted[name], content

    @contextmanager
    def open(self, entry: RawEntry) -> Iterator[IO[bytes]]:
        """Open a file of any size; a `.gz` file is decompressed while it is read.

        Raises
        ------
        DataError
            The file or its archive is damaged.
        """
        path = self.root / entry.name if entry.container is self._folder else entry.container.path
        self.ledger.record(path)
        with entry.container.open(entry.name) as file, damage_reported(path):
            if entry.name.lower().endswith(".gz"):
                with gzip.GzipFile(fileobj=file) as unpacked:
                    yield cast(IO[bytes], unpacked)
            else:
                yield file

    def read(self, entry: RawEntry) -> bytes:
        """Return the whole content of a file, decompressed if it is a `.gz` file.

        Raises
        ------
        DataError
            The file is damaged or unpacks to more than allowed.
        """
        with self.open(entry) as file:
            content = file.read(self.max_bytes + 1)
        if len(content) > self.max_bytes:
            raise DataError(
                "A compressed file unpacks to more than is allowed.",
                where=self.where(entry),
                got=f"more than {self.max_bytes} bytes",
                fix="delete it and get the official file; or raise data.max_unpacked_gib",
            )
        return content
