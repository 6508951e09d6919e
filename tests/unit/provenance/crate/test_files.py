"""Which files a crate carries: none from elsewhere that a link in the run leads to."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from cactus.errors import RecordError
from cactus.provenance.crate import export
from cactus.provenance.crate.files import crate_files
from cactus.provenance.records.record import Record
from tests.unit.provenance.samples import RECORD

RAW = "raw/mnist/synthetic.json"


@pytest.fixture
def planner(tmp_path: Path) -> SimpleNamespace:
    run, project = tmp_path / "run", tmp_path / "project"
    for path in (run / "tables/a.csv", run / "states/x.json", tmp_path / "elsewhere/a.json"):
        path.parent.mkdir(parents=True)
        path.write_text("x")
    record = Record.model_validate({key: RECORD[key] for key in RECORD if key != "checksum"})
    return SimpleNamespace(
        run_folder=run,
        config=SimpleNamespace(run="r"),
        project=SimpleNamespace(root=project, tree=SimpleNamespace(base=project)),
        records=lambda: [record],
    )


def names(planner: SimpleNamespace) -> list[str]:
    return [name.removeprefix("results/r/") for name in crate_files(planner)]


def test_a_link_to_a_file_elsewhere_is_refused_unless_a_record_lists_it(planner):
    elsewhere = planner.run_folder.parent / "elsewhere/a.json"
    (planner.run_folder / "raw/mnist").mkdir(parents=True)
    (planner.run_folder / RAW).symlink_to(elsewhere)
    assert names(planner) == [RAW, "tables/a.csv"]
    (planner.run_folder / "tables/b.csv").symlink_to("a.csv")
    assert names(planner) == [RAW, "tables/a.csv", "tables/b.csv"]
    (planner.run_folder / "tables/c.csv").symlink_to(elsewhere)
    with pytest.raises(RecordError) as refused:
        names(planner)
    assert refused.value.where.endswith("tables/c.csv")


def test_a_folder_of_results_may_be_a_link_to_another_disk(planner):
    (planner.run_folder / "models").symlink_to(planner.run_folder.parent / "elsewhere")
    assert names(planner) == ["models/a.json", "tables/a.csv"]


def test_a_file_that_cannot_be_read_is_named_before_the_crate_is_begun(planner, monkeypatch):
    monkeypatch.setattr(export, "check_output", lambda *_: None)
    monkeypatch.setattr(export, "_records", lambda _: {})
    monkeypatch.setattr(os, "access", lambda path, _: path.name != "a.csv")
    with pytest.raises(PermissionError, match=r"tables/a\.csv"):
        export.export(planner, planner.run_folder.parent / "crate.zip")
    assert not (planner.run_folder.parent / "crate.zip").exists()
