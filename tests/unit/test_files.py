import errno
import os
import stat

import numpy as np
import pytest

from cactus.errors import DataError, StorageError
from cactus.files import atomic_path, file_hash, read_array, read_json, write_array, write_json


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    target = tmp_path / "result.json"
    write_json(target, {"value": 1})
    with pytest.raises(RuntimeError), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert read_json(target) == {"value": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]


def test_a_full_disk_is_a_storage_error_and_leaves_nothing(tmp_path):
    with pytest.raises(StorageError, match="disk is full"), atomic_path(tmp_path / "a") as path:
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert list(tmp_path.iterdir()) == []


def test_a_really_full_device_is_told_as_such():
    with pytest.raises(OSError, match="No space left"), open("/dev/full", "wb") as device:
        device.write(b"x")
        device.flush()


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
