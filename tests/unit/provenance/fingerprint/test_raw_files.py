"""Hashes of raw files and of folders of loose images."""

import hashlib
from pathlib import Path

import pytest

from cactus.provenance.fingerprint.hash_cache import HashCache
from cactus.provenance.fingerprint.raw_files import (
    OTHERS,
    custom_raw_hashes,
    raw_hashes,
    read_raw_hashes,
)


def found(raw_dir: Path, *names: str) -> dict[str, str]:
    return raw_hashes(raw_dir, ["MNIST/raw", "mnist"], names, HashCache(None))


def test_a_file_is_found_in_any_of_the_folders(tmp_path: Path):
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist/a.gz").write_bytes(b"x")
    assert found(tmp_path, "a.gz", "b.gz") == {"a.gz": hashlib.sha256(b"x").hexdigest()}


def test_a_folder_changes_with_any_file_name_or_content_in_it(tmp_path: Path):
    folder = tmp_path / "mnist/images/n01"
    folder.mkdir(parents=True)
    (folder / "1.jpg").write_bytes(b"1")
    (folder / "2.jpg").write_bytes(b"2")
    hashes = {found(tmp_path, "images/")["images/"]}
    (folder / "2.jpg").write_bytes(b"3")
    hashes.add(found(tmp_path, "images/")["images/"])
    (folder / "2.jpg").rename(folder / "3.jpg")
    hashes.add(found(tmp_path, "images/")["images/"])
    (folder / "4.jpg").write_bytes(b"")
    hashes.add(found(tmp_path, "images/")["images/"])
    assert len(hashes) == 4


def test_the_folder_that_has_all_files_comes_first(tmp_path: Path):
    for name, content in (("MNIST/raw/a.gz", b"old"), ("mnist/a.gz", b"a"), ("mnist/b.gz", b"b")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    assert found(tmp_path, "a.gz", "b.gz")["a.gz"] == hashlib.sha256(b"a").hexdigest()
    (tmp_path / "mnist/b.gz").unlink()
    assert found(tmp_path, "a.gz", "b.gz")["a.gz"] == hashlib.sha256(b"old").hexdigest()


def test_unavailable_files_are_left_out(tmp_path: Path):
    assert found(tmp_path / "nowhere", "a.gz") == {}


def test_each_file_of_a_data_set_of_ones_own_counts_by_its_path(tmp_path: Path):
    folder = tmp_path / "birds"
    for name in ("wren/1.png", "owl/1.png", "list.csv", ".hidden", ".git/1.png", "owl/2.png.part"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    (tmp_path / "elsewhere").write_bytes(b"linked")
    (folder / "owl/3.png").symlink_to(tmp_path / "elsewhere")
    found = custom_raw_hashes(tmp_path, "birds", HashCache(None))
    contents = {name: name.encode() for name in ("list.csv", "owl/1.png", "wren/1.png")}
    contents["owl/3.png"] = b"linked"
    assert found == {name: hashlib.sha256(one).hexdigest() for name, one in contents.items()}


def test_a_data_set_without_a_folder_has_no_files(tmp_path: Path):
    assert custom_raw_hashes(tmp_path, "birds", HashCache(None)) == {}


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("images_background/Greek/character02/0002_01.png", True),  # in the folder that was read
        ("extra/Greek/character03/0003_01.png", False),
        ("more.zip", False),
        (".DS_Store", True),
        ("more.zip.part", True),
    ],
)
def test_a_file_that_is_added_to_what_was_read_counts(tmp_path: Path, name: str, same: bool):
    folder = tmp_path / "mnist"
    for one in ("images_background/Greek/character01/0001_01.png", "images_evaluation.zip", name):
        (folder / one).parent.mkdir(parents=True, exist_ok=True)
    for one in ("images_background/Greek/character01/0001_01.png", "images_evaluation.zip"):
        (folder / one).write_bytes(b"old")
    read = ["images_background/", "images_evaluation.zip"]
    before = read_raw_hashes(tmp_path, ["mnist"], read, HashCache(None))
    assert {*before} == {*read, OTHERS}
    (folder / name).write_bytes(b"new")
    after = read_raw_hashes(tmp_path, ["mnist"], read, HashCache(None))
    changed = {one for one in before if before[one] != after[one]}
    assert changed == (
        {"images_background/"} if "background" in name else set() if same else {OTHERS}
    )


def test_images_in_several_folders_count_as_all_files(tmp_path: Path):
    """The manifest names their common folder, which is the data set's own."""
    for part in ("images_background", "images_evaluation"):
        (tmp_path / f"mnist/{part}").mkdir(parents=True)
        (tmp_path / f"mnist/{part}/1.png").write_bytes(b"1")
    before = read_raw_hashes(tmp_path, ["mnist"], ["./"], HashCache(None))
    (tmp_path / "mnist/images_evaluation/2.png").write_bytes(b"2")
    after = read_raw_hashes(tmp_path, ["mnist"], ["./"], HashCache(None))
    assert {*before} == {*after} == {OTHERS}
    assert before != after
