import os
import stat
import subprocess

import numpy as np
import pytest

from cactus.errors import DataError, StorageError
from cactus.files import atomic_path, file_hash, read_array, read_json, write_array, write_json


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
