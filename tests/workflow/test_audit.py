"""Every way of tampering with a finished run is found, with the right kind and file."""

import hashlib
import json
import shutil
import sys
from pathlib import Path

import pytest

from cactus.errors import RecordError
from cactus.provenance.audit.report import Report, run_audit
from cactus.provenance.audit.trace import trace
from cactus.provenance.fingerprint.hash_cache import HashCache
from cactus.provenance.staleness.open_run import open_run
from cactus.stages.base import Job
from tests.workflow.edits import configured
from tests.workflow.forgeries import seal_all
from tests.workflow.project import CONFIG, Project
from tests.workflow.scratch import Scratch
from tests.workflow.tamper import MAML, Action, Tampering, both, edit, flip, forge, set_key
from tests.workflow.tampering import DAMAGES, FIGURES, REMADE, TAMPERINGS

pytestmark = pytest.mark.workflow


def audited(run: Path, *, fast: bool = False) -> Report:
    planner = open_run(str(run), cache=None if fast else HashCache(run / "hashes.json"))
    report = run_audit(planner)
    planner.project.tree.cache.save()
    return report


def kinds_and_files(report: Report) -> set[tuple[str, str]]:
    return {(finding.kind, finding.file) for finding, _, _ in report.findings}


def first_object(run: Path) -> Path:
    record = json.loads((run / f"records/meta_train/{MAML}.json").read_text())
    digest = record["activity"]["sources"]["cactus/meta/maml/learner.py"]
    return run / "objects" / digest[:2] / digest


@pytest.fixture
def run(project: Project) -> Path:
    """Folder of a copy of the finished run, whose hashes are cached."""
    assert kinds_and_files(audited(project.run)) == set()
    return project.run


def test_an_untouched_run_has_no_findings(finished: Project):
    code, output = finished.cactus("audit", "small")
    assert (code, "all agree" in output) == (0, True), output


def test_a_trace_hashes_the_files_of_its_own_chain_alone(finished: Project):
    planner = open_run(str(finished.run), cache=HashCache(None))
    found = trace(planner, finished.run / "tables/omniglot.tex", "ACAI CACTUs-MAML", "5w1s")
    assert found.stale == ()
    own = {name for _, record in found.chain if record for name in record.entities}
    hashed = {Path(one["path"]) for one in planner.project.tree.cache.entries.values()}
    inside = {
        path.relative_to(finished.run) for path in hashed if path.is_relative_to(finished.run)
    }
    assert {path.as_posix() for path in inside if path.parts[0] != "raw"} <= own
    assert "models/omniglot/acai/maml/s0/model.safetensors" in own
    assert not any("bigan" in name for name in own)


def test_the_audit_is_the_last_target_of_the_workflow(finished: Project):
    assert json.loads((finished.run / "audit.json").read_text())["findings"] == []


@pytest.mark.parametrize("one", TAMPERINGS, ids=[one.what for one in TAMPERINGS])
def test_tampering_is_found_and_named(scratch: Scratch, one: Tampering):
    one.apply(scratch.run)
    assert (one.kind, one.file) in kinds_and_files(scratch.audit())


@pytest.mark.parametrize("one", REMADE, ids=[one.what for one in REMADE])
def test_an_edit_of_what_is_no_number_is_found_by_making_it_anew(scratch: Scratch, one: Tampering):
    one.apply(scratch.run)
    assert (one.kind, one.file) in kinds_and_files(scratch.audit())


@pytest.mark.slow
def test_an_edit_of_a_figure_is_found_by_drawing_it_again(scratch: Scratch):
    for one in FIGURES:
        one.apply(scratch.run)
    code, output = scratch.project.cactus("audit", "small", "--figures")
    assert code == 1
    heads = [line.partition(": ") for line in output.splitlines()]
    named = {(kind, file) for kind, _, files in heads for file in files.split(", ")}
    assert {(one.kind, one.file) for one in FIGURES} <= named, output
    assert "it is not what its job draws" in output


def test_there_are_enough_ways_to_tamper():
    assert len({one.what for one in TAMPERINGS}) == len(TAMPERINGS) >= 120
    assert sum("forged" not in one.what for one in TAMPERINGS) >= 80


def test_lost_and_edited_sources_are_found(run: Path):
    path = first_object(run)
    text = path.read_text()
    path.write_text(text + "\n")
    name = path.relative_to(run).as_posix()
    assert ("source lost", name) in kinds_and_files(audited(run))
    path.unlink()
    assert ("source lost", name) in kinds_and_files(audited(run))


def test_an_older_table_is_found_with_its_record_and_without(
    finished: Project, run: Path, tmp_path: Path
):
    older = finished.copy(tmp_path / "older")
    older.snakemake("--cores", "1", "tables", config=(*CONFIG, "--config", "outputs={decimals: 1}"))
    for name in ("tables/omniglot.tex", "tables/omniglot.tex.map.json"):
        shutil.copyfile(older.run / name, run / name)
    assert ("output changed", "tables/omniglot.tex") in kinds_and_files(audited(run))
    record = "records/make_table/omniglot.json"
    shutil.copyfile(older.run / record, run / record)
    assert ("stale", "make_table/omniglot") in kinds_and_files(audited(run))


def forge_cache(run: Path, kind: str, path: Path, old: object) -> None:
    """Let the cache say that a changed file has its old hash."""
    cache = HashCache.load(run / "hashes.json")
    cache.sha256(path) if kind == "sha256" else cache.source(path, "")
    cache.entries[f"{kind}:{path.absolute()}"]["value"] = old  # type: ignore[typeddict-item]
    cache._changed = True
    cache.save()


def test_only_the_fast_audit_is_deceived_by_forged_cached_hashes(project: Project, run: Path):
    file = f"models/{MAML}/model.safetensors"
    right = hashlib.sha256((run / file).read_bytes()).hexdigest()
    flip(file)(run)
    forge_cache(run, "sha256", run / file, right)
    assert audited(run, fast=True).findings == ()
    code, output = project.cactus("audit", "small", "--fast")
    assert code == 0, output
    code, output = project.cactus("export", "small")
    assert (code, file in output) == (RecordError.exit_code, True), output
    code, output = project.cactus("audit", "small")
    assert (code, f"output changed: {file}" in output) == (1, True), output
    assert project.cactus("audit", "small", "--fast")[0] == 1  # the hashes are right again
    job = "audit_run"
    (run / f"records/{job}.json").unlink()
    forge_cache(run, "sha256", run / file, right)
    done = project.run_snakemake("audit", "--cores", "1")
    assert done.returncode != 0
    assert f"output changed: {file}" in (run / f"logs/{job}.log").read_text()


def test_code_with_a_forged_cached_hash_is_stale_to_the_audit(project: Project, run: Path):
    path = project.scripts / "cactus/meta/maml/learner.py"
    kind = f"source {sys.version_info.major}.{sys.version_info.minor}"
    old = HashCache.load(run / "hashes.json").entries[f"{kind}:{path}"]["value"]
    path.write_text(path.read_text() + "\nEDITED = 1\n")
    forge_cache(run, kind, path, old)
    assert audited(run, fast=True).findings == ()
    assert ("stale", f"meta_train/{MAML}") in kinds_and_files(audited(run))


def test_a_list_of_accepted_changes_cannot_cover_a_changed_result(run: Path):
    file = f"models/{MAML}/model.safetensors"
    old = hashlib.sha256((run / file).read_bytes()).hexdigest()
    flip(file)(run)
    new = hashlib.sha256((run / file).read_bytes()).hexdigest()
    entry = {"stage": "meta_train", "cell": MAML, "kind": "output", "name": file}
    entry |= {"old": old, "new": new, "who": "x", "when": "2026-01-01T00:00:00Z", "why": "y"}
    (run / "accepted.jsonl").write_text(json.dumps(entry))
    with pytest.raises(RecordError, match="accepted changes is damaged") as caught:
        open_run(str(run)).assess_all()
    assert "line 1: kind: " in caught.value.got
    found = kinds_and_files(audited(run))
    assert {("list damaged", "accepted.jsonl"), ("output changed", file)} <= found


@pytest.mark.parametrize("one", DAMAGES, ids=[one.what for one in DAMAGES])
def test_damage_is_named_and_all_else_is_still_checked(scratch: Scratch, one: Tampering):
    flip("figures/shots.pdf")(scratch.run)
    one.apply(scratch.run)
    found = kinds_and_files(scratch.audit())
    assert {(one.kind, one.file), ("output changed", "figures/shots.pdf")} <= found


def test_a_damaged_plan_is_named_with_what_mends_it(run: Path):
    file = f"plans/meta_train/{MAML}.json"
    edit(file, '"cell"', '"sell"')(run)
    ((finding, _, fix),) = audited(run).findings
    (run / file).unlink()
    assert (finding.kind, finding.file, fix) == ("plan damaged", file, f"rm {run / file}")
    assert audited(run).findings == ()


def test_a_finding_names_the_numbers_that_it_affects_and_what_fixes_it(run: Path):
    flip(f"models/{MAML}/model.safetensors")(run)
    (finding, affected, fix), *_ = audited(run).findings
    assert finding.kind == "output changed"
    titles = {one.title for one in affected}
    assert "tables/omniglot.tex: ACAI, CACTUs-MAML: 5-way 1-shot, ours" in titles
    pair = "tables/omniglot-tests.tex: ACAI, CACTUs-MAML: 5-way 1-shot, minus CACTUs-ProtoNets"
    assert pair in titles
    assert not any("CACTUs-ProtoNets: " in title or "paper" in title for title in titles)
    assert fix == f"cactus update {run}"  # this process is elsewhere


@pytest.mark.parametrize(
    ("file", "pattern", "new", "kinds"),
    [
        ("tables/omniglot.tex", r"bfseries \d", "bfseries 9", {"text differs"}),
        (
            "tables/omniglot.tex.map.json",
            r'"printed": "\d\d\.\d\d',
            '"printed": "99.99',
            {"text differs", "number differs"},
        ),
    ],
    ids=["table", "map"],
)
def test_a_finding_about_one_printed_number_affects_only_that_number(
    run: Path, file: str, pattern: str, new: str, kinds: set[str]
):
    edit(file, pattern, new)(run)
    forge("make_table/omniglot")(run)
    found = [one for one in audited(run).findings if one[0].kind.endswith(" differs")]
    found = [one for one in found if one[0].job.stage == "make_table"]
    read = [one for one, _, _ in found if one.kind == "input differs"]  # by the document
    assert [one.file for one in read] == ([file] if file.endswith(".tex") else [])
    found = [one for one in found if one[0].kind != "input differs"]
    assert {finding.kind for finding, _, _ in found} == kinds
    for finding, affected, _ in found:
        (number,) = affected
        assert f"{number.entry['row']}: {number.entry['column']}" in finding.got


def of_commit(*jobs: str, commit: str) -> Action:
    git = {"commit": commit, "dirty": False, "diff": None, "untracked": []}
    return both(*(forge(job, set_key("agent", "git", value=git)) for job in jobs))


def test_commits_with_equal_code_are_a_note_and_seeds_with_different_code_a_finding(
    run: Path,
):
    seeds = [f"meta_train/mnist/acai/protonets/s{seed}" for seed in (0, 1)]
    of_commit(seeds[0], commit="a" * 40)(run)
    of_commit(seeds[1], commit="b" * 40)(run)
    for name in seeds:
        seal_all(open_run(str(run)), Job(*name.split("/", 1)))
    report = audited(run)
    assert report.findings == ()
    both_commits = f"{'a' * 12}, {'b' * 12}"
    assert f"records of 2 commits, with the same code: {both_commits}" in report.notes
    path = ("activity", "plan", "code", "cactus/meta/protonets/learner.py")
    forge(seeds[1], set_key(*path, value="0" * 64))(run)
    report = audited(run)
    mixed = [one for one, _, _ in report.findings if one.kind == "mixed row"]
    assert mixed
    assert all("/s1 differ in code" in one.got for one in mixed)
    assert f"records of 2 commits: {both_commits}" in report.notes


def test_a_moved_run_and_a_restored_run_have_no_findings(finished: Project, tmp_path: Path):
    archive = shutil.make_archive(str(tmp_path / "run"), "tar", finished.folder)
    shutil.unpack_archive(archive, tmp_path / "restored")
    assert audited(tmp_path / "restored/results/small").findings == ()
    (tmp_path / "restored").rename(tmp_path / "moved")
    assert audited(tmp_path / "moved/results/small").findings == ()


def test_a_run_that_names_the_code_of_another_clone_is_noted(project: Project, tmp_path: Path):
    assert not any("compared with the code" in note for note in audited(project.run).notes)
    other = Project.create(tmp_path / "other")
    edit("plans/config.json", '"project": "."', f'"project": "{other.folder}"')(project.run)
    assert any(
        f"compared with the code in {other.folder}" in one for one in audited(project.run).notes
    )


def test_figures_that_the_study_no_longer_asks_for_are_noted_and_no_strays(
    finished: Project, tmp_path: Path
):
    project = finished.copy(tmp_path / "project")
    project.snakemake("--cores", "2", config=configured("outputs={figures: [accuracy_grid]}"))
    assert (project.run / "figures/shots.png").is_file()
    report = audited(project.run)
    assert kinds_and_files(report) == set()
    assert any("of jobs that are not in the study" in note for note in report.notes)
