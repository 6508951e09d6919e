"""What can be recomputed from a crate, and what is rejected."""

import json
import shutil
import stat
import zipfile
from pathlib import Path

import pytest

from cactus.errors import RecordError
from cactus.files import file_hash
from cactus.provenance.crate.export import export
from cactus.provenance.crate.replay import replay
from cactus.provenance.records.objects import store
from cactus.provenance.records.record import read_record, write_record
from cactus.stages.base import Job
from tests.workflow.crate.tools import CELL, RUN, TRAINED, cactus, files_below, planner

pytestmark = pytest.mark.workflow


@pytest.fixture
def alone(folder, crate, tmp_path):
    """A copy of the crate elsewhere, while the run and the original crate are out of reach."""
    moved = shutil.copytree(crate, tmp_path / "elsewhere/crate")
    hidden = [(path, path.with_name(f"hidden-{path.name}")) for path in (folder, crate)]
    for path, away in hidden:
        path.rename(away)
    yield Path(moved)
    for path, away in hidden:
        away.rename(path)


def test_a_cell_is_recomputed_from_the_crate_alone(alone, tmp_path, records):
    before = {name: file_hash(alone / name) for name in files_below(alone)}
    compared = replay(alone, TRAINED.name, tmp_path / "work")
    assert {one.name for one in compared} == set(records[TRAINED.name].entities)
    assert all(one.equal for one in compared)
    assert {name: file_hash(alone / name) for name in files_below(alone)} == before
    made = tmp_path / f"work/jobs/{TRAINED.name}/{RUN}"
    trained = f"models/{CELL}/model.safetensors"
    assert (made / trained).read_bytes() == (alone / RUN / trained).read_bytes()
    assert made.samefile(next((tmp_path / "work").rglob("results")) / "small")


def test_a_cell_is_recomputed_from_the_zip_file(folder, tmp_path):
    archive = export(planner(folder), tmp_path / "crate.zip")
    code, output = cactus(tmp_path, "replay", str(archive), CELL)
    assert code == 0, output
    lines = [line.split() for line in output.splitlines() if " equal" in line]
    assert {line[0].partition("/")[0] for line in lines} == {
        "make_partitions",
        "meta_train",
        "evaluate_model",
    }
    assert "0 different" in output


def test_a_changed_weight_is_found(edited, tmp_path):
    weights = edited / RUN / f"models/{CELL}/model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    compared = replay(edited, TRAINED.name, tmp_path / "work")
    assert [one.name for one in compared if not one.equal] == [f"models/{CELL}/model.safetensors"]
    with pytest.raises(RecordError, match="An input in the crate"):  # of the evaluation
        replay(edited, f"evaluate_model/{CELL}", tmp_path / "again")


def test_a_forged_record_is_found(edited, tmp_path):
    """The accuracies are changed together with the record and its checksum."""
    job = Job("evaluate_model", CELL)
    accuracies = edited / RUN / f"evaluations/{CELL}/accuracies.csv"
    lines = accuracies.read_text().splitlines(keepends=True)
    accuracies.write_text("".join([*lines[:-1], lines[-1].replace("0.", "0.9", 1)]))
    record = read_record(edited / RUN, job)
    name = f"evaluations/{CELL}/accuracies.csv"
    forged = record.entities[name].model_copy(update={"sha256": file_hash(accuracies)})
    entities = {**record.entities, name: forged}
    write_record(edited / RUN, record.model_copy(update={"entities": entities}))
    code, output = cactus(tmp_path, "replay", str(edited), job.name)
    assert code == 1
    assert "DIFFERENT: recomputed" in next(
        line for line in output.splitlines() if "accuracies.csv" in line
    )
    assert "1 different" in output


def test_a_job_runs_the_code_of_the_crate(edited, tmp_path):
    bookkeeping = edited / "workflow/scripts/cactus/provenance/execution/run_job.py"
    bookkeeping.write_text(bookkeeping.read_text() + "\nraise SystemExit('of the crate')\n")
    with pytest.raises(RecordError) as caught:
        replay(edited, TRAINED.name, tmp_path / "work")
    assert caught.value.got == "of the crate"


def test_a_job_runs_the_sources_of_its_record(edited, tmp_path):
    script = edited / "workflow/scripts/meta_train.py"
    script.write_text("raise SystemExit('written after the job ran')\n")
    assert all(one.equal for one in replay(edited, TRAINED.name, tmp_path / "work"))


@pytest.mark.parametrize(
    "name",
    ["../../../../outside.py", "../../outside.py", "C:/x.py", "a\\b.py", "a//b.py", "a\0b.py"],
)
def test_a_source_outside_the_project_is_rejected_and_not_written(edited, tmp_path, name):
    record = read_record(edited / RUN, TRAINED)
    text = "raise SystemExit('of a stranger')\n"
    sources = {name: store(edited / RUN, text), **record.activity.sources}
    activity = record.activity.model_copy(update={"sources": sources})
    write_record(edited / RUN, record.model_copy(update={"activity": activity}))
    before = files_below(tmp_path)
    with pytest.raises(RecordError, match="names a source file outside the project") as caught:
        replay(edited, TRAINED.name, tmp_path / "work")
    assert name[-4:] in caught.value.got
    made = files_below(tmp_path) - before
    assert made
    assert all(one.startswith(f"work/jobs/{TRAINED.name}/") for one in made)
    assert not any("outside" in one for one in made)


@pytest.mark.parametrize("name", ["../../outside", "/tmp/outside", "a//b"])
def test_an_input_outside_the_run_is_rejected(edited, tmp_path, name):
    record = read_record(edited / RUN, TRAINED)
    plan = record.plan.model_copy(update={"inputs": {name: "0" * 64, **record.plan.inputs}})
    activity = record.activity.model_copy(update={"plan": plan})
    write_record(edited / RUN, record.model_copy(update={"activity": activity}))
    with pytest.raises(RecordError, match="A record is damaged"):
        replay(edited, TRAINED.name, tmp_path / "work")
    assert not (tmp_path / "work").exists()


def test_a_crate_with_a_link_in_it_is_rejected_before_any_code_runs(edited, tmp_path):
    (edited / "config/odd.yaml").symlink_to("/root/.bashrc")
    with pytest.raises(RecordError, match="not unpacked") as caught:
        replay(edited, TRAINED.name, tmp_path / "work")
    assert "config/odd.yaml" in caught.value.got
    assert not (tmp_path / "work").exists()


def test_the_variables_of_a_record_are_limited_to_known_ones(edited, tmp_path):
    record = read_record(edited / RUN, TRAINED)
    determinism = {**record.activity.determinism, "PATH": "/nowhere", "PYTHONPATH": "/nowhere"}
    activity = record.activity.model_copy(update={"determinism": determinism})
    write_record(edited / RUN, record.model_copy(update={"activity": activity}))
    (edited / "ro-crate-metadata.json").write_text('{"@graph": [' + "[" * 9999)  # it is not read
    assert all(one.equal for one in replay(edited, TRAINED.name, tmp_path / "work"))


def test_a_job_that_ran_on_a_gpu_is_rejected(edited, tmp_path):
    record = read_record(edited / RUN, TRAINED)
    device = {**record.agent.device, "device": "cuda"}
    agent = record.agent.model_copy(update={"device": device})
    write_record(edited / RUN, record.model_copy(update={"agent": agent}))
    with pytest.raises(RecordError, match="Only jobs that ran on a CPU") as caught:
        replay(edited, TRAINED.name, tmp_path / "work")
    assert "cuda" in caught.value.got


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("audit_run", "cannot be recomputed from the crate alone"),
        ("make_report", "cannot be recomputed from the crate alone"),
        ("omniglot/acai/mamml/s0", "no such cell or job"),
    ],
)
def test_a_job_that_cannot_be_recomputed_is_rejected(crate, tmp_path, name, what):
    with pytest.raises(RecordError, match=what):
        replay(crate, name, tmp_path / "work")


def test_anything_but_a_crate_is_rejected(tmp_path):
    (tmp_path / "text.zip").write_text("no zip file")
    for place in (tmp_path / "absent", tmp_path, tmp_path / "text.zip"):
        with pytest.raises(RecordError):
            replay(place, CELL, tmp_path / f"work-{place.name}")


def test_a_working_folder_must_be_empty(crate, tmp_path):
    (tmp_path / "mine").write_text("")
    with pytest.raises(RecordError, match="not empty"):
        replay(crate, CELL, tmp_path)


@pytest.mark.parametrize("name", ["../outside", "/tmp/outside", "inside/../../outside", "link"])
def test_a_zip_file_that_would_write_elsewhere_is_rejected(tmp_path, name):
    member = zipfile.ZipInfo(name)
    if name == "link":
        member.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "crate.zip", "w") as archive:
        archive.writestr("ro-crate-metadata.json", json.dumps({}))
        archive.writestr(member, "..")
    with pytest.raises(RecordError, match="not unpacked"):
        replay(tmp_path / "crate.zip", CELL, tmp_path / "work")
    assert files_below(tmp_path) == {"crate.zip"}
