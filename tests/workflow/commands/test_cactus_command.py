"""The command `cactus` on a finished run and on edits of it."""

import json
import re
import shutil
import subprocess
import sys

import pytest

from cactus.errors import CodeError, ConfigError, RecordError
from tests.workflow.project import CONFIG, Project

pytestmark = pytest.mark.workflow
MAML = "omniglot/acai/maml/s0"
MAML_CODE = "workflow/scripts/cactus/meta/maml/learner.py"


def edit_code(project: Project, module: str = "meta/maml/learner.py") -> None:
    path = project.scripts / "cactus" / module
    path.write_text(path.read_text() + "\n\nEDITED = 1\n")


def change_key(project: Project, old: str, new: str) -> None:
    path = project.folder / "config/small.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_finished_run_is_fresh_and_needs_no_job(project: Project):
    code, output = project.cactus("status", "small")
    assert code == 0, output
    assert "small: 57 jobs: 57 fresh" in output
    row = next(line for line in output.splitlines() if line.startswith(MAML))
    assert row.split()[1] == "fresh"
    assert project.cactus("plan", "small") == (0, "small: nothing to do, all jobs are fresh\n")
    assert project.cactus("why", MAML) == (0, f"{MAML} is fresh\n")


def test_status_shows_stale_missing_failed_and_running_jobs(project: Project):
    edit_code(project, "meta/maml/learner.py")
    (project.run / "records/evaluate_model/omniglot/labels/protonets/s0.json").unlink()
    folder = project.run / "states/meta_train/omniglot/bigan/protonets"
    folder.mkdir(parents=True, exist_ok=True)
    failed = {
        "state": "failed",
        "error": "The loss is NaN.",
        "host": "n1",
        "started": "",
        "ended": "",
    }
    (folder / "s0.json").write_text(json.dumps(failed))
    folder = project.run / "work/train_embedding/mnist/acai/s1"
    folder.mkdir(parents=True)
    running = {"host": "another", "pid": 9, "started": "2026-01-01T00:00:00+00:00", "slurm": "17"}
    progress = {"step": 30, "steps": 40, "seconds_left": 65.0}
    (folder / "lease.json").write_text(json.dumps({**running, **progress}))
    code, output = project.cactus("status", "small", "--jobs")
    states = {line.split()[0]: line for line in output.splitlines() if "/" in line}
    assert code == 1
    assert " stale " in states[f"meta_train/{MAML}"]
    assert "code cactus/meta/maml/learner.py changed" in states[f"meta_train/{MAML}"]
    assert " missing " in states["evaluate_model/omniglot/labels/protonets/s0"]
    assert "The loss is NaN." in states["meta_train/omniglot/bigan/protonets/s0"]
    assert " running " in states["train_embedding/mnist/acai/s1"]
    where = "on another, process 9, Slurm job 17, step 30 of 40, about 1 min 05 s left"
    assert where in states["train_embedding/mnist/acai/s1"]


def test_why_shows_the_edit_the_key_and_the_library(project: Project):
    edit_code(project)
    before = "  maml:\n    validation: {every: 5, tasks: "
    change_key(project, f"{before}5", f"{before}6")
    lock = project.folder / "envs/requirements.lock"
    lock.write_text(lock.read_text().replace("\ntorch==2.14.1", "\ntorch==2.14.2"))
    code, output = project.cactus("why", f"meta_train/{MAML}")
    assert code == 1
    assert "--- recorded/cactus/meta/maml/learner.py" in output
    assert "+EDITED = 1" in output
    assert "config settings.validation.tasks: 5 -> 6" in output
    assert "library torch: 2.14.1 -> 2.14.2" in output


def test_why_shows_the_hashes_of_a_changed_result_and_the_stale_upstream_job(project: Project):
    path = project.run / "embeddings/omniglot/acai/s0/train.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    code, output = project.cactus("why", "train_embedding/omniglot/acai/s0")
    assert "output embeddings/omniglot/acai/s0/train.npy changed since it was made" in output
    assert "sha256" in output
    code, output = project.cactus("why", f"make_partitions/{MAML}")
    assert (code, "train_embedding/omniglot/acai/s0 runs first" in output) == (1, True)


def test_plan_counts_jobs_and_estimates_their_time_from_records(project: Project):
    edit_code(project)
    code, output = project.cactus("plan", "small", "--at-once", "1")
    assert code == 0
    assert "1 meta_train, 2 evaluate_model, 1 aggregate_results" in output
    record = json.loads((project.run / f"records/meta_train/{MAML}.json").read_text())
    row = next(line for line in output.splitlines() if line.startswith(f"meta_train/{MAML}"))
    assert f"{record['activity']['seconds']:.1f} s" in row
    assert "0.00 GPU-hours" in output


def test_an_accepted_change_is_fresh_until_the_next_one_and_the_audit_shows_it(project: Project):
    edit_code(project, "embed/bigan.py")
    cell = "omniglot/bigan/protonets/s0"
    code, _ = project.cactus("accept", cell, "--reason", "only a constant that nobody reads")
    assert code == 0
    assert project.stale_jobs() == set()
    code, output = project.cactus("audit", "small")
    assert code == 0
    assert "only a constant that nobody reads" in output
    edit_code(project, "embed/bigan.py")
    assert "train_embedding omniglot/bigan/s0" in project.stale_jobs()


def test_a_changed_result_cannot_be_accepted(project: Project):
    (project.run / f"models/{MAML}/model.safetensors").write_bytes(b"other")
    code, output = project.cactus("accept", MAML, "--reason", "why not")
    assert code == RecordError.exit_code
    assert "cannot be accepted" in output


# A new record, even of equal bytes, is part of another digest of the run.
AFTER_EACH = ("audit_run", "make_report")


def test_update_stops_where_a_rebuilt_result_has_the_same_bytes(project: Project):
    (project.run / "records/train_embedding/omniglot/acai/s0.json").unlink()
    assert len(project.stale_jobs()) > 15
    code, output = project.cactus("update", "small", "--", "--cores", "2", "--logger", "cactus")
    assert code == 0, output
    assert jobs_done(output) == [*AFTER_EACH, "train_embedding omniglot/acai/s0"]
    assert "small is up to date" in output
    assert project.stale_jobs() == set()


def test_update_runs_no_consumer_of_several_rebuilt_results_with_the_same_bytes(project: Project):
    """The document reads tables, and is of their target; the results read both others."""
    records = ("make_table/mnist", "make_table/omniglot", "run_baselines/omniglot/acai/s0")
    records += ("measure_partitions/omniglot/acai/maml/s0",)
    for name in records:
        (project.run / f"records/{name}.json").unlink()
    code, output = project.cactus("update", "small", "--", "--cores", "2", "--logger", "cactus")
    assert code == 0, output
    rebuilt = (name.replace("/", " ", 1) for name in records)
    assert jobs_done(output) == sorted([*AFTER_EACH, *rebuilt])
    assert "small is up to date" in output


def jobs_done(output: str) -> list[str]:
    lines = (line.split("  done ")[1].split() for line in output.splitlines() if "  done " in line)
    return sorted(" ".join(words[: 1 if words[1][0].isdigit() else 2]) for words in lines)


def test_update_says_what_is_left_after_a_dry_run_and_takes_targets(project: Project):
    edit_code(project, "paper/tables/accuracies.py")
    assert project.stale_jobs() != set()
    code, output = project.cactus("update", "small", "--", "-n", "--quiet")
    assert code == 0, output
    assert "small is not up to date" in output
    assert "this was a dry run" in output
    code, output = project.cactus("update", "small", "--", "--cores", "1", "figures")
    assert (code, output) == (0, "small is up to date (figures)\n")
    code, output = project.cactus("update", "small", "--", "--cores", "1", "tabels")
    assert (code, "did you mean 'tables'?" in output) == (ConfigError.exit_code, True), output
    code, output = project.cactus("update", "small", "--", "--cores", "1", "tables", "--touch")
    assert (code, "small is not up to date" in output) == (1, True), output


def test_a_copy_of_a_run_is_not_updated_in_place_of_the_run(project: Project):
    shutil.copytree(project.run, project.run.with_name("before"))
    (project.run.with_name("before") / f"records/evaluate_model/{MAML}.json").unlink()
    for verb in ("update", "paper"):
        code, output = project.cactus(verb, "before")
        assert (code, "cannot be updated" in output) == (RecordError.exit_code, True), output
    shutil.rmtree(project.run.with_name("before"))


def test_the_text_of_a_rule_makes_nothing_stale(project: Project):
    rule = project.folder / "rules/paper.smk"
    text = rule.read_text()
    rule.write_text(text.replace("exec python", "exec python -u"))
    assert rule.read_text() != text
    assert project.stale_jobs() == set()


def test_status_shows_the_error_of_a_job_that_died_while_it_imported(project: Project):
    script = project.scripts / "make_document.py"
    script.write_text('"""Stop at once."""\n\nraise ImportError("no libcuda.so.1")\n')
    (project.run / "records/make_document.json").unlink()
    done = project.run_snakemake("tables", "--cores", "1")
    assert done.returncode != 0
    code, output = project.cactus("status", "small", "--jobs")
    row = next(line for line in output.splitlines() if line.startswith("make_document"))
    assert (code, row.split()[1]) == (1, "failed")
    assert "ImportError: no libcuda.so.1" in row
    assert "1 failed" in output


def test_plain_snakemake_brings_a_changed_cell_and_its_numbers_up_to_date(project: Project):
    change_key(project, "scratch: {steps: 3}", "scratch: {steps: 2}")
    project.snakemake("--cores", "2")
    assert project.stale_jobs() == set()
    assert project.cactus("audit", "small")[0] == 0


def test_a_job_does_not_run_code_that_was_edited_after_it_was_planned(project: Project):
    (project.run / f"records/meta_train/{MAML}.json").unlink()
    assert f"meta_train {MAML}" in project.stale_jobs()  # plans it
    edit_code(project)
    plan = project.run / f"plans/meta_train/{MAML}.json"
    script = project.scripts / "meta_train.py"
    job = subprocess.run(
        [sys.executable, str(script), "--plan", str(plan)], capture_output=True, text=True
    )
    assert job.returncode == CodeError.exit_code
    assert "The code changed after this job was planned." in job.stderr
    assert "cactus/meta/maml/learner.py" in job.stderr
    assert not (project.run / f"records/meta_train/{MAML}.json").exists()


def test_a_job_does_not_start_on_an_input_that_changed_after_it_was_planned(project: Project):
    (project.run / f"records/meta_train/{MAML}.json").unlink()
    project.stale_jobs()
    (project.run / f"partitions/{MAML}/partitions.npy").write_bytes(b"other")
    plan = project.run / f"plans/meta_train/{MAML}.json"
    command = [sys.executable, str(project.scripts / "meta_train.py"), "--plan", str(plan)]
    job = subprocess.run(command, capture_output=True, text=True)
    assert job.returncode == RecordError.exit_code
    assert "partitions.npy" in job.stderr


def test_a_job_that_imports_a_module_missing_from_its_plan_fails_without_a_record(
    project: Project,
):
    script = project.scripts / "aggregate_results.py"
    hidden = '__import__("importlib").import_module("cactus.paper." + "latex")'
    text = script.read_text()
    script.write_text(text.replace("        spec =", f"        {hidden}\n        spec =", 1))
    done = project.run_snakemake("results", "--cores", "1", "--logger", "cactus")
    assert done.returncode != 0
    assert "The job imported a module that its plan does not list." in done.stderr
    assert "cactus/paper/latex.py" in done.stderr
    assert not (project.run / "records/aggregate_results.json").exists()
    assert "failed" in project.cactus("status", "small")[1]


def test_diff_names_the_key_and_pairs_the_episodes(finished: Project, project: Project):
    code, output = project.cactus("diff", "small", str(finished.run))
    assert (code, "same configuration" in output) == (0, True), output
    change_key(project, "scratch: {steps: 3}", "scratch: {steps: 1}")
    project.snakemake("--cores", "2", "scores")
    code, output = project.cactus("diff", "small", str(finished.run))
    assert code == 1
    assert "evaluate_model: scratch.steps" in output
    assert "Training from scratch" in output
    assert "CACTUs-ProtoNets" not in output
    assert re.search(r"^small is not up to date: \d+ stale$", output, re.M)


def test_records_hold_what_ran_and_where(finished: Project):
    record = json.loads((finished.run / f"records/meta_train/{MAML}.json").read_text())
    activity, agent = record["activity"], record["agent"]
    assert activity["threads"] == 1
    assert activity["seed"] == 0
    assert activity["determinism"]["torch_threads"] == 1
    assert activity["peak_memory_bytes"] > 100 * 2**20
    assert activity["started"] < activity["ended"]
    assert agent["device"]["device"] == "cpu"
    assert agent["git"] is None  # the copy is no repository
    assert agent["python"].startswith(f"{sys.version_info[0]}.{sys.version_info[1]}.")
    assert {"torch", "numpy", "safetensors"} <= set(agent["libraries"])
    assert set(activity["plan"]["code"]) == set(activity["sources"])


def test_a_dry_run_of_another_configuration_changes_no_run_and_makes_none(project: Project):
    def trying(*keys: str) -> tuple[str, ...]:
        return (*CONFIG, "--config", "evaluation={tasks: 12}", *keys)

    planned = (project.run / "plans/config.json").read_bytes()
    assert project.stale_jobs(config=trying())
    assert (project.run / "plans/config.json").read_bytes() == planned
    assert project.cactus("audit", "small")[0] == 0
    assert project.stale_jobs() == set()
    assert project.stale_jobs(config=trying("run=tried"))
    assert "tried" not in project.cactus()[1]
    assert project.cactus("status", "tried")[0] == RecordError.exit_code
