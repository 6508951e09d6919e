"""Which results of other runs can stand for those of a plan."""

import copy
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cactus.files import file_hash
from cactus.provenance.fingerprint.hash_cache import HashCache
from cactus.provenance.fingerprint.other_runs import Donor, find_donors
from cactus.provenance.records.objects import store
from cactus.provenance.records.plan import Plan
from cactus.provenance.records.readers import Readers
from cactus.provenance.records.record import Record, record_path, write_record
from tests.unit.provenance.samples import RECORD

RESULT = "raw/mnist/synthetic.json"
IMAGES = {"images/": "0" * 64}


def finished(run: Path, **plan: Any) -> Record:
    """Write a run that has finished one job."""
    content: dict[str, Any] = copy.deepcopy({**RECORD})
    del content["checksum"]
    result = run / RESULT
    result.parent.mkdir(parents=True)
    result.write_text("{ }")
    digest = store(run, "a = 1\n")
    assert digest == hashlib.sha256(b"a = 1\n").hexdigest()
    content["entities"][RESULT]["sha256"] = file_hash(result)
    content["activity"]["sources"] = {"a.py": digest}
    content["agent"]["packages"] = store(run, "numpy==2.0\n")
    content["activity"]["plan"] = {
        **content["activity"]["plan"],
        "inputs": {"a/b.npy": "1" * 64},
        **plan,
    }
    record = Record.model_validate(content)
    write_record(run, record)
    return record


def donors(
    results: Path, plan: Plan, run: str = "own", raw: dict[str, str] = IMAGES
) -> tuple[list[Donor], list[str]]:
    refused: list[str] = []
    cache, wanted = HashCache(None), plan.model_copy(update={"raw": {}})
    found = find_donors(results / run, wanted, cache, lambda _: raw, refused.append, Readers())
    return [*found], refused


def test_a_run_that_is_a_link_in_a_loop_may_still_find_another(tmp_path: Path):
    (tmp_path / "own").symlink_to("own")
    record = finished(tmp_path / "b")
    assert [one.run for one in donors(tmp_path, record.plan)[0]] == ["b"]


def test_an_equal_plan_of_another_run_is_found(tmp_path: Path):
    record = finished(tmp_path / "b")
    finished(tmp_path / "a")
    found, refused = donors(tmp_path, record.plan)
    assert [one.run for one in found] == ["a", "b"]
    assert found[1].record == record
    assert refused == []


@pytest.mark.parametrize(
    "change",
    [
        {"spec": {"seed": 1}},
        {"spec": {"seed": 0, "settings": {"a": [1]}, "compute": {"threads": 2}}},
        {"code": {"a.py": "2" * 64}},
        {"code": {"a.py": "0" * 64, "b.py": "0" * 64}},
        {"libraries": {"numpy": "2.1"}},
        {"files": {}},
        {"declared": {"/x/list.txt": "0" * 64}},
        {"inputs": {"a/b.npy": "2" * 64}},
        {"inputs": {"a/c.npy": "1" * 64}},
    ],
)
def test_any_difference_of_the_plans_counts(tmp_path: Path, change: dict[str, Any]):
    record = finished(tmp_path / "a")
    other = record.plan.model_copy(update=change)
    assert other != record.plan
    assert donors(tmp_path, other) == ([], [])


def test_a_run_does_not_take_its_own_results(tmp_path: Path):
    record = finished(tmp_path / "own")
    (tmp_path / "alias").symlink_to("own")
    assert donors(tmp_path, record.plan) == ([], [])
    assert donors(tmp_path, record.plan, run="alias") == ([], [])


def test_other_things_among_the_results_are_passed_over(tmp_path: Path):
    record = finished(tmp_path / "a")
    (tmp_path / ".measured.json").write_text("[]")
    (tmp_path / "empty").mkdir()
    assert [one.run for one in donors(tmp_path, record.plan)[0]] == ["a"]
    assert donors(tmp_path / "nowhere", record.plan) == ([], [])


def cut_source(run: Path) -> None:
    for path in (run / "objects").rglob("*"):
        if path.is_file() and path.read_text() == "a = 1\n":
            path.write_text("a = 2\n")


def forge(run: Path) -> None:
    path = next((run / "records").rglob("*.json"))
    path.write_text(path.read_text().replace('"n1"', '"n2"'))


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda run: (run / RESULT).write_text("{}"), f"a: {RESULT} changed since it was made"),
        (lambda run: (run / RESULT).unlink(), f"a: {RESULT} is missing"),
        (cut_source, "changed since it was made"),
        (forge, "a: its record is damaged: a checksum that does not match"),
    ],
)
def test_a_damaged_run_is_refused_with_the_reason(
    tmp_path: Path, damage: Callable[[Path], None], why: str
):
    record = finished(tmp_path / "a")
    finished(tmp_path / "b")
    damage(tmp_path / "a")
    found, refused = donors(tmp_path, record.plan)
    assert [one.run for one in found] == ["b"]
    assert len(refused) == 1
    assert why in refused[0]


@pytest.mark.parametrize(("ended", "taken"), [("2026-01-02", False), ("2025-01-01", True)])
def test_a_record_that_a_later_job_did_not_read_is_refused(tmp_path: Path, ended: str, taken: bool):
    record = finished(tmp_path / "a")
    assert record.activity.ended.startswith("2026-01-01")
    reader = {
        "activity": {"ended": f"{ended}T00:00:00+00:00"},
        "links": {record.job.name: "0" * 64},
    }
    path = tmp_path / "a/records/prepare_data/mnist.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(reader))
    found, refused = donors(tmp_path, record.plan)
    assert bool(found) is taken
    assert refused == ([] if taken else ["a: prepare_data/mnist read another record"])


@pytest.mark.parametrize(
    "content",
    [
        "", "[]", "null", "{}", '{"activity": 1}', "\0", '{"activity": {"ended": 1}}',
        '{"activity": {"ended": "2027-01-01"}, "links": {"make_synthetic_data/mnist": "0"}}',
    ],
)  # fmt: skip
def test_damaged_records_of_readers_tell_nothing(tmp_path: Path, content: str):
    record = finished(tmp_path / "a")
    path = tmp_path / "a/records/prepare_data/mnist.json"
    path.parent.mkdir(parents=True)
    path.write_text(content)
    assert len(donors(tmp_path, record.plan)[0]) == 1


@pytest.mark.parametrize("raw", [{}, {"images/": "1" * 64}], ids=["missing", "changed"])
def test_other_raw_files_are_refused(tmp_path: Path, raw: dict[str, str]):
    record = finished(tmp_path / "a")
    found, refused = donors(tmp_path, record.plan, raw=raw)
    assert (found, refused) == ([], ["a: the raw files are not those that it read"])


def test_a_record_that_lacks_a_result_is_refused(tmp_path: Path):
    record = finished(tmp_path / "a")
    write_record(tmp_path / "a", record.model_copy(update={"entities": {}}))
    assert donors(tmp_path, record.plan) == ([], [f"a: its record does not list {RESULT}"])
    assert record_path(tmp_path / "a", record.job).is_file()
