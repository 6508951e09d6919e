"""Takes crates from strangers: nothing is written outside the target, and nothing odd is read.

`zipfile` also keeps files inside the target, but by renaming them; it has no filter like that of
`tarfile`, and ignores the free disk space. Such archives are refused instead, before anything is
written.
"""

import errno
import os
import shutil
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final

from cactus.errors import RecordError, StorageError
from cactus.files import open_regular
from cactus.provenance.records.values import is_inside

_MIB: Final = 1 << 20
# Deflate shrinks zeros 1032 times, and what runs make 2 to 20 times.
_EXPANSION: Final = 200
_SMALL: Final = 100 * _MIB
_MOST_MEMBERS: Final = 1_000_000
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED: Final = 0x1
_FIX: Final = "get the archive again from where it was published"


def unpack(archive: Path, target: Path) -> None:
    """Unpack a zip file of plain files and folders.

    Raises
    ------
    RecordError
        It is not a zip file, or is damaged; or it contains links, pipes or devices, names outside
        the target, or names that are the same to some systems; or it grows more than 200 times.
    StorageError
        It would not fit on the disk.
    """
    try:
        with open_regular(archive) as file, zipfile.ZipFile(file) as opened:
            members = opened.infolist()
            for member in members:
                _check(archive, member)
            _check_names(archive, (member.filename for member in members))
            _check_space(archive, members, target)
            target.mkdir(parents=True, exist_ok=True)
            for member in members:
                _extract(opened, member, target / member.filename)
    except (zipfile.BadZipFile, EOFError, zlib.error, ValueError, RuntimeError) as error:
        # A RuntimeError, such as a NotImplementedError, is about a feature of the format.
        raise _refused(archive, str(error) or type(error).__name__) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS):
            raise
        raise _refused(archive, str(error)) from error


def check_folder(crate: Path) -> None:
    """Check that a folder holds plain files and folders alone, none of them a link.

    Raises
    ------
    RecordError
        It holds links, pipes, devices, files with a second name, or names that are the same to some
        systems.
    """
    names = []
    for path in _below(crate):
        name = os.path.relpath(path, crate)
        names.append(name)
        status = path.lstat()
        if not stat.S_ISDIR(status.st_mode) and not stat.S_ISREG(status.st_mode):
            raise _refused(crate, f"a link, a pipe or a device: {name}")
        if stat.S_ISREG(status.st_mode) and status.st_nlink > 1:
            raise _refused(
                crate, f"a hard link, which another folder shares: {name}", "copy it with `cp -r`"
            )
    _check_names(crate, names)


def _below(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):  # it does not follow links
        yield from (Path(parent) / name for name in (*folders, *files))


def _check(archive: Path, member: zipfile.ZipInfo) -> None:
    # What `zipfile` has made of the name hides a NUL and what follows it.
    if not is_inside(member.filename) or member.orig_filename.rstrip("/") != (
        member.filename.rstrip("/")
    ):
        raise _refused(archive, f"a name that is not one below the target: {member.orig_filename}")
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFDIR if member.is_dir() else stat.S_IFREG):
        raise _refused(archive, f"a link, a pipe or a device: {member.filename}")
    if member.compress_type not in _METHODS or member.flag_bits & _ENCRYPTED:
        raise _refused(archive, f"an unusual or encrypted member: {member.filename}")


def _check_names(place: Path, names: Iterable[str]) -> None:
    """Check that no two names are the same to a system that ignores case, or forms of letters."""
    seen: dict[str, str] = {}
    for name in names:
        plain = unicodedata.normalize("NFC", name.rstrip("/")).casefold()
        if plain in seen:
            raise _refused(place, f"two members of one name: {seen[plain]} and {name}")
        seen[plain] = name
        if len(seen) > _MOST_MEMBERS:
            raise _refused(place, f"more than {_MOST_MEMBERS:,} members")
    # In this order, what is below a name follows it.
    for plain, after in pairwise(sorted(seen, key=lambda name: name.replace("/", "\0"))):
        is_folder = seen[plain].endswith("/") or not after.startswith(f"{plain}/")
        if not is_folder and not (place / seen[plain]).is_dir():
            raise _refused(place, f"a file that is a folder too: {seen[plain]}")


def _check_space(archive: Path, members: list[zipfile.ZipInfo], target: Path) -> None:
    """Check that the declared sizes are plausible, and that the disk has space for them.

    A member that is larger than it declares is cut off, and then fails its checksum.
    """
    size = archive.stat().st_size
    if sum(member.compress_size for member in members) > size:
        raise _refused(archive, "members that overlap, or are longer than the archive")
    needed = sum(member.file_size for member in members)
    if needed > max(_SMALL, _EXPANSION * size):
        raise _refused(archive, f"{needed / _MIB:,.1f} MiB in an archive of {size:,} bytes")
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


def _extract(opened: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> None:
    if member.is_dir():
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with opened.open(member) as source, path.open("xb") as file:
        shutil.copyfileobj(source, file)


def _refused(archive: Path, got: str, fix: str = _FIX) -> RecordError:
    return RecordError("The archive was not unpacked.", where=str(archive), got=got, fix=fix)
