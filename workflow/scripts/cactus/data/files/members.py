"""What the members of every archive must keep to before anything in it is read."""

import re
from pathlib import Path

from cactus.data.files.containers import Member, path_parts
from cactus.errors import DataError

_DRIVE = re.compile(r"[A-Za-z]:")
# As long as a path may be on Linux.
_MAX_NAME = 4096
# All images of CelebA, aligned and in the wild, are less than half of it.
_MAX_MEMBERS = 1_000_000


class Listing:
    """The plain files of an archive, checked one by one while they are listed.

    Parameters
    ----------
    archive
        The archive, for messages.
    max_bytes
        Largest size of all members together.
    """

    def __init__(self, archive: Path, max_bytes: int) -> None:
        self.members: list[Member] = []
        self._archive, self._max_bytes = archive, max_bytes
        self._total = 0
        self._paths: set[str] = set()

    def add(self, name: str, size: int) -> None:
        """Add a plain file.

        Raises
        ------
        DataError
            Its name or size is not acceptable, or the archive has become too large by it.
        """
        path = check_path(self._archive, name)
        if not path:
            raise unsafe(self._archive, "a member without a name")
        if path in self._paths:
            raise unsafe(self._archive, f"two members named '{name}'")
        if size < 0:
            raise unsafe(self._archive, f"'{name}' has {size} bytes")
        self._paths.add(path)
        self._total += size
        if self._total > self._max_bytes or len(self._paths) > _MAX_MEMBERS:
            raise DataError(
                "An archive unpacks to more than is allowed.",
                where=str(self._archive),
                got=f"{self._total} bytes or more in {len(self._paths)} files or more, at most "
                f"{self._max_bytes} bytes in {_MAX_MEMBERS} files",
                fix="delete it if it does not come from a trusted source; or raise "
                "data.max_unpacked_gib",
            )
        self.members.append(Member(name, size))


def check_path(archive: Path, name: str) -> str:
    """Check that the path of a member stays in the archive; return it with plain slashes.

    It may be empty: `tar` writes the folder ``./`` itself.

    Raises
    ------
    DataError
        It does not, or is too long.
    """
    parts = path_parts(name)
    if name.startswith(("/", "\\")) or ".." in parts or _DRIVE.match(name):
        raise unsafe(archive, f"'{name}' points outside the archive")
    if len(name) > _MAX_NAME or "\0" in name:
        raise unsafe(archive, f"a name of {len(name)} characters, '{name[:100]}'...")
    return "/".join(parts)


def unsafe(archive: Path, got: str) -> DataError:
    """Return the error for an archive with a member that is not acceptable."""
    return DataError(
        "An archive has a member that no data set needs and that is not safe to read.",
        where=str(archive),
        got=got,
        fix="delete it and get the archive from its official source; or unpack it, and put its "
        "files into the folder",
    )
