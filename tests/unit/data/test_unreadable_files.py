"""Raw files that are no plain files, or that the user may not read."""

import os
import traceback
from pathlib import Path

import pytest

from cactus.data.prepare import check_raw, prepare
from cactus.errors import DataError
from tests.unit.data.rawfiles import SETTINGS, mnist_arrays, mnist_members, write_files, write_zip

MEMBERS = mnist_members(mnist_arrays())
NAME = "train-images-idx3-ubyte.gz"
NOBODY = 65534


def run(raw, out):
    check_raw("mnist", SETTINGS, raw)
    prepare("mnist", SETTINGS, raw, out, synthetic=False)


def run_as_nobody(raw, out):
    """Run in a process without root's rights, if this one has them; return what it says."""
    run(raw, out)  # imports all that is needed, which the process might not be allowed to
    out.chmod(0o777)
    yield
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        if os.getuid() == 0:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        try:
            run(raw, out)
            said = "no error"
        except DataError as error:
            said = str(error)
        except BaseException:
            said = traceback.format_exc()
        os.write(write, said.encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    yield said


@pytest.fixture
def open_folders(tmp_path):
    """Let every user reach the folder of the test."""
    modes = {}
    for folder in (tmp_path, *tmp_path.parents):
        modes[folder] = folder.stat().st_mode
        if os.getuid() == folder.stat().st_uid and folder != Path("/"):
            folder.chmod(modes[folder] | 0o055)
    yield
    for folder, mode in modes.items():
        if os.getuid() == folder.stat().st_uid and folder != Path("/"):
            folder.chmod(mode)


@pytest.mark.usefixtures("open_folders")
@pytest.mark.parametrize(
    "closed", [f"mnist/{NAME}", "mnist/more", "mnist", "", "mnist/other.zip", "mnist/note.txt"]
)
def test_what_may_not_be_read_is_named_once(tmp_path, closed):
    raw, out = tmp_path / "raw", tmp_path / "out"
    write_files(raw / "mnist", MEMBERS | {"more/x.txt": b"", "note.txt": b""})
    write_zip(raw / "mnist/other.zip", {"x": b""})
    steps = run_as_nobody(raw, out)
    next(steps)
    (raw / closed).chmod(0)
    said = next(steps)
    (raw / closed).chmod(0o755)
    assert said.startswith("A raw file or folder cannot be read."), said
    assert f"where: {(raw / closed).as_posix()}" in said
    assert "Permission denied" in said
    assert "chmod" in said
    assert "delete" not in said


def make_fifo(path):
    os.mkfifo(path)


def make_dangling(path):
    path.symlink_to(path.with_name("nothing"))


def make_device(path):
    path.symlink_to("/dev/zero")


def make_folder(path):
    path.mkdir()


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (make_fifo, "a pipe"),
        (make_dangling, "a link to nothing"),
        (make_device, "a device"),
        (make_folder, "a folder, not a file"),
    ],
)
def test_what_is_no_file_is_named(tmp_path, make, kind):
    write_files(tmp_path / "mnist", MEMBERS)
    (tmp_path / "mnist" / NAME).unlink()
    make(tmp_path / "mnist" / NAME)
    with pytest.raises(DataError, match="are missing") as caught:
        run(tmp_path, tmp_path / "out")
    assert f"no {NAME}; seen there and not used: {NAME}" in caught.value.got
    assert f"({kind})" in caught.value.got


@pytest.mark.parametrize("make", [make_fifo, make_dangling])
@pytest.mark.parametrize("name", ["x.zip", "x.tar.gz"])
def test_archives_that_are_no_files_do_not_stop_the_rest(tmp_path, make, name):
    write_files(tmp_path / "mnist", MEMBERS)
    make(tmp_path / "mnist" / name)
    run(tmp_path, tmp_path / "out")


def test_file_in_the_place_of_the_folder(tmp_path):
    (tmp_path / "mnist").write_bytes(b"")
    with pytest.raises(DataError, match="is not a folder"):
        check_raw("mnist", SETTINGS, tmp_path)


def test_file_in_the_place_of_all_raw_data(tmp_path):
    (tmp_path / "raw").write_bytes(b"")
    with pytest.raises(DataError) as caught:
        check_raw("mnist", SETTINGS, tmp_path / "raw")
    assert caught.value.where.startswith(str(tmp_path / "raw"))
