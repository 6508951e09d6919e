"""The audit of a run whose study, code or last audit is not what the run was made with."""

import json
import shutil
from pathlib import Path

import pytest

from tests.workflow.project import Project
from tests.workflow.scratch import Scratch
from tests.workflow.tamper import forge, set_key

pytestmark = pytest.mark.workflow
STUDY = "config/small.yaml"
FORGED = {"digest": "f" * 64, "numbers": 9999, "jobs": 1, "findings": ["none"]}


def kinds_and_files(scratch: Scratch) -> set[tuple[str, str]]:
    return {(one.kind, one.file) for one, _, _ in scratch.audit().findings}


def test_a_seed_less_in_the_study_is_told_without_a_traceback(project: Project):
    path = project.folder / STUDY
    text = path.read_text().replace("seeds: [0, 1]", "seeds: [0]")
    path.write_text("".join(line for line in text.splitlines(True) if "seed: 1" not in line))
    code, output = project.cactus("audit", "small")
    assert code == 1, output
    assert "stale: aggregate_results" in output
    assert "tables/mnist.tex" in output
    assert "Traceback" not in output


def test_a_changed_key_makes_jobs_stale_and_no_input_false(project: Project):
    path = project.folder / STUDY
    assert "\nevaluation: {" in path.read_text()
    path.write_text(path.read_text().replace("\nevaluation: {", "\nevaluation: {split: val, "))
    code, output = project.cactus("audit", "small")
    assert code == 1, output
    assert "input differs" not in output
    fixes = {line.strip() for line in output.splitlines() if line.startswith("  fix:")}
    assert fixes == {"fix:     cactus update small"}


@pytest.mark.parametrize(
    ("file", "old", "new", "got"),
    [
        (STUDY, "[accuracy_grid, shots,", "[shots,", "input figures/accuracy_grid"),
        ("workflow/scripts/audit_run.py", "\n\n\n", "\n\nX = 1\n\n\n", "code audit_run.py changed"),
    ],
)
def test_a_stale_audit_is_a_finding(project: Project, file: str, old: str, new: str, got: str):
    path = project.folder / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    code, output = project.cactus("audit", "small")
    assert code == 1, output
    (line,) = (line for line in output.splitlines() if line.startswith("  got:"))
    assert "stale: audit_run" in output
    assert got in line


@pytest.mark.parametrize(
    "part", [("code", "audit_run.py"), ("inputs", "tables/results.csv"), ("spec", "environment")]
)
def test_a_forged_audit_does_not_hide_behind_a_plan_that_is_stale(
    scratch: Scratch, part: tuple[str, str]
):
    path = scratch.run / "audit.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **FORGED}))
    forge("audit_run", set_key("activity", "plan", *part, value="0" * 64))(scratch.run)
    for name in ("report.html", "report.map.json", "records/make_report.json"):
        (scratch.run / name).unlink()
    assert ("stale", "audit_run") in kinds_and_files(scratch)


def test_a_figure_forged_as_if_drawn_after_the_audit_is_drawn_again(scratch: Scratch):
    figures = scratch.run / "figures"
    shutil.copyfile(figures / "accuracy_grid.png", figures / "shots.png")
    later = set_key("activity", "ended", value="2099-01-01T00:00:00+00:00")
    forge("make_figure/shots", later)(scratch.run)
    for name in ("report.html", "report.map.json", "records/make_report.json"):
        (scratch.run / name).unlink()
    assert ("text differs", "figures/shots.png") in kinds_and_files(scratch)


@pytest.mark.slow
def test_a_renamed_run_without_logs_makes_the_same_report(finished: Project, tmp_path: Path):
    project = finished.copy(tmp_path / "project")
    project.run.rename(project.run.with_name("other"))
    for name in ("logs", "work"):
        shutil.rmtree(project.run.with_name("other") / name, ignore_errors=True)
    code, output = project.cactus("audit", "other", "--figures")
    assert code == 0, output
