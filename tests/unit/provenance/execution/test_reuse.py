"""Taking another run's results is all or nothing, whenever it is interrupted."""

import errno
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cactus.errors import LeaseError
from cactus.files import file_hash, write_json
from cactus.provenance.execution.attempts import work_folder
from cactus.provenance.execution.lease import Lease
from cactus.provenance.execution.publish import restore_if_finished, reuse
from cactus.provenance.execution.running_job import RunningJob
from cactus.provenance.fingerprint.other_runs import Donor
from cactus.provenance.records.record import (
    FileEntity,
    Record,
    read_record,
    record_path,
    write_record,
)
from cactus.train.stop import StopRequest
from tests.unit.provenance.fingerprint.test_other_runs import RESULT, finished

MORE = "raw/mnist/images/a.gz"


class Killed(BaseException):
    """Stands for a signal that nothing catches."""


@pytest.fixture
def donor(tmp_path: Path) -> Donor:
    run = tmp_path / "donor"
    record = finished(run)
    (run / MORE).parent.mkdir()
    (run / MORE).write_bytes(b"images")
    entities = {**record.entities, MORE: FileEntity(sha256=file_hash(run / MORE), bytes=6)}
    write_record(run, record.model_copy(update={"entities": entities}))
    found = read_record(run, record.job)
    assert found is not None
    return Donor(run, found)


def running(folder: Path, donor: Donor) -> RunningJob:
    plan = donor.record.plan.model_copy(update={"raw": {}})
    lease = Lease(work_folder(folder, plan.job), plan.job.name)
    return RunningJob(folder, plan, StopRequest("job"), lease, {}, datetime.now(UTC), 0.0)


def take(job: RunningJob, *donors: Donor) -> tuple[str, list[str]]:
    refused: list[str] = []
    with job.lease:
        return reuse(job, donors, refused.append), refused


def complete(folder: Path, donor: Donor) -> bool:
    """Return whether a run has the results, the sources and the record, and nothing else."""
    record = read_record(folder, donor.record.job)
    if record is None:
        return False
    made = {path.relative_to(folder).as_posix() for path in (folder / "raw").rglob("*.*")}
    assert made == {RESULT, MORE}
    assert all(file_hash(folder / name) == one.sha256 for name, one in record.entities.items())
    assert {*record.texts} <= {path.name for path in (folder / "objects").rglob("*")}
    assert record.model_copy(update={"reused": [], "links": None}) == donor.record
    assert [one.run for one in record.reused] == [donor.run]
    return True


def test_results_are_links_that_cannot_be_written(tmp_path: Path, donor: Donor):
    own = tmp_path / "own"
    assert take(running(own, donor), donor) == ("reused from donor", [])
    assert complete(own, donor)
    for name in (RESULT, MORE):
        assert (own / name).samefile(donor.run_folder / name)
        assert (own / name).stat().st_mode & 0o222 == 0
    own_record, other = (record_path(run, donor.record.job) for run in (own, donor.run_folder))
    assert not own_record.samefile(other)


def test_old_results_give_way(tmp_path: Path, donor: Donor):
    own = tmp_path / "own"
    (own / "raw/mnist").mkdir(parents=True)
    (own / RESULT).write_text("old")
    (own / "raw/mnist/stray.gz").touch()
    take(running(own, donor), donor)
    assert complete(own, donor)


def test_a_chain_of_runs_is_recorded(tmp_path: Path, donor: Donor):
    take(running(tmp_path / "own", donor), donor)
    record = read_record(tmp_path / "own", donor.record.job)
    assert record is not None
    origin, _ = take(running(tmp_path / "third", donor), Donor(tmp_path / "own", record))
    third = read_record(tmp_path / "third", donor.record.job)
    assert third is not None
    assert [one.run for one in third.reused] == ["donor", "own"]
    assert origin == "reused from own"


@pytest.mark.parametrize("code", [errno.EXDEV, errno.EPERM, errno.EMLINK])
def test_where_links_are_refused_files_are_copied(
    tmp_path: Path, donor: Donor, monkeypatch: pytest.MonkeyPatch, code: int
):
    def refuse(source: Path, target: Path) -> None:
        if donor.run_folder in Path(source).parents:
            raise OSError(code, os.strerror(code), str(target))
        real(source, target)

    real = os.link
    monkeypatch.setattr(os, "link", refuse)
    own = tmp_path / "own"
    take(running(own, donor), donor)
    assert complete(own, donor)
    assert not (own / MORE).samefile(donor.run_folder / MORE)
    assert (donor.run_folder / MORE).stat().st_mode & 0o200


def change(donor: Donor) -> None:
    (donor.run_folder / MORE).write_bytes(b"others")


def remove(donor: Donor) -> None:
    (donor.run_folder / MORE).unlink()


@pytest.mark.parametrize("harm", [change, remove])
def test_a_run_that_changes_meanwhile_is_left_out_and_the_next_one_taken(
    tmp_path: Path, donor: Donor, harm: Callable[[Donor], None]
):
    take(running(tmp_path / "next", donor), donor)
    record = read_record(tmp_path / "next", donor.record.job)
    assert record is not None
    (donor.run_folder / MORE).unlink()
    (donor.run_folder / MORE).write_bytes(b"images")
    harm(donor)
    own = tmp_path / "own"
    origin, refused = take(running(own, donor), donor, Donor(tmp_path / "next", record))
    assert origin == "reused from next"
    assert len(refused) == 1
    assert refused[0].startswith("donor: ")
    assert MORE in refused[0]
    alone, refused = take(running(tmp_path / "alone", donor), donor)
    assert (alone, len(refused)) == ("", 1)
    assert not (tmp_path / "alone/raw").exists()
    assert not (tmp_path / "alone/records").exists()


def interrupt_after(calls: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kill the process at one of its calls that change the disk."""
    left = [calls]

    def counted(real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **named: object) -> object:
            if left[0] == 0:
                raise Killed
            left[0] -= 1
            return real(*arguments, **named)

        return call

    for name in ("link", "unlink", "chmod", "replace", "rmdir"):
        monkeypatch.setattr(os, name, counted(getattr(os, name)))


@pytest.mark.parametrize("calls", range(40))
def test_an_interrupted_reuse_leaves_nothing_half_made(
    tmp_path: Path, donor: Donor, calls: int, monkeypatch: pytest.MonkeyPatch
):
    own = tmp_path / "own"
    (own / "raw/mnist").mkdir(parents=True)
    (own / "raw/mnist/stray.gz").touch()
    job = running(own, donor)
    with job.lease:
        with monkeypatch.context() as patched:
            interrupt_after(calls, patched)
            killed = False
            try:
                reuse(job, [donor], print)
            except Killed:
                killed = True
        assert complete(own, donor) or killed
        # The next attempt goes on from there.
        if not restore_if_finished(own, job.plan):
            assert reuse(job, [donor], print)
    assert complete(own, donor)
    assert Record.model_validate(donor.record.model_dump(by_alias=True)) == donor.record
    assert (donor.run_folder / MORE).read_bytes() == b"images"


class Lost(Lease):
    """A lease that another process has taken over."""

    def check(self) -> None:
        write_json(self.path, {"host": "elsewhere", "pid": 1, "token": "theirs"})
        super().check()


def test_a_process_that_lost_the_job_takes_nothing(tmp_path: Path, donor: Donor):
    own = tmp_path / "own"
    (own / "raw/mnist").mkdir(parents=True)
    (own / RESULT).write_text("theirs")
    job = running(own, donor)
    job.lease = Lost(job.work, "a job")
    with job.lease, pytest.raises(LeaseError):
        reuse(job, [donor], print)
    assert (own / RESULT).read_text() == "theirs"
    assert not record_path(own, donor.record.job).exists()
