"""What is in the place of a run's files and folders is named, and the printed fix mends it."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cactus.cli.state.top import is_driven
from cactus.errors import RecordError
from cactus.provenance.staleness.obstructions import obstructions, refuse_obstructions
from cactus.provenance.staleness.status import job_status
from cactus.stages.whole_run.audit_run import AUDIT
from tests.workflow.project import Project
from tests.workflow.scratch import Scratch
from tests.workflow.tamper import MAML, flip
from tests.workflow.unprivileged import closed, closed_snakemake, everywhere, privileged

pytestmark = pytest.mark.workflow


def a_folder(path: Path) -> None:
    path.mkdir()
    (path / "notes").touch()


SHAPES: dict[str, Callable[[Path], None]] = {
    "a file": Path.touch,
    "a link to nowhere, which leads nowhere,": lambda path: path.symlink_to("nowhere"),
    f"a link to {os.devnull}": lambda path: path.symlink_to(os.devnull),
    "a pipe": os.mkfifo,
    "a folder": a_folder,
}
# A shell, a terminal or a line of text would take it for more than a name.
ODD = "tables/a 'b'\n$(c)\\ \x1b[2J\udcff\".csv"
LINK, DEVICE = [*SHAPES][1:3]


def put(path: Path, shape: str) -> None:
    """Put something in the place of a file or a folder, which need not be there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    SHAPES[shape](path)


@pytest.mark.parametrize(
    ("name", "shape", "wanted"),
    [
        ("tables", "a file", "folder"),
        ("objects", LINK, "folder"),
        ("work", DEVICE, "folder"),
        ("plans/meta_train", "a file", "folder"),
        ("records/meta_train", "a pipe", "folder"),
        ("records", LINK, "folder"),
        ("audit.json", "a folder", "file"),
        (f"records/meta_train/{MAML}.json", "a folder", "file"),
        (f"models/{MAML}/model.safetensors", LINK, "file"),
        (f"logs/meta_train/{MAML}.log", "a pipe", "file"),
    ],
)
def test_an_obstruction_is_named_first_and_nothing_starts(
    scratch: Scratch, name: str, shape: str, wanted: str
):
    put(scratch.run / name, shape)
    finding, _, fix = scratch.audit().findings[0]
    assert (finding.kind, finding.file) == ("obstructed", name)
    assert finding.got.partition(";")[0] == f"{shape} in the place of a {wanted}"
    assert fix.startswith(f"rm -rf {scratch.run / name} && ")
    with pytest.raises(RecordError, match="Something keeps a run from its files") as caught:
        refuse_obstructions(scratch.planner())
    assert caught.value.where == str(scratch.run / name)


@pytest.mark.parametrize("name", ["digest.txt", "digest.txt.sig"])
def test_a_folder_in_the_place_of_a_signature_is_an_obstruction(scratch: Scratch, name: str):
    put(scratch.run / name, "a folder")
    ((finding, _, fix),) = scratch.audit().findings
    assert (finding.kind, finding.file) == ("obstructed", name)
    subprocess.run(["bash", "-c", fix.partition(" && ")[0]], check=True)
    assert scratch.audit().findings == ()


def test_links_to_folders_and_files_are_no_obstructions(scratch: Scratch, tmp_path: Path):
    for name in ("objects", "records/meta_train", "audit.json"):
        shutil.move(scratch.run / name, tmp_path / Path(name).name)
        (scratch.run / name).symlink_to(tmp_path / Path(name).name)
    assert obstructions(scratch.planner()) == []


def test_the_printed_fix_mends_all_obstructions(project: Project):
    for name, shape in (("audit.json", "a folder"), ("work", "a file"), ("states", "a file")):
        put(project.run / name, shape)
    code, output = project.cactus("status", "small")
    assert (code, "failed" in output) == (1, False), output
    assert "note: no job can run: results/small/work: a file in the place of a folder" in output
    code, refused = project.cactus("update", "small")
    assert code == RecordError.exit_code
    assert refused.count("\n") == 4, refused
    done = project.run_snakemake("--cores", "1")
    assert (done.returncode, done.stdout + done.stderr) == (1, refused)
    (project.run / ODD).touch()
    (project.run / "accepted.jsonl").write_text("{\n\n{}\n")
    code, output = project.cactus("audit", "small")
    assert code == 1
    assert "obstructed: states, work\n  got:     a file in the place of a folder\n" in output
    assert "obstructed: audit.json\n" in output
    assert "  fix:     sed -i '1d;3d' results/small/accepted.jsonl\n" in output
    project.mend(output)
    assert project.cactus("audit", "small")[0] == 0


@privileged
@pytest.mark.parametrize("mode", [0o000, 0o644], ids=oct)
def test_a_folder_that_cannot_be_read_stops_no_audit(scratch: Scratch, mode: int):
    flip("figures/shots.pdf")(scratch.run)
    folder = scratch.run / "records/meta_train"
    folder.chmod(mode)
    try:
        audit = closed(scratch.project.folder, "audit small")
        status = closed(scratch.project.folder, "status small")
    finally:
        folder.chmod(0o755)
    assert audit.startswith("obstructed: records/meta_train\n"), audit
    assert audit.count("records/meta_train/") == 0, audit
    assert "fix:     chmod u+rwx results/small/records/meta_train && cactus update small" in audit
    assert "output changed: figures/shots.pdf" in audit
    assert "\nsmall: 57 jobs: " in status, status


@privileged
def test_a_run_that_may_only_be_read_is_read_without_alarm(scratch: Scratch):
    everywhere(scratch.run, lambda mode: mode & ~0o222)
    try:
        found = {one: closed(scratch.project.folder, f"{one} small") for one in ("plan", "audit")}
        found["status"] = closed(scratch.project.folder, "status small")
        found["results"] = closed(scratch.project.folder, "results --run small")
    finally:
        everywhere(scratch.run, lambda mode: mode | 0o200)
    assert found["plan"] == "small: nothing to do, all jobs are fresh\n"
    assert "\nall agree: " in found["audit"]
    assert "\nsmall: 57 jobs: 57 fresh\n" in found["status"]
    assert "\nsmall: 11 jobs that score: 11 fresh\n" in found["results"]
    assert not any(word in text for text in found.values() for word in ("note: no job", "Error"))


@privileged
@pytest.mark.parametrize("name", ["models/omniglot/acai/maml", "models", "objects", "."])
def test_a_folder_in_which_stale_jobs_cannot_write_is_named(scratch: Scratch, name: str):
    flip(f"models/{MAML}/model.safetensors")(scratch.run)
    folder, shown = scratch.run / name, Path("results/small", name)
    line = (
        f"note: no job can run: {shown}: a folder that is closed to writing; `chmod -R u+w {shown}`"
    )
    everywhere(folder, lambda mode: mode & ~0o222)
    try:
        plan = closed(scratch.project.folder, "plan small")
        update = closed(scratch.project.folder, "update small")
        status = closed(scratch.project.folder, "status small")
        audit = closed(scratch.project.folder, "audit small")
        if name == "models":
            code, dry_run = closed_snakemake(scratch.project.folder, "-n")
            assert (code, line in dry_run) == (0, True), dry_run
    finally:
        everywhere(folder, lambda mode: mode | 0o200)
    for text in (plan, status):
        assert [one for one in text.splitlines() if "note: no job" in one] == [line]
    assert f"  fix:     chmod -R u+w {shown} && cactus update small\n" in audit
    assert f"fix:   `chmod -R u+w {shown}`; then run the same command again\n" in update


@privileged
def test_folders_in_which_no_stale_job_writes_may_be_closed(scratch: Scratch):
    flip("figures/shots.pdf")(scratch.run)
    everywhere(scratch.run / "models", lambda mode: mode & ~0o222)
    try:
        found = [closed(scratch.project.folder, f"{one} small") for one in ("plan", "status")]
        code, dry_run = closed_snakemake(scratch.project.folder, "-n")
    finally:
        everywhere(scratch.run / "models", lambda mode: mode | 0o200)
    assert (code, "make_figure" in dry_run) == (0, True), dry_run
    assert not any("no job can run" in text for text in (*found, dry_run))


@pytest.mark.parametrize(
    ("name", "files"), [("raw", 10), ("quality", 12), ("objects", None), ("records", 57)]
)
def test_an_obstruction_is_one_finding_with_what_is_behind_it(
    scratch: Scratch, name: str, files: int | None
):
    audited = (one for one in scratch.planner().records() if one.job != AUDIT)
    files = files or len({text for record in audited for text in record.texts})
    put(scratch.run / name, "a file")
    ((finding, affected, fix),) = scratch.audit().findings
    got = f"a file in the place of a folder; {files} files of the run cannot be read"
    assert (finding.kind, finding.file, finding.got) == ("obstructed", name, got)
    assert len(affected) > 100
    assert fix == f"rm -rf {scratch.run / name} && cactus update {scratch.run}"


@pytest.mark.parametrize("shape", ["a file", LINK, DEVICE, "a pipe"])
def test_what_is_behind_an_obstruction_is_missing_whatever_it_is(scratch: Scratch, shape: str):
    put(scratch.run / "records", shape)
    assert {one.state for one in scratch.planner().assess_all()} == {"missing"}


@pytest.mark.parametrize("shape", ["a file", LINK, DEVICE, "a pipe"])
def test_what_is_in_the_place_of_the_work_folder_makes_no_job_fail(scratch: Scratch, shape: str):
    put(scratch.run / "work", shape)
    planner = scratch.planner()
    assert {job_status(planner, one).state for one in planner.assess_all()} == {"fresh"}
    assert not is_driven(scratch.run)


@privileged
@pytest.mark.parametrize("name", ["results", "results/small", "results/small/plans"])
def test_a_run_in_a_closed_folder_is_there(scratch: Scratch, name: str):
    folder = scratch.project.folder / name
    folder.chmod(0)
    try:
        found = [closed(scratch.project.folder, one) for one in ("status", "results --run small")]
    finally:
        folder.chmod(0o755)
    for text in found:
        assert f"where: {name}\n  got:   a folder that cannot be read (Permission denied)" in text
        assert f"fix:   `chmod u+rwx {name}`; then " in text


@privileged
def test_what_cannot_be_read_is_not_said_to_have_changed(scratch: Scratch):
    file = scratch.run / "figures/shots.pdf"
    file.chmod(0)
    try:
        audit, why = (
            closed(scratch.project.folder, one)
            for one in ("audit small", "why make_figure/shots --run small")
        )
    finally:
        file.chmod(0o644)
    assert audit.startswith("output unreadable: figures/shots.pdf\n  got:     unreadable (Perm"), (
        audit
    )
    assert "output figures/shots.pdf is unreadable (Permission denied)\n" in why
