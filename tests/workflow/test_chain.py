"""The records of a run are a chain: what is changed in it shows, and what is harmless does not."""

import json
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from cactus.errors import RecordError
from cactus.provenance.audit.report import Report
from cactus.provenance.chain.relink import relink
from cactus.provenance.records.record import read_record, write_record
from cactus.stages.whole_run.audit_run import AUDIT
from tests.workflow.forgeries import CHANGES, FORGERIES, SCORED, TRAINED, Forgery, seal_all
from tests.workflow.harmless import OPERATIONS
from tests.workflow.project import Project
from tests.workflow.scratch import Scratch
from tests.workflow.tamper import MAML, edit, flip, forge

pytestmark = pytest.mark.workflow


def files(report: Report) -> set[str]:
    return {finding.file for finding, _, _ in report.findings}


def test_there_are_enough_forgeries_and_harmless_operations():
    assert len({one.what for one in FORGERIES}) == len(FORGERIES) >= 40
    assert len(OPERATIONS) >= 40


@pytest.mark.parametrize("one", FORGERIES, ids=[one.what for one in FORGERIES])
def test_a_record_changed_and_sealed_again_breaks_a_link_below_it(scratch: Scratch, one: Forgery):
    one.carry_out(scratch.planner())
    kinds = {finding.kind for finding, _, _ in scratch.audit().findings}
    assert "link broken" in kinds


def test_what_lies_beside_the_results_is_noted(scratch: Scratch):
    before = scratch.audit().notes
    for name in ("notes.txt", "junk/x", "paper.aux", "report.html~", "digest.txt", "states/x/y"):
        (scratch.run / name).parent.mkdir(parents=True, exist_ok=True)
        (scratch.run / name).touch()
    report = scratch.audit()
    assert report.findings == ()
    assert [one for one in report.notes if one not in before] == [
        "left by an editor or LaTeX: 1 file, the first is report.html~",
        "not of any job: junk/, notes.txt, paper.aux, beside the results",
    ]


@pytest.mark.parametrize("what", OPERATIONS)
def test_what_is_harmless_is_no_finding(scratch: Scratch, what: str):
    OPERATIONS[what](scratch.planner())
    assert scratch.audit().findings == ()


def test_a_complete_forgery_changes_the_digest_that_was_published(scratch: Scratch):
    before = scratch.audit().digest
    planner = scratch.planner()
    record = read_record(scratch.run, TRAINED)
    assert record is not None
    write_record(scratch.run, CHANGES["another host"](record))
    seal_all(planner, TRAINED)
    assert scratch.audit().findings == ()
    assert [one.kind for one, _, _ in scratch.audit(expected=before).findings] == ["digest differs"]
    scratch.restore()
    assert scratch.audit(expected=before[:12]).findings == ()


def test_links_follow_no_record_that_was_edited(scratch: Scratch):
    record = read_record(scratch.run, TRAINED)
    assert record is not None
    write_record(scratch.run, CHANGES["another host"](record))
    assert relink(scratch.run, scratch.planner().graph) == []
    assert f"records/{TRAINED.name}.json" in files(scratch.audit())


def test_the_audit_of_the_run_states_its_digest(scratch: Scratch):
    assert json.loads((scratch.run / "audit.json").read_text())["digest"] == scratch.audit().digest
    code, output = scratch.project.cactus("audit", "small", "--expect", "0" * 64)
    assert (code, "digest differs" in output) == (1, True), output


def test_a_run_without_its_last_audit_is_not_complete(scratch: Scratch):
    (scratch.run / "records/audit_run.json").unlink()
    assert "records/audit_run.json" in files(scratch.audit())


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="OpenSSH is not installed")
def test_a_signature_holds_until_the_run_or_the_signature_changes(scratch: Scratch, tmp_path: Path):
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    code, output = scratch.project.cactus("seal", "small", "--key", str(key))
    assert code == 0, output
    report = scratch.audit()
    assert report.findings == ()
    assert any(note.startswith("signed: ED25519 key SHA256:") for note in report.notes)
    signed, signature = ((scratch.run / f"digest.txt{one}").read_bytes() for one in ("", ".sig"))
    edit("digest.txt", "^.", "x")(scratch.run)
    broken = scratch.audit()
    assert files(broken) == {"digest.txt.sig"}
    subprocess.run(["bash", "-c", broken.findings[0][2]], check=True)  # without a key
    assert scratch.audit().findings == ()
    (scratch.run / "digest.txt.sig").write_bytes(signature)
    (scratch.run / "digest.txt").write_bytes(signed)
    flip("digest.txt.sig")(scratch.run)
    assert files(scratch.audit()) == {"digest.txt.sig"}
    assert scratch.project.cactus("seal", "small", "--key", str(key))[0] == 0  # in its place
    assert scratch.audit().findings == ()
    kept = (scratch.run / "digest.txt.sig").read_bytes()
    flip(f"models/{MAML}/metrics.jsonl")(scratch.run)
    assert scratch.project.cactus("seal", "small", "--key", str(key))[0] == RecordError.exit_code
    assert (scratch.run / "digest.txt.sig").read_bytes() == kept


def test_files_that_a_record_does_not_list_or_lists_wrongly_are_named(scratch: Scratch):
    run, file = scratch.run, f"models/{MAML}/metrics.jsonl"
    forge(f"meta_train/{MAML}", lambda record: record["entities"].pop(file))(run)
    assert file in files(scratch.audit())
    scratch.restore()
    other = "tables/omniglot.tex"
    entity = {"sha256": "0" * 64, "bytes": 1}

    def claim(record: dict[str, dict[str, object]]) -> None:
        record["entities"][other] = entity

    forge(f"meta_train/{MAML}", claim)(run)
    got = {finding.file: finding.got for finding, _, _ in scratch.audit().findings}
    assert other in got


def test_a_deleted_record_of_a_table_is_one_finding_about_that_table(scratch: Scratch):
    (scratch.run / "records/make_table/omniglot.json").unlink()
    ((finding, affected, _),) = [
        one for one in scratch.audit().findings if one[0].kind != "link broken"
    ]
    assert finding.kind == "record missing"
    assert {one.job.name for one in affected} == {"make_table/omniglot"}


@pytest.mark.parametrize(
    ("file", "job"),
    [(f"evaluations/{MAML}/accuracies.csv", SCORED), ("tables/results.csv", None)],
    ids=["accuracies", "results"],
)
@pytest.mark.slow
def test_the_fix_of_each_finding_leads_back_to_the_true_numbers(
    project: Project, finished: Project, file: str, job: object
):
    """The printed command remakes what was forged, not what was read from it."""
    edit(file, r"0\.\d+", "0.9614")(project.run)
    forge(SCORED.name if job else "aggregate_results")(project.run)
    code, output = project.cactus("audit", "small")
    assert code == 1, output
    project.mend(output)
    code, output = project.cactus("audit", "small")
    assert code == 0, output
    for name in (file, "tables/omniglot.tex"):
        assert (project.run / name).read_bytes() == (finished.run / name).read_bytes()


@pytest.mark.parametrize(
    "change",
    [{"digest": "f" * 64}, {"numbers": 9999}, {"jobs": 1}, {"findings": ["none"]}],
    ids=str,
)
def test_a_forged_result_of_the_runs_own_audit_is_found(
    scratch: Scratch, change: dict[str, object]
):
    path = scratch.run / "audit.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    forge("audit_run")(scratch.run)
    for name in ("report.html", "report.map.json", "records/make_report.json"):
        (scratch.run / name).unlink()
    findings = scratch.audit().findings
    assert ("text differs", "audit.json") in {(one.kind, one.file) for one, _, _ in findings}


@pytest.mark.slow
def test_the_fix_of_a_forged_audit_writes_the_true_one(project: Project, finished: Project):
    edit("audit.json", r'"digest": "\w{8}', '"digest": "00000000')(project.run)
    forge("audit_run")(project.run)
    code, output = project.cactus("audit", "small")
    assert code == 1, output
    project.mend(output)
    code, output = project.cactus("audit", "small")
    assert code == 0, output
    digest = json.loads((project.run / "audit.json").read_text())["digest"]
    assert digest == json.loads((finished.run / "audit.json").read_text())["digest"]


def test_an_edited_source_that_was_kept_is_written_again(scratch: Scratch):
    record = read_record(scratch.run, TRAINED)
    assert record is not None
    digest = record.activity.sources["cactus/meta/maml/learner.py"]
    path = scratch.run / "objects" / digest[:2] / digest
    path.write_text("edited = 1\n")
    fixes = {fix for _, _, fix in scratch.audit().findings}
    (fix,) = fixes
    code, output = scratch.project.cactus(*shlex.split(fix)[1:])
    assert code == 0, output
    assert "put back 1 stored source" in output
    assert scratch.audit().findings == ()


def test_jobs_that_are_run_again_leave_no_broken_links(project: Project):
    """Those below are not run again, as they read the same bytes; their links follow."""
    run = project.run
    before = read_record(run, TRAINED)
    (run / "records/prepare_data/omniglot.json").unlink()
    code, output = project.cactus("update", "small", "--", "--cores", "1")
    assert code == 0, output
    after = read_record(run, TRAINED)
    assert before is not None
    assert after is not None
    assert after.activity == before.activity
    assert after.links != before.links
    code, output = project.cactus("audit", "small")
    assert code == 0, output
    audit = read_record(run, AUDIT)
    assert audit is not None
    assert audit.links is not None
    assert len(audit.links) == 55
