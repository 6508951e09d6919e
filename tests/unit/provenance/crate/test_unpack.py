"""Where and how much a zip file may write."""

import shutil
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from cactus.errors import RecordError, StorageError
from cactus.provenance.crate.unpack import unpack

MIB = 1 << 20
ZEROS = bytes(MIB)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Two files of a mebibyte each, in a few kilobytes."""
    path = tmp_path / "crate.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("one", ZEROS)
        opened.writestr("folder/two", ZEROS)
    assert path.stat().st_size < MIB // 100
    return path


def leave_free(monkeypatch: pytest.MonkeyPatch, free: int, seen: list[Path] | None = None) -> None:
    def disk_usage(path: Path) -> SimpleNamespace:
        assert path.exists()
        if seen is not None:
            seen.append(path)
        return SimpleNamespace(free=free)

    monkeypatch.setattr(shutil, "disk_usage", disk_usage)


def test_a_just_fitting_archive_is_unpacked(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    leave_free(monkeypatch, 2 * MIB)
    unpack(archive, tmp_path / "new/target")
    assert (tmp_path / "new/target/one").read_bytes() == ZEROS
    assert (tmp_path / "new/target/folder/two").read_bytes() == ZEROS


def test_an_archive_that_does_not_fit_is_rejected_before_anything_is_written(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    seen: list[Path] = []
    leave_free(monkeypatch, 3 * MIB // 2, seen)
    with pytest.raises(StorageError, match="does not fit on the disk") as caught:
        unpack(archive, tmp_path / "new/target")
    assert seen == [tmp_path]  # on the disk of the target, which does not exist yet
    assert caught.value.where == str(archive)
    assert caught.value.got == f"2.0 MiB unpacked, 1.5 MiB free in {tmp_path}"
    assert "TMPDIR" in caught.value.fix
    assert list(tmp_path.iterdir()) == [archive]


def test_a_member_larger_than_declared_is_cut_off_and_rejected(archive: Path, tmp_path: Path):
    size, less = MIB.to_bytes(4, "little"), (MIB // 2).to_bytes(4, "little")
    content = archive.read_bytes()
    assert content.count(size) == 4  # each member's own header, and its entry in the directory
    archive.write_bytes(content.replace(size, less))
    with pytest.raises(RecordError, match="not unpacked"):
        unpack(archive, tmp_path / "target")
    written = [path.stat().st_size for path in (tmp_path / "target").rglob("*") if path.is_file()]
    assert sum(written) <= MIB // 2


# The first member's compressed bytes follow a header of 30 bytes and its name.
@pytest.mark.parametrize("place", [0, 30 + len("one"), 500], ids=["header", "stream", "later"])
def test_a_damaged_archive_is_rejected(archive: Path, tmp_path: Path, place: int):
    content = bytearray(archive.read_bytes())
    content[place : place + 20] = b"\xff" * 20
    archive.write_bytes(content)
    with pytest.raises(RecordError, match="not unpacked"):
        unpack(archive, tmp_path / "target")
