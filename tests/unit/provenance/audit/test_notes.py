"""What an audit tells of a run beside its findings."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cactus.errors import RecordError
from cactus.provenance.audit.findings import Finding
from cactus.provenance.audit.fixes import Fixes
from cactus.provenance.audit.reading.paper_numbers import (
    KEYS,
    PAPER_NUMBERS_FILE,
    published_key,
    read_paper_numbers,
)
from cactus.provenance.audit.rows import _foreign_notes
from cactus.provenance.records.record import record_path
from cactus.provenance.staleness.planner import Planner
from cactus.stages.base import Job

JOB, OTHER = (Job("evaluate_model", f"mnist/acai/maml/s{seed}") for seed in (0, 1))


def test_records_of_cells_that_are_not_in_the_study_are_noted(tmp_path: Path):
    planner = SimpleNamespace(run_folder=tmp_path, graph=SimpleNamespace(jobs=[JOB]))
    assert list(_foreign_notes(planner)) == []
    for job in (JOB, OTHER):
        path = record_path(tmp_path, job)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    (note,) = _foreign_notes(planner)
    assert note.startswith("not audited: 1 record of jobs that are not in the study")
    assert "records/evaluate_model/mnist/acai/maml/s1.json" in note


@pytest.mark.parametrize(
    ("folder", "base", "fix"),
    [
        ("results/a", "", "cactus update a"),
        ("/results/a", "", "cactus update a"),
        (
            "results/copy",
            "",
            "copy what differs again from results/a, if `cactus audit results/a` ",
        ),
        ("elsewhere/results/a", "elsewhere", "cactus update elsewhere/results/a"),
        ("results/b", "new", "mv results/b new/results/a && cactus update new/results/a"),
    ],
)
def test_the_command_that_mends_a_run_updates_it_where_its_configuration_puts_it(
    folder: str, base: str, fix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    for name in ("results/a", "results/b", "results/copy", "elsewhere/results/a"):
        Path(name).mkdir(parents=True)
    run = tmp_path / folder[1:] if folder.startswith("/") else Path(folder)
    tree = SimpleNamespace(base=tmp_path / base)
    config: Any = SimpleNamespace(run="a")
    planner = Planner(config, run, SimpleNamespace(tree=tree), tmp_path)  # type: ignore[arg-type]
    planner.graph = SimpleNamespace(jobs=[JOB])  # type: ignore[assignment]
    assert Fixes(planner, [], []).of(Finding("record missing", "x", "none", JOB)).startswith(fix)


@pytest.mark.parametrize("content", ["", "\ufeffdataset\n", "a,b\n1\n"])
def test_damaged_published_numbers_are_restored_and_not_made_again(tmp_path: Path, content: str):
    (tmp_path / "config").mkdir()
    (tmp_path / PAPER_NUMBERS_FILE).write_text(content)
    with pytest.raises(RecordError) as refused:
        read_paper_numbers(tmp_path)
    assert refused.value.fix == "restore the file from the repository"


@pytest.mark.parametrize("source", ["", "Acai", "acai+", "a b+5-way"])
def test_a_damaged_name_of_a_source_has_no_published_number(source: str):
    row = dict(zip(KEYS, ("omniglot", source, "cactus-maml", "maml", "5", "1"), strict=True))
    assert published_key(row) == tuple(row.values())
