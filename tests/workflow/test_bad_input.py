"""Unknown names and damaged files give one clear error each, with a fix."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cactus.errors import DataError, RecordError
from tests.workflow.project import CONFIG, Project

pytestmark = pytest.mark.workflow
MAML = "omniglot/acai/maml/s0"
TABLE = "results/small/tables/omniglot.tex"
TRACE = ("trace", TABLE, "--row", "ACAI CACTUs-MAML", "--col", "5w1s")
SOURCE = "plans/config.json"


def error_of(output: str) -> dict[str, str]:
    """Return the parts of an error, which must be the whole output."""
    parts = r"  where: (?P<where>.+)\n  got:   (?P<got>.+)\n  fix:   (?P<fix>.+)\n"
    found = re.fullmatch(r"\w+Error: .+\n" + parts, output)
    assert found, output
    return found.groupdict()


@pytest.mark.parametrize(
    ("command", "got", "fix"),
    [
        (["status", "nosuch"], "nosuch", "known are small"),
        (["update", "smal"], "smal", "did you mean 'small'?"),
        (["audit", "smal"], "smal", "did you mean 'small'?"),
        (["diff", "small", "smal"], "smal", "did you mean 'small'?"),
        (["why", MAML, "--run", "smal"], "smal", "did you mean 'small'?"),
        (["why", "omniglot/acay/maml/s0"], "omniglot/acay/maml/s0", f"did you mean '{MAML}'?"),
        (["why", f"meta_trian/{MAML}"], f"meta_trian/{MAML}", f"did you mean 'meta_train/{MAML}'?"),
        (
            ["logs", "make_table"],
            "make_table",
            "name one of make_table/mnist, make_table/mnist-tests, make_table/mnist-verdicts, "
            "make_table/omniglot, make_table/omniglot-tests, make_table/omniglot-verdicts, "
            "make_table/partition_quality",
        ),
        (["accept", f"{MAML}0", "--reason", "x"], f"{MAML}0", f"did you mean '{MAML}'?"),
        (
            ["trace", TABLE.replace("glot", "glott"), *TRACE[2:]],
            "tables/omniglott.tex",
            "did you mean 'tables/omniglot.tex'?",
        ),
        (
            ["trace", TABLE, "--row", "ACAI CACTUs-MAMML", "--col", "5w1s"],
            "ACAI CACTUs-MAMML",
            "did you mean 'ACAI, CACTUs-MAML'?",
        ),
        (
            ["trace", TABLE, "--row", "ACAI CACTUs-MAML", "--col", "5-way 1-shoot"],
            "5-way 1-shoot",
            "did you mean '5-way 1-shot, ours'?",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_misspelled_name_gets_the_most_similar_valid_one(
    finished: Project, command: list[str], got: str, fix: str
):
    code, output = finished.cactus(*command)
    assert code == RecordError.exit_code, output
    error = error_of(output)
    assert (error["got"], error["fix"]) == (got, fix)


def cut_short(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


@pytest.mark.parametrize("content", [None, b"", b"[]", b"\x00\xff"])
def test_a_damaged_record_is_reported_in_one_line_and_makes_its_job_stale(
    project: Project, content: bytes | None
):
    path = project.run / f"records/meta_train/{MAML}.json"
    cut_short(path) if content is None else path.write_bytes(content)
    code, output = project.cactus("why", f"meta_train/{MAML}")
    title, reason = output.splitlines()
    assert (code, title) == (1, f"meta_train/{MAML} is stale:")
    file = f"results/small/records/meta_train/{MAML}.json"
    assert re.fullmatch(rf"  no valid record \({re.escape(file)}: .+\)", reason)
    code, output = project.cactus("status", "small", "--jobs")
    (row,) = [line for line in output.splitlines() if line.startswith(f"meta_train/{MAML}")]
    assert (code, reason.strip() in row) == (1, True)


@pytest.mark.parametrize("content", ["{", "[]", '{"a": 1}'])
def test_a_damaged_configuration_of_a_run_is_rebuilt_as_the_error_advises(
    project: Project, content: str
):
    (project.run / SOURCE).write_text(content)
    code, output = project.cactus("status", "small")
    assert code == RecordError.exit_code, output
    error = error_of(output)
    assert error["where"] == f"results/small/{SOURCE}"
    assert "snakemake --dry-run" in error["fix"]
    assert project.stale_jobs() == set()
    assert project.cactus("status", "small")[0] == 0


@pytest.mark.parametrize("content", ["{", "[]", '{"cells": [1]}', '{"cells": [{"row": "ACAI"}]}'])
def test_a_damaged_map_of_a_table_is_named_by_trace_and_audit(project: Project, content: str):
    (project.folder / f"{TABLE}.map.json").write_text(content)
    code, output = project.cactus(*TRACE)
    assert code == RecordError.exit_code, output
    assert error_of(output)["where"].endswith("omniglot.tex.map.json")
    code, output = project.cactus("audit", "small")
    assert (code, "map damaged: tables/omniglot.tex.map.json" in output) == (1, True), output


def test_a_damaged_list_of_raw_files_is_named_by_trace(project: Project):
    cut_short(project.run / "data/omniglot/sources.json")
    code, output = project.cactus(*TRACE)
    assert code == DataError.exit_code, output
    assert error_of(output)["where"].endswith("data/omniglot/sources.json")


def test_a_damaged_manifest_makes_stale_all_that_trace_shows(project: Project):
    cut_short(project.run / "data/omniglot/manifest.json")
    code, output = project.cactus(*TRACE)
    assert code == 0, output
    assert re.search(r"^stale: prepare_data/omniglot, train_embedding/", output, re.MULTILINE)


def test_a_run_outside_its_environment_stops_before_the_first_job(tmp_path: Path):
    project = Project.create(tmp_path / "project")
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "python").write_text("#!/bin/sh\necho /elsewhere\n")
    (programs / "python").chmod(0o755)
    path = f"{programs}{os.pathsep}{project.variables()['PATH']}"
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "data", "--cores", "1", *CONFIG],
        cwd=project.folder,
        env={**project.variables(), "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    output = done.stdout + done.stderr
    assert done.returncode != 0
    assert "Jobs would run in a different environment than Snakemake." in output
    assert f"got:   {programs}/python in /elsewhere; Snakemake runs in {sys.prefix}" in output
    assert not project.run.exists() or not (project.run / "raw").exists()
