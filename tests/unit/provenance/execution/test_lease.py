"""One process at a time holds a job's lease, whatever happens to the others."""

import json
import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest

from cactus.errors import LeaseError, StoppedError
from cactus.provenance.execution.lease import LEASE_FILE, Lease, read_lease
from cactus.train.stop import StopRequest

CONTEXT = multiprocessing.get_context("spawn")


def lease(folder: Path, **options) -> Lease:
    return Lease(folder / "work", "meta_train/a", **{"renewal": 0.1, "expiry": 1.0, **options})


def foreign(folder: Path, beat: int = 0) -> None:
    """Leave the lease of a process on another host."""
    (folder / "work").mkdir(exist_ok=True)
    facts = {"host": "elsewhere", "pid": 1, "token": "theirs", "beat": beat}
    (folder / "work" / LEASE_FILE).write_text(json.dumps(facts))


def test_it_exists_while_the_block_runs(tmp_path: Path):
    with lease(tmp_path) as held:
        facts = read_lease(tmp_path / "work")
        assert facts is not None
        assert (facts["pid"], facts["token"]) == (os.getpid(), held.token)
        held.check()
    assert read_lease(tmp_path / "work") is None
    assert not (tmp_path / "work").exists()


def test_what_is_kept_for_the_next_attempt_outlives_it(tmp_path: Path):
    with lease(tmp_path):
        (tmp_path / "work" / "checkpoints").mkdir()
    assert (tmp_path / "work" / "checkpoints").is_dir()


def test_it_is_released_when_the_block_fails(tmp_path: Path):
    with pytest.raises(KeyError), lease(tmp_path):
        raise KeyError
    assert read_lease(tmp_path / "work") is None


def test_a_link_whose_reply_was_lost_counts_as_made(tmp_path: Path, monkeypatch):
    """NFS may report that a link exists when a repeated request finds the first one's."""
    link = os.link

    def link_twice(source: Path, target: Path) -> None:
        link(source, target)
        link(source, target)

    monkeypatch.setattr(os, "link", link_twice)
    with lease(tmp_path) as held:
        held.check()


def _write_alone(folder: Path, writer: int, rounds: int) -> None:
    """Check repeatedly that nobody else is in the block."""
    for _ in range(rounds):
        with lease(folder):
            mark = folder / "inside"
            mark.touch(exist_ok=False)
            time.sleep(0.01)
            with (folder / "log").open("a") as file:
                file.write(f"{writer}\n")
            mark.unlink()


def test_many_processes_never_hold_it_together(tmp_path: Path):
    writers, rounds = 4, 8
    processes = [
        CONTEXT.Process(target=_write_alone, args=(tmp_path, writer, rounds))
        for writer in range(writers)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
        assert process.exitcode == 0
    lines = (tmp_path / "log").read_text().split()
    assert sorted(lines) == sorted(str(writer) for writer in range(writers) for _ in range(rounds))


def _hold(folder: Path, ready) -> None:
    with lease(folder):
        ready.set()
        signal.pause()


@pytest.fixture
def holder(tmp_path: Path):
    ready = CONTEXT.Event()
    process = CONTEXT.Process(target=_hold, args=(tmp_path, ready))
    process.start()
    assert ready.wait(60)
    yield process
    process.kill()
    process.join()


def test_a_second_process_waits_while_the_first_lives(tmp_path: Path, holder):
    second = CONTEXT.Process(target=_write_alone, args=(tmp_path, 2, 1))
    second.start()
    second.join(4)
    assert second.is_alive()
    assert not (tmp_path / "log").exists()
    holder.kill()
    second.join(60)
    assert (tmp_path / "log").read_text() == "2\n"


def test_the_lease_of_a_killed_process_is_taken_at_once(tmp_path: Path, holder, capsys):
    holder.kill()
    holder.join()
    with lease(tmp_path, expiry=1e9):
        pass
    assert "is gone" in capsys.readouterr().err


def test_a_silent_holder_on_another_host_loses_it(tmp_path: Path, capsys):
    foreign(tmp_path)
    with lease(tmp_path) as held:
        held.check()
    assert "taking over meta_train/a: its process on elsewhere" in capsys.readouterr().err


def _renew(folder: Path) -> None:
    for beat in range(30):
        foreign(folder, beat)
        time.sleep(0.1)
    (folder / "renewed").touch()


def test_a_holder_on_another_host_that_renews_it_keeps_it(tmp_path: Path):
    foreign(tmp_path)
    renewals = CONTEXT.Process(target=_renew, args=(tmp_path,))
    renewals.start()
    with lease(tmp_path):
        assert (tmp_path / "renewed").exists()
    renewals.join()


def test_a_process_that_lost_it_must_not_publish(tmp_path: Path):
    with lease(tmp_path, renewal=30.0) as held:
        foreign(tmp_path)
        with pytest.raises(LeaseError, match="taken over"):
            held.check()
    assert read_lease(tmp_path / "work")["token"] == "theirs"


def test_the_loss_is_noticed_at_a_renewal_and_ends_the_job(tmp_path: Path, capsys):
    def lose_it() -> None:
        with StopRequest("a job"), lease(tmp_path):
            foreign(tmp_path)
            time.sleep(60)

    with pytest.raises(StoppedError):
        lose_it()
    assert "taken over by another process" in capsys.readouterr().err
    assert read_lease(tmp_path / "work")["token"] == "theirs"


def test_each_renewal_updates_the_progress(tmp_path: Path):
    steps = iter(range(1000))
    with lease(tmp_path, progress=lambda: {"step": next(steps)}):
        deadline = time.monotonic() + 30
        while read_lease(tmp_path / "work")["step"] < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert read_lease(tmp_path / "work")["step"] >= 2


def test_a_damaged_lease_is_waited_for_and_then_taken(tmp_path: Path):
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / LEASE_FILE).write_text("{")
    with lease(tmp_path) as held:
        held.check()
