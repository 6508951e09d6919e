"""Which runs there are, and what keeps them from being read."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cactus.errors import RecordError
from cactus.provenance.staleness.run_folders import (
    PLANNED_CONFIG_FILE,
    find_run_folder,
    is_run_folder,
    run_names,
    runs_by_time,
)

SHAPES: dict[str, Callable[[Path], None]] = {
    "a file": Path.touch,
    "a pipe": os.mkfifo,
    "a link to nowhere, which leads nowhere,": lambda path: path.symlink_to("nowhere"),
    "a link to itself, which leads nowhere,": lambda path: path.symlink_to(path.name),
}
LINKS = [*SHAPES][2:]


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of all runs, with the runs `a` and `b`."""
    monkeypatch.chdir(tmp_path)
    for name, moment in (("a", 1), ("b", 2)):
        config = Path("results", name, PLANNED_CONFIG_FILE)
        config.parent.mkdir(parents=True)
        config.touch()
        os.utime(config, (moment, moment))
    return Path("results")


def put(path: Path, shape: str) -> str:
    """Put something in the place of a file or a folder; return what it is."""
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    SHAPES[shape](path)
    return shape.replace("itself", path.name)


def test_runs_are_found_by_name_by_path_and_by_time(results: Path):
    assert (run_names(), runs_by_time()) == (["a", "b"], ["b", "a"])
    assert [find_run_folder(one) for one in ("a", "results/a", None)] == [
        results / "a", results / "a", results / "b",
    ]  # fmt: skip
    (results / "notes.txt").touch()
    (results / "lost+found").mkdir(mode=0)
    assert run_names() == ["a", "b"]
    with pytest.raises(RecordError, match="no such run"):
        find_run_folder("notes")


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("name", "wanted"),
    [(".", "folder"), ("b", "folder"), ("b/plans", "folder"), (f"b/{PLANNED_CONFIG_FILE}", "file")],
)
def test_what_keeps_a_run_from_being_read_is_named(
    results: Path, name: str, wanted: str, shape: str
):
    if (wanted, shape) == ("file", "a file"):
        shape = "a pipe"
    got = put(results / name, shape)
    for run in ("b", "results/b", str(Path("results/b").absolute())):
        with pytest.raises(RecordError) as caught:
            find_run_folder(run)
        place, error = Path(run if "/" in run else "results/b"), caught.value
        assert error.where == str((place.parent / name) if name != "." else "results")
        assert error.got == f"{got} in the place of a {wanted}"
        assert error.fix.startswith(f"`rm -rf {error.where}`, or ")
        assert ("put back what it leads to" in error.fix) == (shape in LINKS)
        assert "snakemake --dry-run" in error.fix


@pytest.mark.parametrize("name", ["b/plans", f"b/{PLANNED_CONFIG_FILE}"])
def test_a_run_that_cannot_be_read_is_a_run(results: Path, name: str):
    put(results / name, "a pipe")
    assert run_names() == ["a", "b"]
    shutil.rmtree(results / "a")
    with pytest.raises(RecordError) as caught:
        find_run_folder(None)
    assert caught.value.where == str(results / name)
    with pytest.raises(RecordError):
        is_run_folder(results / "b")


def test_a_run_without_its_configuration_is_told_from_one_that_never_was(results: Path):
    (results / "b/records").mkdir()
    shutil.rmtree(results / "b/plans")
    with pytest.raises(RecordError, match="The configuration of a run is missing") as caught:
        find_run_folder("b")
    assert caught.value.where == str(results / "b" / PLANNED_CONFIG_FILE)
    assert "snakemake --dry-run" in caught.value.fix
    assert find_run_folder(None) == results / "a"
    shutil.rmtree(results / "a")
    with pytest.raises(RecordError, match="The configuration of a run is missing"):
        find_run_folder(None)


def test_a_link_that_leads_nowhere_is_a_run_and_a_file_is_none(results: Path):
    put(results / "a", LINKS[0])
    put(results / "b", "a file")
    assert run_names() == ["a"]
    (results / "a").unlink()
    with pytest.raises(RecordError, match="There is no run yet") as caught:
        find_run_folder(None)
    assert caught.value.got == f"no folder with {PLANNED_CONFIG_FILE}, but b, which is no folder"


def test_outside_of_a_project_the_way_there_is_told(results: Path):
    shutil.rmtree(results)
    with pytest.raises(RecordError, match="There is no run yet") as caught:
        find_run_folder(None)
    assert "change to the folder of the project" in caught.value.fix
    Path("Snakefile").touch()
    with pytest.raises(RecordError, match="There is no run yet") as caught:
        find_run_folder(None)
    assert caught.value.fix == "run the workflow first: `snakemake --cores 2`"


def test_an_empty_name_is_no_run(results: Path):
    (results / "a/records").mkdir(parents=True)  # it has lost its configuration
    with pytest.raises(RecordError, match="no such run") as caught:
        find_run_folder("")
    assert caught.value.got == "an empty name"


def test_a_file_elsewhere_is_not_in_the_way_of_a_run(results: Path):
    Path("a").touch()
    assert find_run_folder("a") == results / "a"
    Path("c").touch()
    with pytest.raises(RecordError, match="no such run"):
        find_run_folder("c")
