import os
import stat
import struct
import tarfile
import zipfile

import pytest

from cactus.data.files.archives import open_archive
from cactus.data.files.containers import Folder, is_archive
from cactus.errors import DataError
from tests.unit.data.rawfiles import write_files, write_tar, write_zip

MEMBERS = {"a/one.txt": b"one", "a/two.bin": bytes(range(256)) * 40, "three": b""}
LIMIT = 1 << 20
TARS = {".tar": "w", ".tar.gz": "w:gz", ".tgz": "w:gz", ".tar.bz2": "w:bz2", ".tar.xz": "w:xz"}


def archive(tmp_path, suffix, members=MEMBERS):
    path = tmp_path / f"file{suffix}"
    if suffix == ".zip":
        write_zip(path, members)
    else:
        write_tar(path, members, TARS[suffix])
    return path


def contents(source):
    return dict(source.read([member.name for member in source.members]))


@pytest.mark.parametrize("suffix", [".zip", *TARS])
def test_archives_are_read_in_place(tmp_path, suffix):
    source = open_archive(archive(tmp_path, suffix), LIMIT)
    assert {member.name: member.size for member in source.members} == {
        name: len(content) for name, content in MEMBERS.items()
    }
    assert contents(source) == MEMBERS
    with source.open("a/two.bin") as file:
        assert file.read() == MEMBERS["a/two.bin"]
    assert dict(source.read(["three"])) == {"three": b""}
    source.close()
    assert [path.name for path in tmp_path.iterdir()] == [f"file{suffix}"]


def test_folder(tmp_path):
    hidden = {".hidden/x": b"", "__MACOSX/x": b"", "a/.x": b"", "x.part": b"", "b.zip": b""}
    write_files(tmp_path, MEMBERS | hidden)
    source = Folder(tmp_path)
    assert contents(source) == MEMBERS
    assert source.archives == [tmp_path / "b.zip"]


def test_folder_follows_links_once(tmp_path):
    write_files(tmp_path / "elsewhere", MEMBERS)
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere/a/loop").symlink_to(tmp_path / "elsewhere")
    (root / "broken").symlink_to(tmp_path / "nothing")
    assert contents(Folder(root)) == {f"link/{name}": MEMBERS[name] for name in MEMBERS}


@pytest.mark.parametrize("suffix", [".zip", *TARS])
@pytest.mark.parametrize("keep", [0.2, 0.6, 0.8])
def test_truncated_archives_are_damaged(tmp_path, suffix, keep):
    noise = os.urandom(1000)
    path = archive(tmp_path, suffix, {f"{i}": noise + bytes([i]) for i in range(40)})
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])
    with pytest.raises(DataError, match="damaged"):
        contents(open_archive(path, LIMIT))


def test_tar_cut_between_two_members_is_damaged(tmp_path):
    path = archive(tmp_path, ".tar")
    with tarfile.open(path) as tar:
        second = tar.getmembers()[1]
    path.write_bytes(path.read_bytes()[: second.offset])
    with pytest.raises(DataError, match="damaged"):
        open_archive(path, LIMIT)


def test_altered_zip_member_is_damaged(tmp_path):
    path = tmp_path / "file.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a", b"content")
    path.write_bytes(path.read_bytes().replace(b"content", b"c0ntent"))
    source = open_archive(path, LIMIT)
    with pytest.raises(DataError, match="damaged"):
        contents(source)


@pytest.mark.parametrize("suffix", [".zip", ".tar.gz", ".tar"])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<html><body>Google Drive - Quota exceeded</body></html>", "web page"),
        (b"  \n<!DOCTYPE html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS"),
        (b"Rar!\x1a\x07\x01\x00", "packed"),
        (b"7z\xbc\xaf\x27\x1c\x00", "packed"),
        (b"\x28\xb5\x2f\xfd\x00", "packed"),
        (b"<?xml version='1.0'?><Error><Code>AccessDenied", "web page"),
        (b"", "damaged"),
    ],
)
def test_what_is_no_archive(tmp_path, suffix, content, message):
    path = tmp_path / f"file{suffix}"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        open_archive(path, LIMIT)
    assert caught.value.where == str(path)


@pytest.mark.parametrize("suffix", [".zip", ".tar", ".tar.gz"])
@pytest.mark.parametrize("name", ["../out", "a/../../out", "/etc/out", "C:/out", "..\\out"])
def test_paths_out_of_the_archive_are_refused(tmp_path, suffix, name):
    path = archive(tmp_path, suffix, {name: b"x"})
    with pytest.raises(DataError, match="not safe"):
        open_archive(path, LIMIT)
    assert not (tmp_path.parent / "out").exists()


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE]
)
def test_links_and_devices_in_tar_are_refused(tmp_path, kind):
    path = tmp_path / "file.tar"
    with tarfile.open(path, "w") as tar:
        info = tarfile.TarInfo("entry")
        info.type, info.linkname = kind, "/etc/passwd"
        tar.addfile(info)
    with pytest.raises(DataError, match="not safe"):
        open_archive(path, LIMIT)


def test_link_in_zip_is_refused(tmp_path):
    path = tmp_path / "file.zip"
    with zipfile.ZipFile(path, "w") as file:
        info = zipfile.ZipInfo("entry")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(info, "/etc/passwd")
    with pytest.raises(DataError, match="not safe"):
        open_archive(path, LIMIT)


@pytest.mark.parametrize("suffix", [".zip", ".tar", ".tar.gz", ".tar.xz"])
def test_bombs_are_refused(tmp_path, suffix):
    path = archive(tmp_path, suffix, {"a": bytes(LIMIT // 2), "b": bytes(LIMIT // 2 + 1)})
    with pytest.raises(DataError, match="more than is allowed"):
        open_archive(path, LIMIT)


def test_tar_bomb_is_refused_by_its_header_alone(tmp_path):
    info = tarfile.TarInfo("a")
    info.size = 1 << 40
    path = tmp_path / "file.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        tar.fileobj.write(info.tobuf())
    with pytest.raises(DataError, match="more than is allowed"):
        open_archive(path, LIMIT)


def test_zip_with_a_lying_size_is_damaged(tmp_path):
    path = archive(tmp_path, ".zip", {"a": bytes(300_000)})
    path.write_bytes(path.read_bytes().replace(struct.pack("<I", 300_000), struct.pack("<I", 10)))
    source = open_archive(path, LIMIT)
    with pytest.raises(DataError, match="damaged"):
        contents(source)


def test_encrypted_zip_is_refused(tmp_path):
    path = archive(tmp_path, ".zip", {"a": b"x"})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match="is encrypted") as caught:
        open_archive(path, LIMIT)
    assert "'a'" in caught.value.got
    assert "password" in caught.value.fix


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.zip", True), ("a.TAR.GZ", True), ("a.tgz", True), ("a-ubyte.gz", False), ("zip", False)],
)
def test_archive_names(name, expected):
    assert is_archive(name) is expected


@pytest.mark.parametrize(("method", "name"), [(9, "Deflate64"), (93, "Zstandard"), (99, "AES")])
def test_compression_that_zipfile_lacks_is_named_with_a_remedy(tmp_path, method, name):
    path = archive(tmp_path, ".zip", {"a": b"x" * 100})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 10] = method
    path.write_bytes(content)
    with pytest.raises(DataError, match="compressed in a way") as caught:
        open_archive(path, LIMIT)
    assert f"method {method} ({name}" in caught.value.got
    assert "unpack it" in caught.value.fix
    assert "delete" not in caught.value.fix


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_of_zip_are_read(tmp_path, method):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", method) as file:
        file.writestr("x", MEMBERS["a/two.bin"])
    source = open_archive(tmp_path / "a.zip", LIMIT)
    assert contents(source) == {"x": MEMBERS["a/two.bin"]}
    with source.open("x") as file:
        assert file.read() == MEMBERS["a/two.bin"]


def test_what_an_archive_holds_decides_not_its_name(tmp_path):
    write_zip(tmp_path / "a.tar.gz", MEMBERS)
    write_tar(tmp_path / "b.zip", MEMBERS, "w:gz")
    write_tar(tmp_path / "c.tar", MEMBERS, "w:xz")
    for path in tmp_path.iterdir():
        assert contents(open_archive(path, LIMIT)) == MEMBERS


def test_last_volume_of_a_split_zip_says_how_to_join_them(tmp_path):
    path = archive(tmp_path, ".zip", {"a": os.urandom(4000)})
    content = path.read_bytes()
    (tmp_path / "file.z01").write_bytes(content[:3000])
    # As `zip -s` writes it: the last volume is number 1, counted from 0.
    end = content.index(b"PK\x05\x06")
    path.write_bytes(content[3000 : end + 4] + b"\1\0\1\0" + content[end + 8 :])
    with pytest.raises(DataError, match="split into volumes") as caught:
        contents(open_archive(path, LIMIT))
    assert "file.z01" in caught.value.got
    assert "zip -s 0" in caught.value.fix
    (tmp_path / "file.z01").unlink()
    with pytest.raises(DataError, match="split into volumes"):
        open_archive(path, LIMIT)
