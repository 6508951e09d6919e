"""The tables of a finished run: they compile, and the files of numbers are as described."""

import shutil
from pathlib import Path

import pytest

from tests.unit.paper.test_latex import pdflatex
from tests.unit.paper.test_schema import problems
from tests.workflow.project import Project

pytestmark = pytest.mark.workflow


def test_the_files_of_numbers_of_a_run_are_as_their_package_says(finished: Project):
    assert list(problems(finished.run / "tables")) == []


@pytest.mark.latex
def test_the_document_of_a_runs_tables_compiles(finished: Project, tmp_path: Path):
    for path in (finished.run / "tables").glob("*.tex"):
        shutil.copy(path, tmp_path)
    log = pdflatex(tmp_path, "tables.tex")
    assert "(7 pages" in log
    assert "Overfull" not in log
