"""Archives whose headers were made to mislead."""

import subprocess
import tarfile
import warnings
import zipfile

import pytest

from cactus.data.files.archives import open_archive
from cactus.errors import DataError
from tests.unit.data.files.test_containers import LIMIT, TARS, archive, contents


def pax(**headers):
    info = tarfile.TarInfo("a.jpg")
    info.pax_headers = {key.replace("__", "."): value for key, value in headers.items()}
    return info


def header(**changes):
    info = tarfile.TarInfo("a")
    for key, value in changes.items():
        setattr(info, key, value)
    return info


TARRED = {
    "sparse map": [pax(GNU__sparse__map="x")],
    "sparse map of numbers": [pax(GNU__sparse__map="0,1")],
    "sparse size": [pax(GNU__sparse__size="99999999999")],
    "sparse 1.0": [pax(GNU__sparse__major="1", GNU__sparse__minor="0", GNU__sparse__name="x")],
    "negative size": [pax(size="-1")],
    "empty name": [header(name="")],
    "name of a dot": [header(name="./.")],
    "name in pax": [pax(path="../out")],
    "zero in a name": [pax(path="a\0b")],
    "long name": [header(name="x" * 5000)],
    "very long name": [header(name="x/" * 500_000)],
    "the same name twice": [header(), header()],
    "the same path twice": [header(name="a/b"), header(name="./a//b")],
    "a directory over a link": [header(type=tarfile.DIRTYPE), header(type=tarfile.SYMTYPE)],
}


@pytest.mark.parametrize("case", list(TARRED))
@pytest.mark.parametrize("suffix", [".tar", ".tar.gz"])
def test_odd_headers_of_tar_are_refused(tmp_path, case, suffix):
    path = tmp_path / f"file{suffix}"
    with tarfile.open(path, TARS[suffix], format=tarfile.PAX_FORMAT) as tar:
        for info in TARRED[case]:
            tar.addfile(info)
    with pytest.raises(DataError) as caught:
        contents(open_archive(path, LIMIT))
    assert len(str(caught.value)) < 10_000
    assert caught.value.got


@pytest.mark.parametrize(
    "headers", [{"size": "nan"}, {"mtime": "inf", "uid": "-"}, {"hdrcharset": "x"}]
)
def test_pax_headers_without_meaning_here_are_ignored(tmp_path, headers):
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(pax(**headers))
    assert contents(open_archive(tmp_path / "a.tar", LIMIT)) == {"a.jpg": b""}


def test_headers_of_gigabytes_are_refused_unread(tmp_path):
    for kind in (tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_SPARSE):
        info = header(type=kind)
        path = tmp_path / "file.tar.gz"
        with tarfile.open(path, "w:gz") as tar:
            info.size = 3 << 30
            tar.fileobj.write(info.tobuf(tarfile.GNU_FORMAT))
            tar.fileobj.write(bytes(1 << 20))
        with pytest.raises(DataError, match="not safe"):
            open_archive(path, LIMIT)


def test_damaged_header_does_not_pass_for_the_end_of_the_archive(tmp_path):
    path = archive(tmp_path, ".tar")
    content = bytearray(path.read_bytes())
    with tarfile.open(path) as tar:
        content[tar.getmembers()[1].offset + 5] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match="damaged"):
        open_archive(path, LIMIT)


def test_folder_itself_may_be_a_member(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.txt").write_bytes(b"x")
    subprocess.run(["tar", "-C", tmp_path / "in", "-czf", tmp_path / "a.tar.gz", "."], check=True)
    assert contents(open_archive(tmp_path / "a.tar.gz", LIMIT)) == {"./a.txt": b"x"}
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("./", b"")
        file.writestr("./a.txt", b"x")
    assert contents(open_archive(tmp_path / "a.zip", LIMIT)) == {"./a.txt": b"x"}


def zip_with(path, *names):
    with zipfile.ZipFile(path, "w") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in names:
            file.writestr(zipfile.ZipInfo(name), b"x")


@pytest.mark.parametrize(
    "names", [[""], ["a", "a"], ["a/b", "a//b"], ["a/b", "a\\b"], ["x" * 6000], ["."], ["a/.."]]
)
def test_odd_names_in_zip_are_refused(tmp_path, names):
    zip_with(tmp_path / "a.zip", *names)
    with pytest.raises(DataError, match="not safe"):
        open_archive(tmp_path / "a.zip", LIMIT)


@pytest.mark.parametrize("name", [b"a\0b", b"\xffab"])
def test_names_in_zip_that_are_no_text_are_refused(tmp_path, name):
    path = tmp_path / "a.zip"
    zip_with(path, "a\u20acb"[: len(name)])
    content = path.read_bytes()
    old = "a\u20acb"[: len(name)].encode()
    path.write_bytes(content.replace(old, name.ljust(len(old), b"b")))
    with pytest.raises(DataError):
        open_archive(path, LIMIT)


def test_members_that_share_their_bytes_are_refused(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a", bytes(100_000))
        shared = file.getinfo("a")
        for i in range(20):
            info = zipfile.ZipInfo(f"b{i}")
            for key in ("CRC", "compress_size", "file_size", "header_offset", "compress_type"):
                setattr(info, key, getattr(shared, key))
            file.filelist.append(info)
        file._didModify = True
    with pytest.raises(DataError, match="not safe") as caught:
        open_archive(path, 100 << 20)
    assert "shares its bytes" in caught.value.got
