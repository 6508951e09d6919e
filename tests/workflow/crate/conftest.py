import shutil
from collections import Counter
from pathlib import Path

import pytest

from cactus.files import read_json
from cactus.provenance.crate.export import export
from cactus.provenance.records.record import Record, read_record
from tests.workflow.crate.tools import RUN, Entity, jobs, planner
from tests.workflow.project import Project


@pytest.fixture(scope="session")
def folder(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with a finished run; tests leave it as it is."""
    return finished.copy(tmp_path_factory.mktemp("exported") / "work").folder


@pytest.fixture(scope="session")
def crate(folder: Path) -> Path:
    """The run as a folder; tests leave it as it is."""
    return export(planner(folder), folder.parent / "crate")


@pytest.fixture
def edited(crate: Path, tmp_path: Path) -> Path:
    """A copy of the crate to edit."""
    return Path(shutil.copytree(crate, tmp_path / "edited"))


@pytest.fixture(scope="session")
def graph(crate: Path) -> dict[str, Entity]:
    """All entities of the crate's metadata by their identifiers."""
    entities = read_json(crate / "ro-crate-metadata.json")["@graph"]
    assert max(Counter(one["@id"] for one in entities).values()) == 1
    return {one["@id"]: one for one in entities}


@pytest.fixture(scope="session")
def records(folder: Path) -> dict[str, Record]:
    found = {job.name: read_record(folder / RUN, job) for job in jobs(folder)}
    assert len(found) == 57
    return {name: record for name, record in found.items() if record}
