"""The folder of raw files, and what it has in common with the archives in it."""

import errno
import os
import re
import stat
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from cactus.data.files.damage import damage_reported
from cactus.errors import DataError

_ARCHIVE = re.compile(r"\.(zip|tar|tgz|tbz2?|txz|tar\.(gz|bz2|xz))$", re.IGNORECASE)
_UNFINISHED = re.compile(
    r"\.(part|partial|crdownload|download|opdownload|aria2|tmp|!ut)$", re.IGNORECASE
)
UNFINISHED = "an unfinished download"
# What systems and editors put beside the files of users.
_SYSTEM = re.compile(
    r"^(\.|__MACOSX$|(eh)?thumbs\.db$|desktop\.ini$|Icon\r$)|:Zone\.Identifier$|~$", re.IGNORECASE
)
_MOST_LINKS = 100
_SPECIAL = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFBLK: "a device",
    stat.S_IFCHR: "a device",
    stat.S_IFLNK: "a link to nothing",
}


@dataclass(frozen=True, slots=True)
class Member:
    """A file in a container: its path there, with slashes, and its size in bytes."""

    name: str
    size: int


class Container(ABC):
    """A folder or an archive that holds raw files, its members in any order."""

    path: Path
    members: list[Member]
    # Whether files can only be read one after the other.
    sequential = False

    @abstractmethod
    def read(self, names: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """Yield names and contents, in the order that is fastest to read."""

    @abstractmethod
    def open(self, name: str) -> AbstractContextManager[IO[bytes]]:
        """Open one file for sequential reading."""

    def close(self) -> None:  # noqa: B027
        """Close open files; a container that opens its files one by one has none."""


class Folder(Container):
    """The plain files below a folder, without hidden files and archives.

    `archives` are the files with the names of archives. `unread` says of files that no reader can
    read, by name, what they are: unfinished downloads, pipes, links to nothing.

    Raises
    ------
    DataError
        The folder is a file, or it or a folder in it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.unread: dict[str, str] = {}
        with damage_reported(path):
            if path.exists() and not path.is_dir():
                raise DataError(
                    "The folder of raw files is not a folder.",
                    where=str(path),
                    got="a file of this name",
                    fix="move it away and put the raw files into a folder of this name",
                )
            found = list(self._walk())
        self.members = [one for one in found if not is_archive(one.name)]
        self.archives = sorted(path / one.name for one in found if is_archive(one.name))

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

    def _walk(self) -> Iterator[Member]:
        """Yield the plain files, relative to the folder; follow links, but not in circles.

        It works on strings: there may be 200,000 files, and a `Path` takes several times as long.
        """
        above = {str(self.path): frozenset({os.path.realpath(self.path)})}
        visits = Counter[str]()
        for folder, folders, names in os.walk(self.path, followlinks=True, onerror=_refuse):
            below = Path(folder).relative_to(self.path).as_posix()
            prefix = "" if below == "." else f"{below}/"
            for name in filter(is_unfinished, folders):
                self.unread[prefix + name] = UNFINISHED
            here, inside, chain = os.path.join(folder, ""), [], above.pop(folder)  # noqa: PTH118
            for name in sorted(folders):
                place = here + name  # as os.walk writes it
                real = os.path.realpath(place)
                if is_hidden(name) or real in chain:
                    continue
                visits[real] += 1
                if visits[real] > _MOST_LINKS:
                    raise _linked_too_often(place)
                inside.append(name)
                above[place] = chain | {real}
            folders[:] = inside
            for name in names:
                if is_unfinished(name):
                    self.unread[prefix + name] = UNFINISHED
                elif not is_hidden(name):
                    status = _status(here + name)
                    if stat.S_ISREG(status.st_mode):
                        yield Member(prefix + name, status.st_size)
                    else:
                        kind = _SPECIAL.get(stat.S_IFMT(status.st_mode), "no plain file")
                        self.unread[prefix + name] = kind


def _status(file: str) -> os.stat_result:
    """Return what a file is, or what a link to nothing is."""
    try:
        return os.stat(file)  # noqa: PTH116
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            raise
        return os.lstat(file)


def _linked_too_often(folder: str) -> DataError:
    return DataError(
        "A folder of raw files is linked too often.",
        where=folder,
        got=f"more than {_MOST_LINKS} ways to it",
        fix="replace links between folders by the files that are meant",
    )


def _refuse(error: OSError) -> None:
    # The folder that does not exist has no files; one that cannot be listed must not pass for it.
    if not isinstance(error, FileNotFoundError):
        raise error


def is_archive(name: str) -> bool:
    """Return whether a file has the name of an archive."""
    return _ARCHIVE.search(name) is not None


def path_parts(name: str) -> list[str]:
    """Return the parts of a member's path; some archives use backslashes or a leading dot."""
    return [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]


def is_unfinished(name: str) -> bool:
    """Return whether a file or folder has the name of an incomplete download."""
    return _UNFINISHED.search(name) is not None


def is_hidden(name: str) -> bool:
    """Return whether a file comes from the system, an editor or an incomplete download."""
    return _SYSTEM.search(name) is not None or is_unfinished(name)
