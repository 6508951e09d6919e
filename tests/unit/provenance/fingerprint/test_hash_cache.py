"""The cache of hashes is right after every change, and saves work if nothing changed."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cactus.provenance.fingerprint import hash_cache
from cactus.provenance.fingerprint.hash_cache import HashCache


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(contents=st.lists(st.binary(max_size=20), min_size=1, max_size=6))
def test_every_change_is_seen(tmp_path: Path, contents: list[bytes]):
    cache, path = HashCache(None), tmp_path / "file"
    for content in contents:
        path.write_bytes(content)
        assert cache.sha256(path) == sha256(content)


def test_a_change_with_equal_size_and_time_is_seen(tmp_path: Path):
    cache, path = HashCache(None), tmp_path / "file"
    path.write_bytes(b"first")
    before = path.stat()
    cache.sha256(path)
    path.write_bytes(b"other")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert cache.sha256(path) == sha256(b"other")


def test_an_unchanged_file_is_read_only_once_even_by_another_process(tmp_path: Path, monkeypatch):
    cache, path = HashCache.load(tmp_path / "hashes.json"), tmp_path / "file"
    path.write_bytes(b"content")
    cache.warm([path, tmp_path / "absent"])
    cache.save()

    def unwanted(_: Path) -> str:
        raise AssertionError("the file was read again")

    monkeypatch.setattr(hash_cache, "file_hash", unwanted)
    assert HashCache.load(tmp_path / "hashes.json").sha256(path) == sha256(b"content")


AT_EXIT = """
import atexit, sys
from pathlib import Path
from cactus.provenance.fingerprint.hash_cache import HashCache

def last():
    cache = HashCache(None)
    cache.warm([Path(sys.argv[1])])
    print(cache.sha256(Path(sys.argv[1])))

atexit.register(last)
"""


def test_a_file_is_hashed_as_python_exits_too(tmp_path: Path):
    path = tmp_path / "file"
    path.write_bytes(b"content")
    command = [sys.executable, "-c", AT_EXIT, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (done.stdout.strip(), done.stderr) == (sha256(b"content"), "")


ENTRY = {"path": "/a", "state": [1, 2, 3, 4], "value": "0" * 64}


def saved(**changes: object) -> str:
    return json.dumps({"form": 6, "entries": {"sha256:/a": {**ENTRY, **changes}}})


def test_a_valid_cache_is_read(tmp_path: Path):
    (tmp_path / "hashes.json").write_text(saved())
    assert len(HashCache.load(tmp_path / "hashes.json").entries) == 1


def test_a_cache_that_cannot_be_saved_is_skipped(tmp_path: Path):
    path = tmp_path / "file"
    path.write_bytes(b"x")
    cache = HashCache.load(path / "hashes.json")  # below a file
    assert cache.sha256(path) == sha256(b"x")
    cache.save()
    assert path.read_bytes() == b"x"


@pytest.mark.parametrize(
    "content",
    [
        "", "[]", "{}", '{"form": 0, "entries": {}}', "\x00", '{"form": 6, "entries": []}',
        saved(value=3), saved(value="0"), saved(state=[1, 2, 3]), saved(state=None),
        saved(path=None), saved(value=["0" * 64]), saved(state=["a"] * 4), "[" * 10**5,
    ],
    ids=map(str, range(14)),
)  # fmt: skip
def test_a_damaged_cache_counts_as_empty(tmp_path: Path, content: str):
    (tmp_path / "hashes.json").write_text(content)
    path = tmp_path / "file"
    path.write_bytes(b"x")
    cache = HashCache.load(tmp_path / "hashes.json")
    assert cache.entries == {}
    assert cache.sha256(path) == sha256(b"x")


def test_deleted_files_are_dropped_from_the_cache(tmp_path: Path):
    cache, path = HashCache.load(tmp_path / "hashes.json"), tmp_path / "file"
    path.write_bytes(b"x")
    cache.sha256(path)
    path.unlink()
    cache.save()
    assert HashCache.load(tmp_path / "hashes.json").entries == {}
