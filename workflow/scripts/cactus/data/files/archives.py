"""Opening an archive by what it holds, not by its name."""

from pathlib import Path

from cactus.data.files.containers import Container
from cactus.data.files.damage import damage_reported, refuse_impostor
from cactus.data.files.tar_archive import COMPRESSED, TarArchive
from cactus.data.files.zip_archive import ZipArchive

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
        head = file.read(8)
    zipped = path.suffix.lower() == ".zip" and not head.startswith(
        tuple(magic for magic, _ in COMPRESSED)
    )
    if zipped or head.startswith(_ZIP):
        return ZipArchive(path, max_bytes)
    return TarArchive(path, max_bytes)
