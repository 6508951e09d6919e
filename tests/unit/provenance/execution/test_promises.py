"""A job's files are compared with manifests and with what its stage promises."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from cactus.data.array_files import write_array
from cactus.errors import RecordError
from cactus.files import file_hash, write_json
from cactus.provenance.execution.lease import Lease
from cactus.provenance.execution.promises import check_made, check_read
from cactus.provenance.execution.running_job import RunningJob
from cactus.provenance.records.plan import Plan
from cactus.train.stop import StopRequest

EMBEDDING = "embeddings/mnist/acai/s0"


def job(run: Path, stage: str, cell: str, *inputs: str) -> RunningJob:
    hashes = {name: file_hash(run / name) for name in inputs}
    plan = Plan(stage=stage, cell=cell, spec={}, code={}, libraries={}, files={}, inputs=hashes)
    return RunningJob(run, plan, StopRequest("job"), Lease(run, "job"), {}, datetime.now(UTC), 0.0)


def write_embedding(folder: Path) -> None:
    """Write all files that an embedding's job promises."""
    arrays = {}
    for split, count in (("train", 6), ("val", 3), ("test", 4)):
        path = folder / f"{split}.npy"
        write_array(path, np.ones((count, 2), np.float32))
        arrays[split] = {"file": path.name, "shape": [count, 2], "sha256": file_hash(path)}
    (folder / "encoder.safetensors").write_bytes(b"weights")
    (folder / "metrics.jsonl").write_text("")
    (folder / "diagnostic.png").write_bytes(b"\x89PNG\r\n\x1a\n...")
    write_json(folder / "manifest.json", {"arrays": arrays})


def cut(name: str, size: int) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:size])


BROKEN = {
    "no picture": ("diagnostic.png", lambda f: (f / "diagnostic.png").unlink(), "no such file"),
    "a text": ("diagnostic.png", lambda f: (f / "diagnostic.png").write_text("!"), "not a PNG"),
    "no weights": ("encoder.safetensors", cut("encoder.safetensors", 0), "empty"),
    "a cut array": ("val.npy", cut("val.npy", 140), ""),
    "half a manifest": ("manifest.json", cut("manifest.json", 60), ""),
    "half a line": ("metrics.jsonl", lambda f: (f / "metrics.jsonl").write_text('{"step"'), ""),
    "a shorter array": (
        "test.npy",
        lambda folder: write_array(folder / "test.npy", np.ones((3, 2), np.float32)),
        "shape [3, 2], recorded [4, 2] in manifest.json",
    ),
}  # fmt: skip


def test_a_job_that_made_everything_passes(tmp_path: Path) -> None:
    one = job(tmp_path, "train_embedding", "mnist/acai/s0")
    write_embedding(one.output)
    check_made(one)


@pytest.mark.parametrize("what", BROKEN)
def test_a_result_that_the_stage_does_not_promise_is_refused(tmp_path: Path, what: str) -> None:
    name, damage, got = BROKEN[what]
    one = job(tmp_path, "train_embedding", "mnist/acai/s0")
    write_embedding(one.output)
    damage(one.output)
    with pytest.raises(RecordError, match="promises") as caught:
        check_made(one)
    assert caught.value.where == str(one.output / name)
    assert got in caught.value.got
    assert caught.value.got


def test_an_input_that_differs_from_its_manifest_is_refused(tmp_path: Path) -> None:
    write_embedding(tmp_path / EMBEDDING)
    names = f"{EMBEDDING}/manifest.json", f"{EMBEDDING}/train.npy"
    check_read(job(tmp_path, "make_partitions", "mnist/acai/maml/s0", *names))
    write_array(tmp_path / names[1], np.zeros((6, 2), np.float32))
    with pytest.raises(RecordError, match="promises") as caught:
        check_read(job(tmp_path, "make_partitions", "mnist/acai/maml/s0", *names))
    assert caught.value.where == str(tmp_path / names[1])
    assert caught.value.got.startswith("sha256 ")
