"""Unpacks zip files, which must not write elsewhere or fill the disk.

`zipfile` also keeps files inside the target, but by renaming them; it has no filter like that of
`tarfile`, and does not look at the free disk space. Such archives are refused instead.
"""

import shutil
import stat
import zipfile
import zlib
from pathlib import Path
from typing import Final

from cactus.errors import RecordError, StorageError

_MIB: Final = 1 << 20


def unpack(archive: Path, target: Path) -> None:
    """Unpack a zip file.

    Raises
    ------
    RecordError
        It is not a zip file, is damaged, or holds links or paths outside the target.
    StorageError
        Its content is larger than the free disk space.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            for member in opened.infolist():
                _check(archive, member, target)
            _check_room(archive, opened.infolist(), target)
            opened.extractall(target)
    except (zipfile.BadZipFile, EOFError, zlib.error) as error:
        raise _refused(archive, str(error)) from error


def _check(archive: Path, member: zipfile.ZipInfo, target: Path) -> None:
    name = member.filename.replace("\\", "/")
    inside = (target / name).resolve().is_relative_to(target.resolve())
    if not inside or stat.S_ISLNK(member.external_attr >> 16):
        raise _refused(archive, f"a link, or a path outside the archive: {member.filename}")


def _check_room(archive: Path, members: list[zipfile.ZipInfo], target: Path) -> None:
    """Check that the disk has room for the declared sizes of the members.

    A member that is larger than declared is cut off there, and refused by its checksum.
    """
    needed = sum(member.file_size for member in members)
    place = next(path for path in (target, *target.absolute().parents) if path.exists())
    free = shutil.disk_usage(place).free
    if needed > free:
        raise StorageError(
            "The archive does not fit on the disk.",
            where=str(archive),
            got=f"{needed / _MIB:,.1f} MiB unpacked, {free / _MIB:,.1f} MiB free in {place}",
            fix="free some space, or set TMPDIR to a folder on a larger disk; if it should not be "
            "so large, download the archive again from where it was published",
        )


def _refused(archive: Path, got: str) -> RecordError:
    return RecordError(
        "The archive is not unpacked.",
        where=str(archive),
        got=got,
        fix="download the archive again from where it was published",
    )
