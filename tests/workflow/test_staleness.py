"""Exactly the jobs that an edit makes stale run again, checked by real dry runs."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fuzz import FACTOR
from tests.workflow.edits import EDITS, NOTHING, Edit, code, configured, flip_a_byte
from tests.workflow.grid import EVERYTHING, wave
from tests.workflow.more_edits import MORE_EDITS
from tests.workflow.oracle import jobs_by_module
from tests.workflow.project import CONFIG, PLAIN, Project

pytestmark = pytest.mark.workflow
ALL_EDITS = [*EDITS, *MORE_EDITS]


def test_the_table_lists_the_jobs_of_the_run(finished: Project):
    records = sorted((finished.run / "records").rglob("*.json"))
    names = [
        path.relative_to(finished.run / "records").with_suffix("").as_posix() for path in records
    ]
    assert {name.replace("/", " ", 1) for name in names} == EVERYTHING


@pytest.mark.parametrize("edit", ALL_EDITS, ids=[edit.what for edit in ALL_EDITS])
def test_exactly_the_stale_jobs_run_again_and_are_planned(project: Project, edit: Edit):
    edit.apply(project)
    assert project.stale_jobs(config=edit.config) == edit.stale
    assert planned_jobs(project, edit.config) == edit.stale


def planned_jobs(project: Project, config: tuple[str, ...]) -> set[str]:
    """Return the jobs that `cactus plan` lists."""
    code, output = project.cactus("plan", *study_of(config), "--all")
    assert code == 0, output
    first = (line.partition(" ")[0].replace("/", " ", 1) for line in output.splitlines())
    return {job for job in first if job in EVERYTHING}


def study_of(options: tuple[str, ...]) -> Iterator[str]:
    """Yield those of Snakemake's options that name the study, with their values."""
    option = ""
    for word in options:
        option = word if word.startswith("--") else option
        if option in ("--configfile", "--config"):
            yield word


# Of all edits of files in `make fuzz`: keys on the command line are those of one call.
SOME = {"source: two modules at once", "YAML: a merge key of an anchor"}
SAMPLE = [edit for edit in ALL_EDITS if (FACTOR > 1 or edit.what in SOME) and edit.config == CONFIG]


@pytest.mark.fuzz
@pytest.mark.parametrize("edit", SAMPLE, ids=[edit.what for edit in SAMPLE])
def test_the_other_commands_agree(project: Project, edit: Edit):
    edit.apply(project)
    stale = project.stale_jobs(config=edit.config)
    code, output = project.cactus("update", "small", "--", "-n", *PLAIN)
    assert code == 0, output
    assert {job.strip() for job in re.findall(r"^Job \d+: (.+)$", output, re.M)} == stale
    assert f"small is not up to date: {len(stale)} stale; this was a dry run" in output
    _, output = project.cactus("status", "small", "--jobs")
    listed = (line.split() for line in output.splitlines())
    found = {one[0].replace("/", " ", 1) for one in listed if "stale" in one[1:2]}
    assert {job for job in found if job in EVERYTHING} == stale


def test_an_edit_of_any_module_reruns_the_jobs_that_run_it(project: Project):
    """Modules that the same jobs run are edited together to save dry runs."""
    groups: dict[frozenset[str], list[str]] = {}
    jobs = jobs_by_module(project)
    modules = sorted(
        path.relative_to(project.scripts).as_posix()
        for path in project.scripts.glob("cactus/**/*.py")
    )
    for module in modules:
        groups.setdefault(frozenset(jobs.get(module, ())), []).append(module)
    assert sum(map(len, groups.values())) == len(modules) > 150
    for affected, members in groups.items():
        texts = {module: (project.scripts / module).read_text() for module in members}
        for module in members:
            code(module)(project)
        expected = wave(*(f"{re.escape(job.replace('/', ' ', 1))}$" for job in affected))
        assert project.stale_jobs() == expected, members
        for module, text in texts.items():
            (project.scripts / module).write_text(text)


def test_a_new_seed_runs_its_own_cells_and_the_aggregation(project: Project):
    stale = project.stale_jobs(config=configured("grid={seeds: [0, 1, 2]}"))
    new = {job.replace("/s1", "/s2") for job in EVERYTHING if "mnist" in job and "/s1" in job}
    new |= {job.replace("/s0", "/s2") for job in EVERYTHING if "omniglot" in job and "/s0" in job}
    assert stale == new | wave("aggregate_results")


def test_another_location_and_other_times_change_nothing(finished: Project, tmp_path: Path):
    archive = shutil.make_archive(str(tmp_path / "run"), "tar", finished.folder)
    shutil.unpack_archive(archive, tmp_path / "elsewhere" / "deeper")
    moved = Project(tmp_path / "elsewhere" / "deeper")
    assert moved.stale_jobs() == NOTHING
    for path in moved.folder.rglob("*"):
        os.utime(path, (1, 1), follow_symlinks=False)  # as in archives that repeat byte for byte
    assert moved.stale_jobs() == NOTHING


def test_real_raw_files_count_by_content_wherever_they_are(project: Project):
    shutil.copytree(project.run / "raw/mnist", project.folder / "raw-files/mnist")
    target = "results/real/data/mnist/manifest.json"

    def real(raw_dir: str) -> tuple[str, ...]:
        return configured("run=real", "synthetic_data=false", f"data={{raw_dir: {raw_dir}}}")

    project.snakemake(target, "--cores", "1", config=real("raw-files"))
    assert project.stale_jobs(target, config=real("raw-files")) == NOTHING
    (project.folder / "raw-files").rename(project.folder / "elsewhere")
    assert project.stale_jobs(target, config=real("elsewhere")) == NOTHING
    assert project.stale_jobs(target, config=real("nowhere")) == NOTHING  # nothing to compare with
    flip_a_byte("elsewhere/mnist/train-images-idx3-ubyte.gz")(project)
    assert project.stale_jobs(target, config=real("elsewhere")) == {"prepare_data mnist"}
