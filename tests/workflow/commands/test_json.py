"""With `--json`, a command prints facts for programs, and nothing else, on standard output."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.workflow.project import Project

pytestmark = pytest.mark.workflow
CELL = "omniglot/acai/maml/s0"
NUMBER = ("results/small/tables/omniglot.tex", "--row", "ACAI CACTUs-MAML", "--col", "5w1s")


@pytest.mark.parametrize(
    "words",
    [
        ("status",), ("plan",), ("why", CELL), ("config",), ("audit", "--fast"),
        ("trace", *NUMBER), ("diff", "small", "small"),
    ],
    ids=lambda words: words[0],
)  # fmt: skip
def test_facts_are_json_for_programs(finished: Project, words: tuple[str, ...]):
    code, output = finished.cactus(*words, "--json")
    assert code == 0, output
    assert json.loads(output) is not None


def test_what_a_command_makes_is_json_for_programs(project: Project, tmp_path: Path):
    """Snakemake's own lines, those of `update`, go to standard error."""

    def facts(*words: str) -> dict[str, Any]:
        done = project.run_cactus("--json", *words)
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    assert facts("init", "third")["study"] == "config/third.yaml"
    assert facts("report", "small")["report"] == "results/small/report.html"
    assert facts("export", "small", "--output", str(tmp_path / "crate"))["stale"] == []
    digest = facts("digest", "small", "--output", str(tmp_path))["digest"]
    assert Path(digest).is_dir()
    assert facts("accept", CELL, "--reason", "none")["accepted"] == []
    (project.run / "records/make_document.json").unlink()
    done = facts("update", "small")
    assert (done["exit_code"], done["left"]) == (0, [])
    assert "make_document" in done["jobs"]
    done = facts("update", "small", "--", "--cores", "1")
    assert (done["exit_code"], done["dry_run"], done["jobs"], done["left"]) == (0, False, [], [])
