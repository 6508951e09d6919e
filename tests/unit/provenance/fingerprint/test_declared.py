"""Declared files: names, folders and patterns, and what cannot be hashed."""

import hashlib
import os
from pathlib import Path

import pytest

from cactus.errors import ConfigError
from cactus.provenance.crate.files import declared_name
from cactus.provenance.fingerprint import declared
from cactus.provenance.fingerprint.declared import declared_hashes
from cactus.provenance.fingerprint.hash_cache import HashCache
from cactus.provenance.records.reasons import ABSENT

FILES = ("a.npy", "b.pt", "sub/c.npy", "sub/deep/d.npy", ".hidden", "sub/.hidden/e.npy", "[x].npy")


@pytest.fixture
def start(tmp_path: Path) -> Path:
    for name in FILES:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "fifo")
    return tmp_path


@pytest.mark.parametrize(
    ("entries", "names"),
    [
        (["a.npy"], ["a.npy"]),
        (["a.npy", "a.npy", "*.npy"], ["[x].npy", "a.npy"]),
        (["sub"], ["sub/c.npy", "sub/deep/d.npy"]),
        (["sub/"], ["sub/c.npy", "sub/deep/d.npy"]),
        (["sub/**/*.npy"], ["sub/c.npy", "sub/deep/d.npy"]),
        (["[x].npy"], ["[x].npy"]),
        ([], []),
    ],
)
def test_folders_and_patterns_stand_for_files(start: Path, entries: list[str], names: list[str]):
    found = declared_hashes(start, entries, HashCache(None))
    contents = {name: (start / name).read_bytes() for name in names}
    assert found == {name: hashlib.sha256(one).hexdigest() for name, one in contents.items()}


@pytest.mark.parametrize("entry", ["none.npy", "empty", "*.npz", "none/**/*.npy", "fifo"])
def test_what_does_not_exist_is_absent(start: Path, entry: str):
    assert declared_hashes(start, [entry], HashCache(None)) == {entry: ABSENT}


def test_absolute_paths_and_the_home_folder_keep_their_names(start: Path, monkeypatch):
    monkeypatch.setenv("HOME", str(start))
    found = declared_hashes(Path(), [str(start / "a.npy"), "~/b.pt"], HashCache(None))
    assert [*found] == [str(start / "a.npy"), "~/b.pt"]
    assert ABSENT not in found.values()


def test_a_replaced_file_has_another_hash_though_its_time_is_the_same(start: Path):
    cache, path = HashCache(None), start / "a.npy"
    before, times = declared_hashes(start, ["a.npy"], cache), path.stat()
    path.write_text("z.npy")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert declared_hashes(start, ["a.npy"], cache) != before


def test_a_link_to_nothing_in_a_folder_without_files_is_named(tmp_path: Path):
    (tmp_path / "lists").mkdir()
    assert declared.missing_file(tmp_path, "lists", "key").got == "lists: a folder without files"
    (tmp_path / "lists/a.csv").symlink_to(tmp_path / "moved.csv")
    error = declared.missing_file(tmp_path, "lists", "key")
    assert error.got == "lists: a folder without files, a.csv in it is a link to nothing"


@pytest.mark.parametrize("entry", ["**", "**/*.npy", ".", "./", "sub/..", ".."])
def test_a_folder_in_which_runs_are_made_is_refused_before_there_are_any(start: Path, entry: str):
    for one in (entry, str(start.parent)):
        with pytest.raises(ConfigError) as error:
            declared_hashes(start, [one], HashCache(None))
        assert "takes in the folder in which runs are made" in error.value.got


@pytest.mark.parametrize("entry", ["*/*.npy", "../*/results/*.npy"])
def test_what_runs_make_is_no_file_of_the_user(start: Path, entry: str):
    (start / "results").mkdir()
    (start / "results/made.npy").touch()
    with pytest.raises(ConfigError) as error:
        declared_hashes(start, [entry], HashCache(None))
    assert "results/made.npy" in error.value.got
    assert declared_hashes(start, ["results/*.npy"], HashCache(None)).keys() == {"results/made.npy"}


def test_too_many_files_are_refused(start: Path, monkeypatch):
    monkeypatch.setattr(declared, "_MOST", 1)
    with pytest.raises(ConfigError, match="cannot be used") as caught:
        declared_hashes(start, ["sub"], HashCache(None))
    assert caught.value.got == "more than 1 files"


@pytest.mark.parametrize(
    ("name", "carried"),
    [
        ("vectors/a.npy", "vectors/a.npy"),
        ("./a.npy", "a.npy"),
        ("../a.npy", None),
        ("x/../../a.npy", None),
        ("/data/a.npy", None),
        ("~/a.npy", None),
    ],
)
def test_a_crate_carries_files_below_the_project(name: str, carried: str | None):
    assert declared_name(name) == carried
