"""What a job keeps between attempts belongs to exactly one plan."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cactus.errors import LeaseError
from cactus.files import write_json
from cactus.provenance.execution.attempts import work_folder
from cactus.provenance.execution.lease import Lease
from cactus.provenance.execution.publish import clear_work, prepare_folders, publish
from cactus.provenance.execution.running_job import RunningJob
from cactus.provenance.records.plan import Plan
from cactus.train.stop import StopRequest

CELL = "omniglot/acai/maml/s0"
FACTS: dict[str, Any] = {
    "stage": "meta_train",
    "cell": CELL,
    "spec": {"seed": 0, "way": 5},
    "code": {"meta_train.py": "a" * 64},
    "libraries": {"torch": "2.14.1"},
    "files": {},
    "inputs": {"data/omniglot/manifest.json": "b" * 64},
}


def job(folder: Path, **changes: Any) -> RunningJob:
    plan = Plan.model_validate({**FACTS, **changes})
    lease = Lease(work_folder(folder, plan.job), plan.job.name)
    return RunningJob(folder, plan, StopRequest("job"), lease, {}, datetime.now(UTC), 0.0)


@pytest.mark.parametrize(
    "changes",
    [
        {"cell": "omniglot/acai/maml/s1"},
        {"spec": {"seed": 0, "way": 6}},
        {"code": {"meta_train.py": "c" * 64}},
        {"libraries": {"torch": "2.15.0"}},
        {"files": {"config/splits/miniimagenet.csv": "d" * 64}},
        {"inputs": {"data/omniglot/manifest.json": "e" * 64}},
    ],
)
def test_the_fingerprint_covers_everything_that_the_results_depend_on(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    assert job(tmp_path, **changes).fingerprint != job(tmp_path).fingerprint


def test_the_fingerprint_does_not_cover_location_order_or_raw_files(tmp_path: Path) -> None:
    same = job(tmp_path / "elsewhere", spec={"way": 5, "seed": 0}, raw={"images.zip": "f" * 64})
    assert same.fingerprint == job(tmp_path).fingerprint


def test_checkpoints_are_in_the_work_folder_and_are_counted(tmp_path: Path) -> None:
    first = job(tmp_path)
    assert first.resumed_from == []
    with first.lease:
        first.checkpoints('{"steps": 2}').reached(2, lambda: {"step": 2})
    assert (tmp_path / f"work/meta_train/{CELL}/checkpoints/step-000000002.ckpt").is_file()
    second = job(tmp_path)
    assert second.checkpoints("{}").restore() == {"step": 2}
    assert second.resumed_from == [2]


def test_the_folder_of_an_input_is_the_one_that_contains_its_files(tmp_path: Path) -> None:
    embedding = {f"embeddings/mnist/acai/s0/{name}": "b" * 64 for name in ("a.npy", "b.json")}
    running = job(tmp_path, inputs={"data/mnist/manifest.json": "a" * 64, **embedding})
    assert running.input_folder("data") == tmp_path / "data/mnist"
    assert running.input_folder("embeddings") == tmp_path / "embeddings/mnist/acai/s0"


class Fading(Lease):
    """A lease that another process takes over just before a given check."""

    checks_left = 0

    def check(self) -> None:
        if not self.checks_left:
            write_json(self.path, {"host": "elsewhere", "pid": 1, "token": "theirs"})
        self.checks_left -= 1
        super().check()


def _content(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path): path.read_bytes() for path in files if path.name != "lease.json"}


@pytest.mark.parametrize("checks", [0, 1])
def test_a_process_that_lost_the_job_publishes_no_result_and_no_record(
    tmp_path: Path, checks: int
) -> None:
    running = job(tmp_path)
    running.lease = Fading(running.work, "a job")
    running.lease.checks_left = checks
    theirs = tmp_path / "models" / CELL / "model.safetensors"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("theirs")
    with running.lease:
        prepare_folders(running)
        (running.output / "model.safetensors").write_text("ours")
        with pytest.raises(LeaseError):
            publish(running, tmp_path)
        before = _content(tmp_path)
        clear_work(running)
    assert _content(tmp_path) == before
    assert not (tmp_path / "records").exists()
    if checks == 0:
        assert theirs.read_text() == "theirs"


@pytest.mark.parametrize("checks", [0, 1])
def test_a_process_that_lost_the_job_saves_no_checkpoint(tmp_path: Path, checks: int) -> None:
    running = job(tmp_path)
    running.lease = Fading(running.work, "a job")
    running.lease.checks_left = checks
    with running.lease:
        saved = running.checkpoints('{"steps": 1}')
        with pytest.raises(LeaseError):
            saved.reached(1, dict)
    assert _content(tmp_path) == {}
