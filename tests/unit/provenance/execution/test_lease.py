"""One process at a time holds a job's lease, whatever happens to the others."""

import errno
import json
import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest

import cactus.provenance.execution.lease
from cactus.errors import LeaseError, StoppedError, StorageError
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


def test_a_holder_on_another_host_that_renews_it_keeps_it(tmp_path: Path, monkeypatch):
    """The clock stands still but for the waiting, so a busy machine changes nothing."""
    foreign(tmp_path)
    clock = [0.0]

    def sleep(_: float) -> None:  # the holder renews just in time, and then stops
        clock[0] += 0.9
        if clock[0] < 9:
            foreign(tmp_path, int(clock[0] * 10))

    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(time, "sleep", sleep)
    with lease(tmp_path, renewal=30.0) as held:
        assert clock[0] > 9
        held.check()


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


def test_a_file_system_without_hard_links_is_named(tmp_path: Path, monkeypatch):
    def link(source: Path, target: Path) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported", str(source), None, str(target))

    monkeypatch.setattr(os, "link", link)
    with pytest.raises(StorageError, match="hard links") as caught, lease(tmp_path):
        pass
    assert caught.value.where == str(tmp_path / "work")
    assert list((tmp_path / "work").iterdir()) == []


def test_a_file_that_was_replaced_while_it_was_read_is_read_again(tmp_path: Path, monkeypatch):
    """As on NFS, where another host's rename takes the open file away."""
    foreign(tmp_path)
    read, failures = Path.read_text, [OSError(errno.ESTALE, "Stale file handle")]

    def read_text(path: Path, **options) -> str:
        if failures:
            raise failures.pop()
        return read(path, **options)

    monkeypatch.setattr(Path, "read_text", read_text)
    assert read_lease(tmp_path / "work")["token"] == "theirs"


def test_a_renewal_that_fails_is_tried_again(tmp_path: Path, capfd):
    with lease(tmp_path) as held:
        work, away = tmp_path / "work", tmp_path / "away"
        work.rename(away)
        work.write_text("not a folder: neither reads nor writes succeed")
        while "was not renewed" not in capfd.readouterr().err:
            time.sleep(0.05)
        work.unlink()
        away.rename(work)
        beat = read_lease(work)["beat"]
        while read_lease(work)["beat"] == beat:
            time.sleep(0.05)
        held.check()


def test_only_its_own_lease_is_removed(tmp_path: Path, monkeypatch):
    """A process may hang between its last look at the lease and its removal."""
    with lease(tmp_path, renewal=30.0) as held:
        monkeypatch.setattr(Lease, "held", property(lambda _: foreign(tmp_path) or True))
    assert read_lease(tmp_path / "work")["token"] == "theirs"
    assert not list(held.folder.glob(".*"))


def test_a_lease_that_shows_up_late_is_waited_for_calmly(tmp_path: Path, monkeypatch):
    """Another host's file may exist for the server, and not yet for this host."""
    foreign(tmp_path)
    sleeps, sleep = [], time.sleep
    unseen = [None] * 3

    def late(path: Path):
        return unseen.pop() if unseen else read(path)

    read = cactus.provenance.execution.lease._read
    monkeypatch.setattr(cactus.provenance.execution.lease, "_read", late)
    monkeypatch.setattr(time, "sleep", lambda seconds: sleeps.append(seconds) or sleep(0.01))
    with lease(tmp_path, expiry=0.5):
        pass
    assert len(sleeps) >= 3
