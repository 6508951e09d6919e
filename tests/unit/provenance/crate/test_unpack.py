"""Where and how much a zip file may write."""

import os
import shutil
import stat
import warnings
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from cactus.errors import RecordError, StorageError
from cactus.provenance.crate.unpack import check_folder, unpack

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


def zipped(path: Path, *members: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        warnings.simplefilter("ignore")  # about names that occur twice
        for name, content in members:
            opened.writestr(name, content)
    return path


def of_kind(kind: int, name: str = "odd") -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name)
    member.external_attr = (kind | 0o777) << 16
    return member


def packed_by(method: int) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo("odd")
    member.compress_type = method
    return member


NAMES = [
    "", ".", "..", "../x", "a/../../x", "a/../x", "/etc/x", "//x", "a//b", "a/./b", "C:/x", "c:x",
    "a\\b", "..\\x", "a\nb", "\x1b[2J", "a/..", "\u202ex",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_name_that_is_not_plain_is_rejected_before_anything_is_written(tmp_path: Path, name: str):
    member = zipfile.ZipInfo("x")
    member.filename = name
    file = zipped(tmp_path / "a.zip", ("first", b"x"), (member, b"y"))
    with pytest.raises(RecordError, match="not unpacked"):
        unpack(file, tmp_path / "target")
    assert list(tmp_path.iterdir()) == [file]


def test_a_name_with_a_nul_or_bytes_that_are_not_utf8_is_rejected(tmp_path: Path):
    file = zipped(tmp_path / "a.zip", ("aaaa\u00e9", b"x"))
    whole = file.read_bytes()
    for new in (b"a\0aa\xc3\xa9", b"aaaa\xff\xff"):
        file.write_bytes(whole.replace("aaaa\u00e9".encode(), new))
        with pytest.raises(RecordError, match="not unpacked"):
            unpack(file, tmp_path / "target")
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    "members",
    [
        [of_kind(stat.S_IFLNK)], [of_kind(stat.S_IFIFO)], [of_kind(stat.S_IFCHR)],
        [of_kind(stat.S_IFBLK)], [of_kind(stat.S_IFSOCK)], [of_kind(stat.S_IFDIR)],
        [of_kind(stat.S_IFREG, "odd/")], ["a", "a"], ["a", "A"], ["a/b", "A/B"], ["a", "a/b"],
        ["a/b", "a"], ["\u00e9", "e\u0301"], ["stra\u00dfe", "STRASSE"], ["a/", "a"],
        [packed_by(zipfile.ZIP_BZIP2)], [packed_by(zipfile.ZIP_LZMA)],
    ],
    ids=map(str, range(17)),
)  # fmt: skip
def test_odd_and_colliding_members_are_rejected_before_anything_is_written(tmp_path, members):
    file = zipped(tmp_path / "a.zip", ("first", b"x"), *((one, b"y") for one in members))
    with pytest.raises(RecordError, match="not unpacked"):
        unpack(file, tmp_path / "target")
    assert list(tmp_path.iterdir()) == [file]


def test_a_bomb_is_rejected_before_anything_is_written(tmp_path: Path):
    file = zipped(tmp_path / "a.zip", *((f"zeros-{n}", ZEROS) for n in range(101)))
    assert file.stat().st_size < MIB
    with pytest.raises(RecordError, match="not unpacked") as caught:
        unpack(file, tmp_path / "target")
    assert "101.0 MiB in an archive of" in caught.value.got
    assert list(tmp_path.iterdir()) == [file]


def test_members_that_share_their_bytes_are_rejected(tmp_path: Path):
    content = os.urandom(100_000)
    file = zipped(tmp_path / "a.zip", ("a", content), ("b", content))
    with zipfile.ZipFile(file, "a") as opened:
        first, second = opened.infolist()
        second.header_offset = first.header_offset
        opened.writestr("c", b"")
    whole = file.read_bytes()
    start, end = whole.index(b"PK", 100_000), whole.rindex(b"PK\x03\x04")
    assert start < end
    with pytest.raises(RecordError, match="not unpacked"):
        unpack(file, tmp_path / "target")


@pytest.mark.parametrize("place", [6, 8], ids=["encrypted", "unknown method"])
def test_a_feature_that_is_not_used_is_rejected(archive: Path, tmp_path: Path, place: int):
    content = bytearray(archive.read_bytes())
    directory = content.index(b"PK\x01\x02")
    content[directory + place + 2] |= 0x41
    archive.write_bytes(content)
    with pytest.raises(RecordError, match="not unpacked"):
        unpack(archive, tmp_path / "target")
    assert not (tmp_path / "target").exists()


def test_what_is_no_file_is_not_an_archive(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(RecordError, match="not unpacked"):
            unpack(path, tmp_path / "target")


@pytest.mark.parametrize(
    "kind", ["link", "broken link", "linked folder", "pipe", "hard link", "case"]
)
def test_a_folder_with_links_pipes_or_names_that_collide_is_rejected(tmp_path: Path, kind: str):
    crate = tmp_path / "crate"
    (crate / "results/a").mkdir(parents=True)
    (crate / "results/a/file").write_text("x")
    check_folder(crate)
    odd = crate / "results/a/odd"
    match kind:
        case "link":
            odd.symlink_to("/root/.bashrc")
        case "broken link":
            odd.symlink_to("nowhere")
        case "linked folder":
            odd.symlink_to(tmp_path)
        case "pipe":
            os.mkfifo(odd)
        case "hard link":
            os.link(crate / "results/a/file", odd)
        case "case":
            (crate / "results/a/FILE").write_text("x")
    with pytest.raises(RecordError, match="not unpacked") as caught:
        check_folder(crate)
    assert "results/a/" in caught.value.got
