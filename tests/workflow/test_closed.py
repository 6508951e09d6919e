"""What is closed to a user is named by all commands, with the command that opens it."""

import os
import re
import shutil

import pytest

from cactus.provenance.staleness.obstructions import obstructions
from tests.workflow.project import Project
from tests.workflow.scratch import Scratch
from tests.workflow.tamper import MAML, flip
from tests.workflow.test_obstructions import LINK, put
from tests.workflow.unprivileged import closed, closed_snakemake, mode, privileged

pytestmark = pytest.mark.workflow

CELL = "omniglot/acai/maml/s0"
UNREAD = "a folder that cannot be read (Permission denied)"


@privileged
@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("records", f"show {CELL}"),
        ("records", f"why {CELL}"),
        ("records", "diff small small"),
        ("records", "export"),
        ("models", "export"),
        ("objects", "export"),
        ("evaluations", f"show {CELL}"),
        ("evaluations", "diff small small"),
        ("evaluations", "results"),
        ("logs", f"logs {CELL}"),
        ("logs/evaluate_model", f"logs {CELL}"),
        ("work", ""),
        ("work", "status"),
        ("work", "top"),
        ("work", "clean"),
    ],
)
def test_a_closed_folder_is_named_with_the_command_that_opens_it(
    scratch: Scratch, name: str, command: str
):
    folder = scratch.run / name
    folder.mkdir(exist_ok=True)
    with mode(folder):
        output = closed(scratch.project.folder, command)
    if not command:  # the overview has no room for it; its next step is `status`, which has
        assert f"results/small/{name}: {UNREAD}\n" in output
        assert "  cactus status small   read what is wrong, and how to mend it\n" in output
    else:
        assert f"chmod u+rwx results/small/{name}" in output
    assert not any(word in output for word in ("failed", "nothing to clean", "no job is running"))


@privileged
@pytest.mark.skipif(os.getuid() != 0, reason="only root gives a folder to another user")
def test_a_folder_of_another_user_is_named_with_its_owner(scratch: Scratch):
    folder = scratch.run / "evaluations"
    os.chown(folder, 64_321, -1)
    try:
        with mode(folder, 0o700):
            output = closed(scratch.project.folder, f"show {CELL}")
    finally:
        os.chown(folder, 0, -1)
    assert f"  got:   {UNREAD}, which user 64321 owns\n" in output
    assert "  fix:   `chmod a+rwx results/small/evaluations`; then run" in output


@privileged
def test_a_link_into_a_closed_folder_stays(scratch: Scratch):
    """What it leads to may be fine: the folder is to be opened, not the link removed."""
    aside, objects = scratch.project.folder / "aside", scratch.run / "objects"
    aside.mkdir()
    objects.rename(aside / "objects")
    objects.symlink_to(aside / "objects")
    with mode(aside):
        output = closed(scratch.project.folder, "status small")
    assert f" aside: {UNREAD}; `chmod u+rwx aside`\n" in output
    assert "rm -rf" not in output


@privileged
def test_nothing_is_cleaned_of_which_a_closed_record_may_tell(scratch: Scratch):
    first = next(path for path in sorted((scratch.run / "objects").glob("*/*")))
    folder = scratch.run / "records/of_another_study"
    folder.mkdir()
    with mode(folder):
        output = closed(scratch.project.folder, "clean --yes")
    folder.rmdir()
    assert "chmod u+rwx results/small/records/of_another_study" in output
    assert first.is_file()


@privileged
def test_closed_objects_are_one_finding_and_all_else_is_checked(scratch: Scratch):
    flip("figures/shots.pdf")(scratch.run)
    with mode(scratch.run / "objects"):
        output = closed(scratch.project.folder, "audit small")
    assert f"obstructed: objects\n  got:     {UNREAD}; " in output
    assert "output changed: figures/shots.pdf\n" in output
    assert "\n2 findings: " in output


@privileged
@pytest.mark.parametrize("name", ["evaluations", "baselines"])
def test_numbers_of_closed_evaluations_are_not_said_to_differ(scratch: Scratch, name: str):
    with mode(scratch.run / name):
        output = closed(scratch.project.folder, "audit small")
    assert output.startswith(f"obstructed: {name}\n")
    assert "\n1 finding: " in output
    assert re.search(r"^note: not recomputed: \d+ printed numbers", output, re.M), output


@pytest.mark.parametrize("shape", ["a file", "a pipe", LINK])
@pytest.mark.parametrize("name", ["evaluations", "baselines"])
def test_numbers_behind_an_obstruction_are_not_said_to_differ(
    scratch: Scratch, name: str, shape: str
):
    put(scratch.run / name, shape)
    report = scratch.audit()
    ((finding, affected, _),) = report.findings
    assert (finding.kind, finding.file) == ("obstructed", name)
    (note,) = [one for one in report.notes if one.startswith("not recomputed: ")]
    assert f"because of what cannot be read: {scratch.run / name}/" in note
    assert len(affected) > 100


def test_a_number_that_can_be_recomputed_still_is(scratch: Scratch):
    """What cannot be read of one data set hides nothing of another."""
    shutil.rmtree(scratch.run / "evaluations/mnist")
    flip(f"evaluations/{MAML}/accuracies.csv")(scratch.run)
    kinds = {finding.kind for finding, *_ in scratch.audit().findings}
    assert {"output missing", "output changed"} < kinds


@privileged
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("figures/shots.pdf", "output unreadable"),
        (f"evaluations/{MAML}/accuracies.csv", "output unreadable"),
        (f"records/meta_train/{MAML}.json", "record damaged"),
        ("tables/results.csv", "output unreadable"),
        ("accepted.jsonl", "list damaged"),
    ],
)
def test_a_closed_file_is_only_to_be_opened(scratch: Scratch, name: str, kind: str):
    (scratch.run / name).touch()
    with mode(scratch.run / name):
        output = closed(scratch.project.folder, "audit small")
    fixes = {line for line in output.splitlines() if line.startswith("  fix: ")}
    assert f"{kind}: {name}\n" in output
    assert fixes == {f"  fix:     chmod u+rw results/small/{name}"}


@privileged
@pytest.mark.parametrize(
    ("name", "command", "job"),
    [
        ("figures/shots.pdf", "chmod u+rw", "make_figure/shots"),
        (f"models/{MAML}/model.safetensors", "chmod u+rw", f"meta_train/{MAML}"),
        (f"records/meta_train/{MAML}.json", "chmod u+rw", f"meta_train/{MAML}"),
        (f"models/{MAML}", "chmod u+rwx", f"meta_train/{MAML}"),
    ],
)
def test_what_cannot_be_read_is_closed_and_not_run_again(
    scratch: Scratch, name: str, command: str, job: str
):
    folder = scratch.project.folder
    with mode(scratch.run / name):
        plan, status, why = (
            closed(folder, one) for one in ("plan small", "status small", f"why {job} --run small")
        )
        update, dry = closed(folder, "update small"), closed_snakemake(folder, "-n")
    assert re.search(r"^small: nothing to do, \d+ closed, \d+ fresh$", plan, re.M), plan
    assert f"{command} results/small/{name}" in plan
    assert f"note: 1 job with files that cannot be read: {job}; " in plan or "records" in name
    assert re.search(r"^small: 57 jobs: \d+ closed, \d+ fresh$", status, re.M), status
    assert f"{job} is closed:\n" in why
    known = r"^small may be up to date, but for \d+ closed$"
    refused = r"^  fix:   `chmod u\+rwx results/small/models/"
    folder_closed = command.endswith("x")  # it is in the way of all jobs
    assert re.search(refused if folder_closed else known, update, re.M), update
    assert (dry[0], "would run" in dry[1]) == (int(folder_closed), False), dry[1]


@privileged
def test_what_is_stale_beside_a_closed_file_runs(scratch: Scratch):
    (scratch.run / "tables/omniglot.tex").unlink()
    with mode(scratch.run / "figures/shots.pdf"):
        plan = closed(scratch.project.folder, "plan small")
    assert "1 make_table" in plan
    assert "make_figure" not in plan.partition("note: ")[0]


def test_a_run_that_nobody_may_write_to_is_fresh(scratch: Scratch):
    for path in [*scratch.run.rglob("*")]:
        path.chmod(path.stat().st_mode & ~0o222)
    try:
        plan, update = (
            closed(scratch.project.folder, f"{one} small") for one in ("plan", "update")
        )
    finally:
        for path in [*scratch.run.rglob("*")]:
            path.chmod(path.stat().st_mode | 0o200)
    assert plan == "small: nothing to do, all jobs are fresh\n"
    assert update == "small is up to date\n"


@privileged
def test_accuracies_that_cannot_be_shown_are_named(scratch: Scratch):
    name = f"evaluations/{CELL}/summary.json"
    with mode(scratch.run / name):
        found = [closed(scratch.project.folder, one) for one in (f"show {CELL}", "results")]
    for output in found:
        line = f"not shown, as the numbers cannot be read: evaluate_model/{CELL}; run `chmod u+rw "
        assert f"{line}results/small/{name}`\n" in output


def test_all_stored_texts_come_back_by_one_command(project: Project):
    shutil.rmtree(project.run / "objects")
    code, output = project.cactus("audit", "small")
    lines = output.splitlines()
    assert code == 1
    assert len([line for line in lines if line.startswith("source lost: ")]) == 1
    assert len({line for line in lines if line.startswith("  fix: ")}) == 1
    project.mend(output)
    code, output = project.cactus("audit", "small")
    assert code == 0, output


def test_a_source_that_was_edited_is_put_back(project: Project):
    lost = next(
        path
        for path in sorted((project.run / "objects").glob("*/*"))
        if path.read_bytes().startswith(b'"""')
    )
    text = lost.read_bytes()
    lost.write_bytes(text + b"\n")
    code, output = project.cactus("update", "small")
    assert (code, output) == (0, "put back 1 stored source\nsmall is up to date\n")
    assert lost.read_bytes() == text


@pytest.mark.parametrize("name", [f"logs/meta_train/{MAML}.log", "work", "states", "logs"])
def test_no_number_depends_on_how_a_job_ran(scratch: Scratch, name: str):
    put(scratch.run / name, "a pipe")
    ((finding, affected, _),) = scratch.audit().findings
    assert (finding.kind, finding.file, affected) == ("obstructed", name, ())


@pytest.mark.parametrize("shape", ["a file", "a pipe"])
def test_what_is_in_the_place_of_the_folder_of_snakemake_is_named(project: Project, shape: str):
    put(project.folder / ".snakemake", shape)
    done = project.run_snakemake("--dry-run")
    _, doctor = project.cactus("doctor")
    (project.folder / ".snakemake").unlink()
    got = f"{shape} in the place of a folder"
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert f"  where: .snakemake\n  got:   {got}\n  fix:   `rm -rf .snakemake`, or " in done.stderr
    assert re.search(rf"^\.snakemake +blocks +{got}$", doctor, re.M), doctor


def test_what_is_in_the_place_of_a_run_is_named(project: Project):
    other = project.folder / "results/other"
    os.mkfifo(other)
    (project.folder / "results/notes.txt").touch()
    found = [project.cactus(*words)[1] for words in (["status"], [])]
    project.run.rename(project.folder / "aside")
    try:
        alone, overview = project.cactus("status")[1], project.cactus()[1]
    finally:
        (project.folder / "aside").rename(project.run)
        other.unlink()
        (project.folder / "results/notes.txt").unlink()
    way = "if a run's folder belongs there, `rm -rf results/other`, or move it away"
    for output in (*found, alone, overview):
        assert f"note: results/other: a pipe in the place of a folder; {way}\n" in output
        assert "note: results/notes.txt" not in output
    assert f"  fix:   {way}; then run the workflow: `snakemake --cores 2`\n" in alone


@privileged
def test_a_dry_run_of_a_fresh_run_that_may_only_be_read_is_not_refused(scratch: Scratch):
    planner = scratch.planner()
    assert obstructions(planner) == []
    with mode(scratch.run / "models", 0o555), mode(scratch.run / "objects", 0o555):
        code, output = closed_snakemake(scratch.project.folder, "-n")
    assert (code, "no job can run" in output) == (0, False), output
