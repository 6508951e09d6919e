"""Unpacks zip files without letting them write elsewhere."""

import stat
import zipfile
from pathlib import Path

from cactus.errors import RecordError


def unpack(archive: Path, target: Path) -> None:
    """Unpack a zip file.

    Raises
    ------
    RecordError
        It is no zip file, is damaged, or holds links or paths outside the target.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            for member in opened.infolist():
                _check(archive, member, target)
            opened.extractall(target)
    except (zipfile.BadZipFile, EOFError) as error:
        raise _refused(archive, str(error)) from error


def _check(archive: Path, member: zipfile.ZipInfo, target: Path) -> None:
    name = member.filename.replace("\\", "/")
    inside = (target / name).resolve().is_relative_to(target.resolve())
    if not inside or stat.S_ISLNK(member.external_attr >> 16):
        raise _refused(archive, f"a link, or a path outside of it: {member.filename}")


def _refused(archive: Path, got: str) -> RecordError:
    return RecordError(
        "The archive is not unpacked.",
        where=str(archive),
        got=got,
        fix="get the archive anew from where it was published",
    )
