import os
import shutil

import pytest

from tests.workflow.project import Project


@pytest.fixture(autouse=True, scope="module")
def _needs_latex() -> None:
    for name in ("latexmk", "pdftotext"):
        if shutil.which(name) is None:
            if os.environ.get("CACTUS_REQUIRE_LATEX"):
                pytest.fail(f"CACTUS_REQUIRE_LATEX is set, but {name} is not installed")
            pytest.skip(f"{name} is not installed")


@pytest.fixture(scope="session")
def with_paper(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy of the finished run with its paper, which tests leave as it is."""
    project = finished.copy(tmp_path_factory.mktemp("paper") / "project")
    code, output = project.cactus("paper", "small")
    assert code == 0, output
    assert output.splitlines()[-1] == "results/small/paper.pdf"
    return project
