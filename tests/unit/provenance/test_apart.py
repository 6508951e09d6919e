"""Work in another process gives what it would give here."""

import os
import signal
import tempfile
import time
from pathlib import Path

import pytest

from cactus.errors import RecordError
from cactus.provenance.apart import started_apart


def nothing() -> None:
    pass


def test_it_runs_in_a_copy_of_this_process_that_was_prepared():
    known = {"here": os.getpid()}

    def prepare() -> None:
        known["prepared"] = os.getpid()

    hand_over = started_apart(prepare, lambda task: (task, os.getpid(), dict(known)))
    task, pid, found = hand_over("this")()
    assert task == "this"
    assert found == {"here": os.getpid(), "prepared": pid}
    assert pid != os.getpid()
    assert known == {"here": os.getpid()}


@pytest.mark.parametrize("where", ["prepare", "work"])
def test_what_it_raises_is_raised_here(where):
    def fail(*_: None) -> None:
        raise RecordError("No.", where="here", got="nothing", fix="wait")

    prepare, work = (fail, print) if where == "prepare" else (nothing, fail)
    wait = started_apart(prepare, work)(None)
    with pytest.raises(RecordError) as caught:
        wait()
    assert (caught.value.where, caught.value.got, caught.value.fix) == ("here", "nothing", "wait")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_work_that_is_stopped_closes_what_it_opened(number, tmp_path: Path):
    def work(_: None) -> None:
        with tempfile.TemporaryDirectory(dir=tmp_path):
            (tmp_path / "pid").write_text(str(os.getpid()))
            time.sleep(60)

    started_apart(nothing, work)(None)
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        time.sleep(0.01)
    os.kill(int((tmp_path / "pid").read_text()), number)
    while any(path.is_dir() for path in tmp_path.iterdir()):
        time.sleep(0.01)
    assert [path.name for path in tmp_path.iterdir()] == ["pid"]


@pytest.mark.parametrize("where", ["prepare", "work"])
def test_work_whose_process_is_killed_is_done_here(where):
    here = os.getpid()

    def killed(*_: None) -> int:
        if os.getpid() != here:
            os.kill(os.getpid(), signal.SIGKILL)
        return 7

    hand_over = started_apart(killed if where == "prepare" else nothing, killed)
    if where == "prepare":
        time.sleep(0.2)  # most likely, it is dead before it gets its task
    assert hand_over(None)() == 7


def test_a_process_that_gets_no_task_ends_with_the_one_that_started_it(tmp_path: Path):
    def prepare() -> None:
        (tmp_path / "pid").write_text(str(os.getpid()))

    parent = os.fork()
    if parent == 0:
        started_apart(prepare, print)
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(parent, 0)
    left = Path("/proc", (tmp_path / "pid").read_text())
    while left.exists() and ") Z " not in (left / "stat").read_text():
        time.sleep(0.01)
