import os
import stat
import subprocess
from pathlib import Path

import numpy as np
import pytest

from cactus.data.array_files import read_array, write_array
from cactus.errors import DataError, StorageError
from cactus.files import atomic_path, file_hash, parse_json, read_json, write_json


def write_half(target):
    with atomic_path(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    target = tmp_path / "result.json"
    write_json(target, {"value": 1})
    with pytest.raises(RuntimeError):
        write_half(target)
    assert read_json(target) == {"value": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]


@pytest.fixture
def small_disk(tmp_path):
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk needs root")
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_full_disk_is_a_storage_error_and_leaves_nothing(small_disk):
    with pytest.raises(StorageError, match="disk is full") as caught:
        write_array(small_disk / "large.npy", np.zeros(100_000))
    assert "large.npy" in caught.value.where
    assert list(small_disk.iterdir()) == []


def test_written_files_have_the_permissions_of_the_umask(tmp_path):
    old = os.umask(0o027)
    try:
        write_json(tmp_path / "a.json", 1)
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "a.json").stat().st_mode) == 0o640


def test_arrays_round_trip_and_refuse_pickles(tmp_path):
    array = np.arange(12, dtype=np.uint8).reshape(3, 4)
    write_array(tmp_path / "a.npy", array)
    np.testing.assert_array_equal(read_array(tmp_path / "a.npy", mmap=True), array)
    np.save(tmp_path / "object.npy", np.array([object()]), allow_pickle=True)
    with pytest.raises(DataError, match="cannot be read"):
        read_array(tmp_path / "object.npy")


@pytest.mark.parametrize("content", ["", "{", "not json"])
def test_a_damaged_json_file_is_named(tmp_path, content):
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(DataError) as caught:
        read_json(tmp_path / "a.json")
    assert "a.json" in str(caught.value)


def test_file_hash_is_sha256(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    assert file_hash(tmp_path / "abc").startswith("ba7816bf8f01cfea")


def test_the_file_is_on_disk_before_its_rename_and_the_rename_after_it(tmp_path, monkeypatch):
    flushed = []
    fsync = os.fsync

    def recorded(descriptor):
        fsync(descriptor)
        whole = (tmp_path / "result.json").exists()
        flushed.append((os.fstat(descriptor).st_ino == tmp_path.stat().st_ino, whole))

    monkeypatch.setattr(os, "fsync", recorded)
    write_json(tmp_path / "result.json", {})
    assert flushed == [(False, False), (True, True)]


@pytest.mark.parametrize(
    "text",
    [
        '{"a": NaN}', "[-Infinity]", "1e999", "9" * 41, "9" * 5000, '{"a": 1, "a": 1}',
        '"\\ud800"', '{"\\udc00": 1}', "[" * 101 + "]" * 101, "[" * 10**6, "\ufeff1", "1 2", "'a'",
    ],
    ids=lambda text: text[:20],
)  # fmt: skip
def test_json_that_python_would_take_or_choke_on_is_refused(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(DataError, match="cannot be read"):
        read_json(tmp_path / "a.json")


def test_json_within_the_limits_is_read():
    assert parse_json('["\\ud83d\\ude00", 1.5e300, -7]') == ["\U0001f600", 1.5e300, -7]
    assert parse_json("9" * 40) == int("9" * 40)
    assert parse_json("[" * 100 + "]" * 100)


def array_file(header: bytes, content: bytes = bytes(64)) -> bytes:
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + content


def described(descr: str, shape: str) -> bytes:
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n"
    return array_file(text.encode())


@pytest.mark.parametrize(
    "content",
    [
        b"", b"PK\x03\x04", b"\x93NUMPY", b"\x93NUMPY\x09\x00", b"\x80\x04N.",
        array_file(b"("), array_file(b"(" * 9000), array_file(b"'''  \n"), array_file(b"{  \n"),
        array_file(b"{'descr': '|" + bytes(90)), array_file(b"\xff" * 20), array_file(b"{}"),
        array_file(b"[" * 9000 + b"]" * 9000), array_file(b"-" * 9000 + b"1"),
        described("'<f8'", "(99999999999,)"), described("'<f8'", "(2**62, 2**62)"),
        described("'<f8'", f"({2**62}, {2**62}, 0, 1)"), described("'<f8'", "(-8,)"),
        described("'<f8'", "(9,)"), described("'<f8'", "(7,)"), described("'|O'", "(8,)"),
        described("'|S64'", "(1,)"), described("'|V64'", "(1,)"), described("'<M8[s]'", "(8,)"),
        described("[('a', '<f8')]", "(8,)"), described("'|V99999999999999999999'", "(1,)"),
    ],
    ids=map(str, range(26)),
)  # fmt: skip
@pytest.mark.parametrize("mmap", [False, True])
def test_a_damaged_array_is_refused_before_memory_is_taken(tmp_path, content, mmap):
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(DataError, match="cannot be read") as caught:
        read_array(tmp_path / "a.npy", mmap=mmap)
    assert "a.npy" in caught.value.where


@pytest.mark.parametrize("read", [read_json, read_array, file_hash])
def test_what_is_no_regular_file_is_refused_without_waiting_for_it(tmp_path, read):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, Path("/dev/zero")):
        with pytest.raises((DataError, OSError), match=r"cannot be read|not a regular file"):
            read(path)
