"""Exporting a run: where to, and what is rejected."""

import shutil

import pytest

from cactus.errors import RecordError
from cactus.provenance.crate.export import export
from cactus.provenance.records.record import read_record, record_path, write_record
from cactus.stages.base import Job
from tests.workflow.crate.tools import CELL, RUN, TRAINED, cactus, planner

pytestmark = pytest.mark.workflow


@pytest.mark.parametrize("name", ["taken", "taken.zip", f"{RUN}/crate.zip"])
def test_nothing_is_overwritten(folder, tmp_path, name):
    place = folder / name if name.startswith("results") else tmp_path / name
    if name == "taken":
        place.mkdir()
        (place / "file").write_text("mine")
    elif name == "taken.zip":
        place.write_text("mine")
    before = sorted(place.parent.rglob("*"))
    with pytest.raises(RecordError, match="cannot be written there"):
        export(planner(folder), place)
    assert sorted(place.parent.rglob("*")) == before


def test_an_empty_folder_is_filled(folder, tmp_path):
    (tmp_path / "empty").mkdir()
    export(planner(folder), tmp_path / "empty")
    assert (tmp_path / "empty/ro-crate-metadata.json").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


@pytest.mark.parametrize("form", ["crate", "crate.zip"])
def test_a_half_written_crate_never_has_the_final_name(folder, tmp_path, monkeypatch, form):
    monkeypatch.setattr("rocrate.model.metadata.Metadata.generate", lambda _: {"a": object()})
    with pytest.raises(TypeError):
        export(planner(folder), tmp_path / form)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def damaged(folder, tmp_path):
    """A copy of the run to damage."""
    shutil.copytree(folder, tmp_path / "damaged", symlinks=True)
    return tmp_path / "damaged"


def test_jobs_without_a_record_are_named(damaged, tmp_path):
    record_path(damaged / RUN, TRAINED).unlink()
    edited = record_path(damaged / RUN, Job("make_table", "mnist"))
    edited.write_text(edited.read_text().replace('"seconds"', '"second"'))
    code, output = cactus(damaged, "export", "small", "--output", str(tmp_path / "crate"))
    assert code == RecordError.exit_code
    assert TRAINED.name in output
    assert "make_table/mnist" in output
    assert "fix:" in output
    assert not (tmp_path / "crate").exists()


@pytest.mark.parametrize("edit", ["changed", "missing"])
def test_results_that_differ_from_their_record_are_rejected(damaged, tmp_path, edit):
    path = damaged / RUN / f"evaluations/{CELL}/accuracies.csv"
    path.unlink() if edit == "missing" else path.write_text(path.read_text() + "5,1,0,0.9\n")
    with pytest.raises(RecordError, match="differs from its job's record"):
        export(planner(damaged), tmp_path / "crate")


def test_stale_jobs_are_exported_as_they_last_ran(damaged, tmp_path):
    record = read_record(damaged / RUN, TRAINED)
    plan = record.plan.model_copy(update={"code": {**record.plan.code, "gone.py": "0" * 64}})
    activity = record.activity.model_copy(update={"plan": plan})
    write_record(damaged / RUN, record.model_copy(update={"activity": activity}))
    code, output = cactus(damaged, "export", "--output", str(tmp_path / "crate.zip"))
    assert code == 0, output
    assert output.startswith("stale, exported as they last ran: ")
    assert TRAINED.name in output
