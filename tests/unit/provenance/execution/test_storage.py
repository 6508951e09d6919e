"""Results reach their place, and survive, on any file system that a run may lie on."""

import errno
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from cactus.errors import StorageError
from cactus.provenance.execution.backups import _link_or_copy
from cactus.provenance.execution.lease import Lease
from cactus.provenance.execution.publish import _put_in_place
from cactus.provenance.execution.storage import check_storage


def refuse_links(monkeypatch, number, *, everywhere):
    link = os.link

    def linked(source, target):
        if everywhere or Path(source).parent != Path(target).parent:
            raise OSError(number, os.strerror(number), str(source))
        link(source, target)

    monkeypatch.setattr(os, "link", linked)


@pytest.mark.parametrize("number", [errno.EPERM, errno.EXDEV, errno.EOPNOTSUPP, errno.EMLINK])
def test_a_backup_is_a_copy_where_links_between_folders_are_refused(tmp_path, monkeypatch, number):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "a/result").write_text("1")
    _link_or_copy(tmp_path / "a/result", tmp_path / "b/linked")
    assert (tmp_path / "b/linked").stat().st_ino == (tmp_path / "a/result").stat().st_ino
    refuse_links(monkeypatch, number, everywhere=False)
    check_storage(tmp_path)
    _link_or_copy(tmp_path / "a/result", tmp_path / "b/copied")
    assert (tmp_path / "b/copied").read_text() == "1"


@pytest.mark.parametrize("same", [True, False])
def test_a_file_that_shows_up_late_is_replaced_by_its_backup(tmp_path, same):
    (tmp_path / "backup").write_text("1")
    target = tmp_path / "result"
    os.link(tmp_path / "backup", target) if same else target.write_text("0")
    _link_or_copy(tmp_path / "backup", target)
    assert target.samefile(tmp_path / "backup")


def test_a_file_system_without_links_is_refused_by_name(tmp_path, monkeypatch):
    refuse_links(monkeypatch, errno.EOPNOTSUPP, everywhere=True)
    with pytest.raises(StorageError, match="no hard links") as refused:
        check_storage(tmp_path / "run")
    assert refused.value.where == str(tmp_path / "run/work")
    assert list((tmp_path / "run/work").iterdir()) == []


def test_the_check_leaves_nothing(tmp_path):
    check_storage(tmp_path / "run")
    assert [path.name for path in (tmp_path / "run").rglob("*")] == ["work"]


@pytest.fixture
def other_disk(tmp_path):
    """A folder on another file system."""
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is only one file system")
    folder = Path(tempfile.mkdtemp(dir=memory))
    yield folder
    shutil.rmtree(folder)


def test_results_move_as_a_whole_to_another_file_system(tmp_path, other_disk):
    (other_disk / "job/deep").mkdir(parents=True)
    (other_disk / "job/deep/a.npy").write_bytes(b"1")
    results = tmp_path / "results"
    for leftover in (".s0.killed", "s0"):
        (results / leftover).mkdir(parents=True)
        (results / leftover / "old").touch()
    with Lease(tmp_path / "work", "a job") as lease:
        _put_in_place(other_disk / "job", results / "s0", lease)
    found = [path.relative_to(results).as_posix() for path in sorted(results.rglob("*"))]
    assert found == ["s0", "s0/deep", "s0/deep/a.npy"]


def test_results_replace_a_link_to_a_folder_kept_elsewhere(tmp_path):
    for folder in ("job", "elsewhere", "results"):
        (tmp_path / folder).mkdir()
    (tmp_path / "job/new").touch()
    (tmp_path / "elsewhere/old").touch()
    (tmp_path / "results/s0").symlink_to(tmp_path / "elsewhere")
    with Lease(tmp_path / "work", "a job") as lease:
        _put_in_place(tmp_path / "job", tmp_path / "results/s0", lease)
    assert [one.name for one in (tmp_path / "results").iterdir()] == ["s0"]
    assert [one.name for one in (tmp_path / "results/s0").iterdir()] == ["new"]
    assert (tmp_path / "elsewhere/old").exists()


def test_a_copy_that_fails_leaves_no_results_in_place(tmp_path, other_disk, monkeypatch):
    (other_disk / "job").mkdir()
    monkeypatch.setattr(shutil, "copytree", lambda *_: (_ for _ in ()).throw(OSError(28, "full")))
    lease = Lease(tmp_path / "work", "a job")
    with lease, pytest.raises(OSError, match="full"):
        _put_in_place(other_disk / "job", tmp_path / "results/s0", lease)
    assert list((tmp_path / "results").iterdir()) == []


@pytest.fixture
def nobody():
    """A new folder, and a user who is not root while the test runs."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    root = os.getuid() == 0
    if root:
        os.setresuid(65534, 65534, 0)
    yield folder / "run"
    if root:
        os.setresuid(0, 0, 0)
    shutil.rmtree(folder)


@pytest.mark.parametrize("name", ["models", "work", "."])
def test_a_folder_that_cannot_be_written_is_named(nobody, name):
    (nobody / name).mkdir(parents=True, exist_ok=True)
    (nobody / name).chmod(0o500)
    try:
        with pytest.raises(StorageError) as refused:
            check_storage(nobody)
    finally:
        (nobody / name).chmod(0o700)
    assert refused.value.where.startswith(str(nobody / name))
