"""Opening an archive by what it holds, not by its name."""

from pathlib import Path

from cactus.data.files.containers import Container
from cactus.data.files.damage import HEAD_BYTES, damage_reported, refuse_impostor
from cactus.data.files.tar_archive import COMPRESSED, TarArchive
from cactus.data.files.zip_archive import ZipArchive

# Where a tar archive names its format.
_USTAR_AT = 257
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")


def open_archive(path: Path, max_bytes: int) -> Container:
    """Open an archive and check that its members are plain files of limited size.

    Raises
    ------
    DataError
        The archive is damaged, is something else, or holds links, devices, paths that leave it, or
        more than `max_bytes` bytes.
    """
    refuse_impostor(path)
    with damage_reported(path), path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    tar = head[_USTAR_AT:].startswith(b"ustar")
    tar = tar or head.startswith(tuple(magic for magic, _ in COMPRESSED))
    if (path.suffix.lower() == ".zip" and not tar) or head.startswith(_ZIP):
        return ZipArchive(path, max_bytes)
    return TarArchive(path, max_bytes)
