"""What a job reads is what was planned, when it starts and when it ends."""

import sys
import threading
from pathlib import Path

import pytest

from cactus.errors import CodeError, RecordError
from cactus.files import file_hash
from cactus.provenance.execution import checks
from cactus.provenance.execution.checks import check_project_files, checked_inputs
from cactus.provenance.fingerprint.hash_cache import HashCache
from cactus.provenance.fingerprint.project_files import project_file_hash
from cactus.provenance.records.plan import PENDING, Plan
from cactus.provenance.records.record import Record, write_record
from tests.unit.provenance.samples import PLAN, RECORD, SHA

ENTRY, TABLE = "config/sets.yaml: mnist", "config/paper.csv"
POOLS = "partitions/celeba/attributes/maml/s0"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/sets.yaml").write_text("mnist: {urls: [a]}\nother: 1\n")
    (tmp_path / TABLE).write_text("a,b\n")
    return tmp_path


def planned(root: Path, **changes) -> Plan:
    cache = HashCache(None)
    files = {name: project_file_hash(root, name, cache, {}) for name in (ENTRY, TABLE)}
    return Plan.model_validate({**PLAN, "files": files, **changes})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("config/sets.yaml", "mnist: {urls: [b]}\n"),
        ("config/sets.yaml", "other: 1\n"),
        ("config/sets.yaml", "mnist: [\n"),
        ("config/sets.yaml", "[" * 5000),
        (TABLE, "a,c\n"),
        (TABLE, None),
    ],
)
def test_an_edit_of_a_file_of_the_project_after_planning_stops_the_job(root, name, text):
    plan, cache = planned(root), HashCache(None)
    check_project_files(plan, root, cache)
    (root / name).unlink()
    if text is not None:
        (root / name).write_text(text)
    with pytest.raises(CodeError) as refused:
        check_project_files(plan, root, cache)
    assert name in refused.value.where


def test_an_edit_of_another_entry_does_not(root):
    plan = planned(root)
    (root / "config/sets.yaml").write_text("# a comment\nother: 2\nmnist: {urls: [a]}\n")
    check_project_files(plan, root, HashCache(None))


def record_pools(run: Path, *names: str) -> None:
    """Write the record of the job that makes partitions, and the files that it lists."""
    plan = {**PLAN, "stage": "make_partitions", "cell": POOLS.partition("/")[2]}
    entities = {f"{POOLS}/{name}": {"sha256": SHA, "bytes": 1} for name in names}
    activity = {**RECORD["activity"], "plan": plan}
    content = {**RECORD, "entities": entities, "activity": activity}
    del content["checksum"]
    write_record(run, Record.model_validate(content))


def inputs(run: Path, name: str) -> dict[str, str]:
    return checked_inputs(run, planned(run, inputs={name: PENDING}), HashCache(None))


def test_a_file_that_the_upstream_job_did_not_make_is_no_input(root):
    record_pools(root, "manifest.json")
    assert inputs(root, f"{POOLS}/partitions.npy") == {}


def test_looking_for_an_absent_input_imports_no_other_stage(root, monkeypatch):
    record_pools(root, "manifest.json")
    stages = [name for name in sys.modules if name.startswith("cactus.stages.")]
    for name in {*stages} - {"cactus.stages.base"}:
        monkeypatch.delitem(sys.modules, name)
    assert inputs(root, f"{POOLS}/partitions.npy") == {}
    imported = {name for name in sys.modules if name.startswith("cactus.stages.")}
    assert imported <= {"cactus.stages.base", "cactus.stages.make_partitions"}


@pytest.mark.parametrize("name", [f"{POOLS}/partitions.npy", "tables/results.csv"])
def test_a_file_that_a_file_system_shows_late_is_waited_for(root, name, monkeypatch):
    monkeypatch.setattr(checks, "_PAUSE", 0.01)
    record_pools(root, "partitions.npy")
    path = root / name
    path.parent.mkdir(parents=True)
    threading.Timer(0.1, path.write_text, ["late"]).start()
    assert inputs(root, name) == {name: file_hash(path)}


@pytest.mark.parametrize("recorded", [True, False])
def test_a_file_that_does_not_appear_is_named(root, recorded, monkeypatch):
    monkeypatch.setattr(checks, "_PATIENCE", 0.0)
    monkeypatch.setattr(checks, "_PAUSE", 0.0)
    if recorded:
        record_pools(root, "partitions.npy")
    with pytest.raises(RecordError, match="missing"):
        inputs(root, f"{POOLS}/partitions.npy")
