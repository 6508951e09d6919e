import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.workflow.project import CONFIG, Project
from tests.workflow.scratch import Scratch

# Another study beside the finished run, whose ACAI differs.
STUDY = (
    *CONFIG,
    *("--config", "run=second", "embeddings={acai: {iterations: 5}}", "outputs={figures: []}"),
)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy of the project with a finished run; tests must leave it as it is."""
    folder = tmp_path_factory.mktemp("finished") / "project"
    if "CACTUS_TEST_PROJECT" in os.environ:  # by `make finished-run`, for several processes
        return Project(Path(os.environ["CACTUS_TEST_PROJECT"])).copy(folder)
    project = Project.create(folder)
    project.snakemake("--cores", "2")
    return project


@pytest.fixture(scope="session")
def editable(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return finished.copy(tmp_path_factory.mktemp("editable") / "project")


@pytest.fixture
def project(finished: Project, editable: Project) -> Iterator[Project]:
    """A copy of the finished project to edit; it is restored after each test."""
    yield editable
    editable.restore(finished)


@pytest.fixture(scope="module")
def copied(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Scratch:
    return Scratch(finished, tmp_path_factory.mktemp("copied") / "project")


@pytest.fixture
def scratch(copied: Scratch) -> Iterator[Scratch]:
    """A copy of the finished run for one audit after another; it is restored after each test."""
    yield copied
    copied.restore()


@pytest.fixture(scope="session")
def shared(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy of the finished project in which a second run took over what its study shares."""
    project = finished.copy(tmp_path_factory.mktemp("shared") / "project")
    project.snakemake("--cores", "2", config=STUDY)
    return project
