"""What a job keeps between attempts belongs to exactly one plan."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cactus.provenance.execution.run_job import RunningJob
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
    return RunningJob(folder, plan, StopRequest("job"), "0" * 32, {}, datetime.now(UTC), 0.0)


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
