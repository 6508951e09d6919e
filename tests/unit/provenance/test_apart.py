"""Work in another process gives what it would give here."""

import os
import signal
import tempfile
import time
from pathlib import Path

import pytest

from cactus.errors import RecordError
from cactus.provenance.apart import started_apart


def test_it_runs_in_a_copy_of_this_process():
    known = {"here": os.getpid()}
    pid, here = started_apart(lambda: (os.getpid(), known["here"]))()
    assert here == os.getpid() != pid


def test_what_it_raises_is_raised_here():
    def fail() -> None:
        raise RecordError("No.", where="here", got="nothing", fix="wait")

    wait = started_apart(fail)
    with pytest.raises(RecordError) as caught:
        wait()
    assert (caught.value.where, caught.value.got, caught.value.fix) == ("here", "nothing", "wait")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_work_that_is_stopped_closes_what_it_opened(number, tmp_path: Path):
    def work() -> None:
        with tempfile.TemporaryDirectory(dir=tmp_path):
            (tmp_path / "pid").write_text(str(os.getpid()))
            time.sleep(60)

    def stopped() -> None:
        started_apart(work)
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
            time.sleep(0.01)
        os.kill(int((tmp_path / "pid").read_text()), number)
        while any(path.is_dir() for path in tmp_path.iterdir()):
            time.sleep(0.01)

    stopped()
    assert [path.name for path in tmp_path.iterdir()] == ["pid"]


def test_work_whose_process_is_killed_is_done_here():
    here = os.getpid()

    def work() -> int:
        if os.getpid() != here:
            os.kill(os.getpid(), signal.SIGKILL)
        return 7

    assert started_apart(work)() == 7
