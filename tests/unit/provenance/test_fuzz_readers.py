"""Whatever a file of a run holds, its reader takes it or says what is wrong, and nothing else."""

import hashlib
import io
import json
import tempfile
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cactus.cluster.driver import job_names
from cactus.data.array_files import read_array
from cactus.errors import CactusError
from cactus.files import read_json
from cactus.provenance.audit.printed import map_entries
from cactus.provenance.audit.reading.rows_of_csv import read_rows
from cactus.provenance.crate.unpack import unpack
from cactus.provenance.execution.attempts import read_state
from cactus.provenance.fingerprint.hash_cache import HashCache
from cactus.provenance.records.plan import read_plan
from cactus.provenance.records.record import read_record
from cactus.provenance.staleness.open_run import read_planned_config
from cactus.provenance.staleness.status import local_time
from cactus.provenance.staleness.waivers import read_waivers
from cactus.stages.base import Job
from cactus.train.checkpoint import Checkpoints
from cactus.train.stop import StopRequest
from tests.fuzz import examples
from tests.unit.provenance.samples import SAMPLES

JOB = Job("make_synthetic_data", "mnist")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
    | st.sampled_from([10**39, 10**400, "../x", "\x1b[2J", "\ud800", "0" * 64, -1, 1e308]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=4,
)  # fmt: skip


@st.composite
def bytes_like(draw: st.DrawFn, content: bytes) -> bytes:
    """Cut, insert, overwrite, flip or repeat a few bytes."""
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(content)))
        some = draw(st.binary(max_size=8) | st.sampled_from([b"\n", b",", b"1e999", b'"', b"../"]))
        end = draw(st.sampled_from([at, at + len(some), at + 1, len(content)]))
        content = content[:at] + some + content[end:]
    return content


@st.composite
def json_like(draw: st.DrawFn, value: Any) -> bytes:
    """Replace, remove or add one value."""
    box: list[Any] = [json.loads(json.dumps(value))]
    holder: Any = box
    key: Any = 0
    while isinstance(holder[key], dict | list) and holder[key] and draw(st.integers(0, 5)):
        holder = holder[key]
        keys = sorted(holder) if isinstance(holder, dict) else range(len(holder))
        key = draw(st.sampled_from(keys))
    if draw(st.booleans()) and holder is not box:
        del holder[key]
    else:
        holder[key] = draw(VALUES)
    return json.dumps(box[0]).encode()


def use_cache(path: Path) -> None:
    cache = HashCache.load(path)
    cache.sha256(path)
    cache.save()


def use_state(path: Path) -> None:
    facts = read_state(path.parents[2], JOB)
    if facts:
        local_time(str(facts.get("started", "")))


READERS = {
    "record": (f"records/{JOB.name}.json", lambda path: read_record(path.parents[2], JOB)),
    "plan": (f"plans/{JOB.name}.json", read_plan),
    "config": ("plans/config.json", lambda path: read_planned_config(path.parents[1])),
    "note": (f"states/{JOB.name}.json", use_state),
    "lease": (f"work/{JOB.name}/lease.json", lambda path: use_state(path.parents[1] / "x")),
    "cache": ("hashes.json", use_cache),
    "waivers": ("accepted.jsonl", lambda path: read_waivers(path.parent)),
    "drivers": ("drivers.jsonl", lambda path: job_names(path.parent)),
    "map": ("tables/a.map.json", map_entries),
    "json": ("a.json", read_json),
}


@pytest.mark.fuzz
@pytest.mark.parametrize("name", READERS)
@examples(60)
@given(data=st.data())
def test_a_reader_of_json_takes_it_or_says_what_is_wrong(tmp_path, name, data):
    file, read = READERS[name]
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    sample = SAMPLES[name]
    whole = json.dumps(sample).encode()
    path.write_bytes(data.draw(json_like(sample) | bytes_like(whole) | st.binary(max_size=40)))
    with suppress(CactusError):
        read(path)


def packed_array() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.arange(12, dtype=np.float32).reshape(3, 4))
    return buffer.getvalue()


@pytest.mark.fuzz
@examples(300)
@given(content=bytes_like(packed_array()), mmap=st.booleans())
def test_an_array_is_read_or_refused(tmp_path, content, mmap):
    (tmp_path / "a.npy").write_bytes(content)
    with suppress(CactusError):
        assert read_array(tmp_path / "a.npy", mmap=mmap).nbytes <= len(content)


@pytest.mark.fuzz
@examples(200)
@given(content=bytes_like(b"way,shot,episode,accuracy\n5,1,0,0.5\n5,1,1,0.25\n"))
def test_rows_are_read_or_refused(tmp_path, content):
    (tmp_path / "a.csv").write_bytes(content)
    with suppress(CactusError):
        read_rows(tmp_path / "a.csv", ["way", "accuracy"])


def packed_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ro-crate-metadata.json", "{}")
        archive.writestr("results/a/records/x.json", "[1, 2, 3]" * 9)
        archive.writestr("folder/", "")
    return buffer.getvalue()


@pytest.mark.fuzz
@examples(300)
@given(content=bytes_like(packed_zip()))
def test_an_archive_is_unpacked_below_its_target_or_refused(tmp_path, content):
    with tempfile.TemporaryDirectory(dir=tmp_path) as folder:
        place = Path(folder)
        (place / "a.zip").write_bytes(content)
        with suppress(CactusError):
            unpack(place / "a.zip", place / "target")
        assert {path.name for path in place.iterdir()} <= {"a.zip", "target"}
        assert not any(path.is_symlink() for path in place.rglob("*"))
        assert [path.name for path in tmp_path.iterdir()] == [place.name]


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def saved(folder: Path) -> bytes:
    one = Checkpoints(folder, "f", seconds=None, steps=1, stop=StopRequest("job"))
    one.reached(1, lambda: {"weights": torch.ones(3), "step": 1, "log": "text"})
    return (folder / "step-000000001.ckpt").read_bytes()


@pytest.mark.fuzz
@examples(100)
@given(data=st.data())
def test_a_checkpoint_is_restored_or_the_training_starts_over(tmp_path, data):
    content = saved(tmp_path / "whole")
    head, _, payload = content.partition(b"\n")
    folder = tmp_path / "damaged"
    folder.mkdir(exist_ok=True)
    if data.draw(st.booleans()):
        payload = data.draw(bytes_like(payload))
        head = json.dumps({"fingerprint": "f", "sha256": sha256(payload)}).encode()
    else:
        head = data.draw(bytes_like(head))
    (folder / "step-000000001.ckpt").write_bytes(head + b"\n" + payload)
    one = Checkpoints(folder, "f", seconds=None, steps=1, stop=StopRequest("job"))
    state = one.restore()
    assert state is None or "weights" in state or one.resumed_from
