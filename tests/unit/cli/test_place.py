"""A command finds its project upward, and the newest run."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cactus.errors import RecordError, StorageError
from cactus.provenance.staleness.planned_config import PlannedConfig
from tests.unit.cli.conftest import SCRIPTS

STUDY = """\
run: {name}
synthetic_data: true
grid: {{datasets: [mnist], embeddings: [acai], learners: [protonets]}}
"""


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A project in a folder with a space, with two planned runs and an empty folder of results."""
    folder = tmp_path / "my project"
    (folder / "config").mkdir(parents=True)
    (folder / "deep/er").mkdir(parents=True)
    (folder / "results/empty").mkdir(parents=True)
    for age, name in enumerate(["new", "old"]):
        (folder / f"config/{name}.yaml").write_text(STUDY.format(name=name))
        PlannedConfig(configfiles=[f"config/{name}.yaml"], overrides={}, config={}).write(
            folder / "results" / name
        )
        path = folder / f"results/{name}/plans/config.json"
        os.utime(path, (1e9 - age, 1e9 - age))
    return folder


def test_without_a_name_the_newest_run_counts_and_is_named(cactus, base):
    done = cactus("plan", folder=base)
    assert (done.returncode, done.stderr) == (0, "note: new is the newest of 2 runs\n")
    assert "\nnew: " in done.stdout
    done = cactus("plan", "old", folder=base)
    assert (done.stderr, "\nold: " in done.stdout) == ("", True)
    done = cactus("plan", "--configfile", "config/old.yaml", folder=base)
    assert (done.stderr, "\nold: " in done.stdout) == ("", True)
    done = cactus("config", "grid.datasets", folder=base)
    assert (done.returncode, "new is the newest" in done.stderr) == (0, True)


@pytest.mark.parametrize("place", ["deep/er", "results", "results/new/plans", "config"])
def test_every_folder_of_the_project_will_do(cactus, base, place):
    here = cactus("plan", "old", "--json", folder=base)
    done = cactus("plan", "old", "--json", folder=base / place)
    assert (done.returncode, done.stdout) == (0, here.stdout)
    assert done.stderr == f"note: in {base}\n"


def test_a_cell_in_whose_place_a_run_stands_is_asked_for(cactus, base):
    done = cactus("why", "old", folder=base)
    assert "old is a run: name a cell of it, `cactus why CELL --run old`" in done.stderr
    assert (done.returncode, "usage: cactus why" in done.stderr) == (2, True)
    done = cactus("config", "run", "--run", "old", folder=base)
    assert done.stdout.split()[:2] == ["run", '"old"']


@pytest.mark.parametrize("run", ["results/old", "./results/old/"])
def test_the_folder_of_a_run_is_no_cell_either(cactus, base, run):
    done = cactus("show", run, folder=base)
    assert done.returncode == 2
    assert f"{run} is a run: name a cell of it, `cactus show CELL --run {run}`" in done.stderr
    done = cactus("show", ".", folder=base / "results/old")
    assert "results/old is a run" in done.stderr


@pytest.mark.parametrize("name", ["mnist/acai/protonets/s0", "meta_train/mnist/acai/protonets/s0"])
def test_a_run_in_whose_place_a_cell_stands_is_asked_for(cactus, base, name):
    for words in (["status", name], ["status", "--run", name], ["diff", "old", name]):
        done = cactus(*words, folder=base)
        assert done.returncode == 2
        assert f"{name} is a cell, not a run: `cactus show {name}` shows it" in done.stderr
    assert cactus("show", name, folder=base).returncode == 0
    done = cactus("status", f"{name}0", folder=base)
    assert "There is no such run." in done.stderr


def test_a_run_may_be_named_twice_but_not_two_runs(cactus, base):
    for one, other in [
        ("old", "results/old"),
        ("./results/old/", "old"),
        ("old", str(base / "results/old")),
    ]:
        done = cactus("plan", one, "--run", other, folder=base)
        assert (done.returncode, "\nold: " in done.stdout) == (0, True), done.stderr
        done = cactus("config", "run", one, "--run", other, folder=base)
        assert done.stdout.split()[:2] == ["run", '"old"'], done.stderr
    done = cactus("plan", "old", "--run", "results/new", folder=base)
    assert "two runs are named, old and results/new: name one" in done.stderr
    assert done.returncode == 2


def test_an_empty_name_is_no_run(cactus, base):
    done = cactus("status", "", folder=base)
    assert done.returncode == RecordError.exit_code
    assert "There is no such run." in done.stderr
    assert "fix:   known are new, old" in done.stderr


def test_paths_start_where_they_were_given(cactus, base):
    for place, run, study in [
        ("results/old", ".", "../../config/old.yaml"),
        ("deep", "../results/old", "../config/old.yaml"),
    ]:
        done = cactus("plan", run, folder=base / place)
        assert (done.returncode, "\nold: " in done.stdout) == (0, True), done.stderr
        done = cactus("plan", "--configfile", study, folder=base / place)
        assert (done.returncode, "\nold: " in done.stdout) == (0, True), done.stderr


def test_a_study_that_is_not_here_is_looked_up_from_the_project(cactus, base):
    for command in ("plan", "config"):
        done = cactus(command, "--configfile", "config/old.yaml", folder=base / "deep/er")
        assert (done.returncode, done.stderr) == (0, f"note: in {base}\n")
        assert "old" in done.stdout
    (base / "deep/er/config").mkdir()
    (base / "deep/er/config/old.yaml").write_text(STUDY.format(name="nearer"))
    # What is here wins; it makes this folder a project of its own.
    done = cactus("plan", "--configfile", "config/old.yaml", folder=base / "deep/er")
    assert (done.returncode, "\nnearer: " in done.stdout) == (0, True), done.stderr


@pytest.mark.parametrize("place", ["results/old", "results/old/plans"])
def test_in_the_folder_of_a_run_that_run_counts(cactus, base, place):
    done = cactus("plan", folder=base / place)
    assert done.stderr == f"note: in {base}\nnote: old is the run of this folder\n"
    assert (done.returncode, "\nold: " in done.stdout) == (0, True)
    done = cactus("config", "run", folder=base / place)
    assert (done.stdout.split()[:2], done.stderr) == (["run", '"old"'], f"note: in {base}\n")
    assert "\nnew: " in cactus("plan", "new", folder=base / place).stdout


def test_paths_are_printed_as_they_read_here(cactus, base):
    done = cactus("report", "old", folder=base / "deep/er")
    assert (done.returncode, done.stdout.splitlines()[0]) == (1, "../../old-now.html"), done.stderr
    assert (base / "old-now.html").is_file()
    assert cactus("report", "old", folder=base).stdout.splitlines()[0] == "old-now.html"
    assert f"\nnext, in {base}:\n" in cactus(folder=base / "deep").stdout
    assert "\nnext:\n" in cactus(folder=base).stdout


def test_what_is_no_run_is_told_from_what_is_missing(cactus, base):
    done = cactus("status", "empty", folder=base)
    assert done.returncode == RecordError.exit_code
    assert "the folder results/empty has no plans/config.json" in done.stderr
    done = cactus("status", "nwe", folder=base)
    assert "did you mean 'new'?" in done.stderr


def test_alone_it_says_what_can_be_done_next(cactus, base, tmp_path):
    done = cactus(folder=base)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[:2] for line in lines[1:3]] == [["new", "missing"], ["old", "unfinished"]]
    assert "cactus update new" in done.stdout
    (base / "results/new/plans/config.json").write_text("{")
    os.utime(base / "results/new/plans/config.json")
    done = cactus(folder=base)
    assert (done.returncode, done.stdout.splitlines()[1].split()[:2]) == (0, ["new", "broken"])
    (tmp_path / "bare").mkdir()
    done = cactus(folder=tmp_path / "bare")
    assert (done.returncode, "cactus doctor" in done.stdout) == (0, True)
    assert "usage:" not in done.stdout


def test_a_copy_of_a_run_comes_last_and_is_not_to_be_updated(cactus, base):
    planned = PlannedConfig(configfiles=["config/old.yaml"], overrides={}, config={"run": "old"})
    planned.write(base / "results/copied")  # the newest
    listed = json.loads(cactus("--json", folder=base).stdout)
    assert [one["name"] for one in listed["runs"]] == ["new", "old", "copied"]
    assert [one["copy"] for one in listed["runs"]] == [False, False, True]
    assert cactus("plan", folder=base).stderr == "note: new is the newest of 3 runs\n"
    shutil.rmtree(base / "results/new")
    shutil.rmtree(base / "results/old")
    done = cactus(folder=base)
    assert (done.returncode, "update" in done.stdout) == (0, False), done.stderr
    assert "; a copy, in which no job runs\n" in done.stdout
    assert "  cactus status copied " in done.stdout


def test_alone_it_offers_what_fits_the_studies_that_are_there(cactus, tmp_path):
    def offered() -> list[str]:
        found: list[dict[str, str]] = json.loads(cactus("--json").stdout)["next"]
        return [one["command"] for one in found if "my-study" in one["command"]]

    assert offered() == ["cactus init my-study"]
    assert cactus("init").returncode == 0
    plan, run, new = offered()
    assert plan == "cactus plan --configfile config/my-study.yaml"
    assert run.startswith("snakemake --cores ")
    assert run.endswith(" --configfile config/my-study.yaml")
    assert new == "cactus init my-study-2"
    assert "as in `cactus init my-study-2`" in cactus("init").stderr
    (tmp_path / "results/my-study/plans").mkdir(parents=True)
    (tmp_path / "results/my-study/plans/config.json").write_text("{}")
    assert offered() == ["cactus status my-study", "cactus init my-study-2"]
    (tmp_path / "config/my-study.yaml").unlink()
    assert offered()[-1] == "cactus init my-study-2"  # the run would be in the way


def test_a_current_folder_that_is_gone_is_named(tmp_path: Path):
    (tmp_path / "gone").mkdir()
    done = subprocess.run(
        ["sh", "-c", 'cd gone && rmdir ../gone && exec "$0" -m cactus.cli.main status',
         sys.executable],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(SCRIPTS)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == StorageError.exit_code, done.stderr
    assert "The current folder is gone." in done.stderr
    assert "Traceback" not in done.stderr
