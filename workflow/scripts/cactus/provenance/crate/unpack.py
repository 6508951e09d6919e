"""Unpacks zip files safely: they cannot write outside the target or fill the disk.

`zipfile` also keeps files inside the target, but by renaming them; it has no filter like that of
`tarfile`, and ignores the free disk space. Such archives are refused instead.
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
        It is not a zip file, is damaged, or contains links or paths outside the target.
    StorageError
        It would not fit on the disk.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            for member in opened.infolist():
                _check(archive, member, target)
            _check_space(archive, opened.infolist(), target)
            opened.extractall(target)
    except (zipfile.BadZipFile, EOFError, zlib.error) as error:
        raise _refused(archive, str(error)) from error


def _check(archive: Path, member: zipfile.ZipInfo, target: Path) -> None:
    name = member.filename.replace("\\", "/")
    inside = (target / name).resolve().is_relative_to(target.resolve())
    if not inside or stat.S_ISLNK(member.external_attr >> 16):
        raise _refused(archive, f"a link, or a path outside the target: {member.filename}")


def _check_space(archive: Path, members: list[zipfile.ZipInfo], target: Path) -> None:
    """Check that the disk has space for the declared sizes.

    A member that is larger than it declares is cut off, and then fails its checksum.
    """
    needed = sum(member.file_size for member in members)
    folder = next(path for path in (target, *target.absolute().parents) if path.exists())
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise StorageError(
            "The archive does not fit on the disk.",
            where=str(archive),
            got=f"{needed / _MIB:,.1f} MiB unpacked, {free / _MIB:,.1f} MiB free in {folder}",
            fix="free some space, or set TMPDIR to a folder on a larger disk; if the archive is "
            "not supposed to be this large, get it again from where it was published",
        )


def _refused(archive: Path, got: str) -> RecordError:
    return RecordError(
        "The archive was not unpacked.",
        where=str(archive),
        got=got,
        fix="get the archive again from where it was published",
    )
