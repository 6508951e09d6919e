"""`cactus top`, `logs`, `clean`, `results`, `show` and `cactus` alone, on a finished run."""

import contextlib
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from shutil import rmtree

import pytest

from cactus.errors import ConfigError, RecordError
from cactus.provenance.execution.lease import Lease
from tests.workflow.project import Project

pytestmark = pytest.mark.workflow
CELL = "omniglot/acai/maml/s0"
TRAINING = f"meta_train/{CELL}"


def start_training(project: Project) -> Path:
    """Let a job seem to run on another host; return its work folder."""
    folder = project.run / "work" / TRAINING
    attempt = folder / "attempt-7/s0"
    attempt.mkdir(parents=True)
    lines = [{"step": 10, "loss": 1.5, "validation_accuracy": 0.25}, {"step": 32, "loss": 0.5}]
    (attempt / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    started = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() - 65))
    lease = {"token": "7", "host": "n1", "pid": 9, "slurm": "17", "started": started}
    progress = {"step": 30, "steps": 40, "seconds_per_step": 0.5, "seconds_left": 5.0}
    (folder / "lease.json").write_text(json.dumps({**lease, **progress}))
    return folder


def test_top_shows_step_rate_time_left_and_metrics(project: Project):
    assert project.cactus("top", "small") == (0, "small: no job is running\n")
    folder = start_training(project)
    code, output = project.cactus("top", "small")
    row = next(line for line in output.splitlines() if line.startswith(TRAINING))
    assert (code, row.split()[2:5]) == (0, ["32/40", "2/s", "0:04"])
    assert "loss 0.5 validation_accuracy 0.25" in row
    assert "on n1, process 9, Slurm job 17" in row
    (job,) = json.loads(project.cactus("top", "--json")[1])["jobs"]
    assert (job["job"], job["progress"]["step"], job["seconds"] > 60) == (TRAINING, 32, True)
    lease = json.loads((folder / "lease.json").read_text())
    del lease["step"]
    (folder / "lease.json").write_text(json.dumps(lease))
    log = project.run / "logs" / f"{TRAINING}.log"
    log.write_text("=== attempt 1\n5-way 1-shot: 90 episodes\n  60 of 90\n")
    assert "5-way 1-shot: 90 episodes, 60 of 90" in project.cactus("top")[1]
    os.utime(folder / "lease.json", (1e9, 1e9))  # silent for too long
    assert project.cactus("top")[1] == "small: no job is running\n"


def test_top_is_live_on_a_terminal_until_it_is_interrupted(project: Project):
    start_training(project)
    terminal, end = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "cactus.cli.main", "top", "small"],
        cwd=project.folder,
        env={**project.variables(), "TERM": "xterm", "COLUMNS": "200"},
        stdin=end,
        stdout=end,
        stderr=end,
        # A shell starts what runs in the background with interrupts ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    os.close(end)
    seen, interrupted, end_of_patience = b"", False, time.monotonic() + 60
    while process.poll() is None:  # a terminal that nobody reads would hold it up
        assert time.monotonic() < end_of_patience, seen
        if select.select([terminal], [], [], 0.2)[0]:
            with contextlib.suppress(OSError):  # it has just ended
                seen += os.read(terminal, 1 << 16)
        if not interrupted and b"Ctrl-C ends this view" in seen and b"32/40" in seen:
            process.send_signal(signal.SIGINT)
            interrupted = True
    assert process.returncode == 130
    assert b"Traceback" not in seen


def test_logs_begin_with_the_newest_and_follow_a_running_job(project: Project):
    first = project.run / f"logs/{TRAINING}.log"
    os.utime(first, (2e9, 2e9))
    code, output = project.cactus("logs", CELL)
    assert (code, output.startswith(f"==> results/small/logs/{TRAINING}.log")) == (0, True)
    assert output.count("==> ") == 6
    logs = json.loads(project.cactus("logs", CELL, "--json")[1])
    assert logs[0] == {"job": TRAINING, "log": f"results/small/logs/{TRAINING}.log"}
    folder = start_training(project)
    process = subprocess.Popen(
        [sys.executable, "-m", "cactus.cli.main", "logs", TRAINING, "--follow"],
        cwd=project.folder,
        env=project.variables(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("=== ")
    with first.open("a") as file:
        file.write("step 33\x1b[2J\n")
    while (line := process.stdout.readline()) != "step 33\\x1b[2J\n":
        assert line
    (folder / "lease.json").unlink()
    assert "is not running" in process.communicate(timeout=60)[1]
    assert process.returncode == 0


def test_a_job_that_never_started_has_no_log(project: Project):
    (project.run / f"logs/{TRAINING}.log").unlink()
    code, output = project.cactus("logs", TRAINING)
    assert (code, "There is no log yet" in output) == (RecordError.exit_code, True)
    code, output = project.cactus("logs", "omniglot/acia/maml/s0")
    assert (code, f"did you mean '{CELL}'?" in output) == (RecordError.exit_code, True)


def make_leftovers(project: Project) -> tuple[list[Path], list[Path]]:
    """Make what no run needs, and what looks like it but is needed; return both."""
    run, work = project.run, project.run / "work"
    gone = [
        work / TRAINING / "attempt-1/s0/metrics.jsonl",
        work / TRAINING / "checkpoints/step-1.ckpt",
        run / f"models/{Path(CELL).parent}/.s0.abc/model.json",
        run / "records/.s0.x1y2.json",
        run / "objects/ab" / ("ab" * 32),
    ]
    kept = [
        work / "evaluate_model" / CELL / ".finished/models/model.json",
        work / "train_embedding/omniglot/bigan/s0/checkpoints/step-1.ckpt",
        run / "records/.s0.new.json",  # of a process that is writing it
    ]
    for path in (*gone, *kept):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x" * 1000)
    for path in (gone[2].parent, gone[3]):
        os.utime(path, (1e9, 1e9))
    return gone, kept


def test_clean_lists_and_then_deletes_what_no_run_needs(project: Project):
    code_of_bigan = project.scripts / "cactus/embed/bigan.py"
    text = code_of_bigan.read_text()
    code_of_bigan.write_text(f"{text}\n\nEDITED = 1\n")  # so that its job is to run again
    gone, kept = make_leftovers(project)
    before = {path for path in project.run.rglob("*") if path.is_file()}
    code, output = project.cactus("clean")
    assert (code, "nothing is deleted without --yes" in output) == (0, True), output
    assert {path for path in project.run.rglob("*") if path.is_file()} == before
    found = json.loads(project.cactus("clean", "--json")[1])
    listed = {project.folder / path for one in found["leftovers"] for path in one["paths"]}
    assert all(any(path.is_relative_to(one) for one in listed) for path in gone)
    sizes = [one["bytes"] for one in found["leftovers"] if "/work/" in one["paths"][0]]
    assert sizes == [1000, 1000]
    code, output = project.cactus("clean", "--yes")
    assert (code, "deleted" in output) == (0, True)
    assert not any(path.exists() for path in gone)
    assert all(path.exists() for path in kept)
    assert project.cactus("clean")[1] == "small: nothing to clean\n"
    code_of_bigan.write_text(text)
    code, output = project.cactus("audit")
    assert code == 0, output


def test_clean_leaves_a_run_alone_at_which_someone_works(project: Project):
    gone, _ = make_leftovers(project)
    start_training(project)
    code, output = project.cactus("clean", "--yes")
    assert (code, output) == (1, f"small is left alone: {TRAINING} is running\n")
    (project.run / "work" / TRAINING / "lease.json").unlink()
    lock = project.folder / ".snakemake/locks/0.output.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.touch()
    code, output = project.cactus("clean", "--yes")
    lock.unlink()
    assert (code, "`snakemake --unlock`" in output) == (1, True)
    assert all(path.exists() for path in gone)


def test_a_lost_summary_and_a_damaged_record_hide_no_other_result(project: Project):
    lost, damaged = "omniglot/acai/maml/s0", "omniglot/labels/protonets/s0"
    (project.run / f"evaluations/{lost}/summary.json").unlink()
    (project.run / f"records/evaluate_model/{damaged}.json").write_text("null")
    code, output = project.cactus("results")
    assert code == 0, output
    assert "omniglot/acai/protonets/s0" in output
    names = f"evaluate_model/{lost}, evaluate_model/{damaged}"
    assert f"not shown, as the numbers cannot be read: {names}; run `cactus update small`" in output
    assert project.cactus("show", lost)[0] == 0
    code, output = project.cactus("results", lost)
    assert code == RecordError.exit_code
    assert f"`cactus why evaluate_model/{lost}` says what it lacks" in output


def test_results_are_those_of_the_summaries_by_cell_and_setting(finished: Project):
    code, output = finished.cactus("results", "omniglot/*/maml/*", "--setting", "5w1s")
    summary = json.loads((finished.run / f"evaluations/{CELL}/summary.json").read_text())
    one = next(one for one in summary["settings"] if (one["way"], one["shot"]) == (5, 1))
    assert (code, f"{CELL}" in output) == (0, True)
    assert f"{100 * one['mean']:.2f} ± {100 * one['ci95']:.2f}" in output
    assert "protonets" not in output
    assert "synthetic data" in output
    assert "small: 11 jobs that score: 11 fresh" in output
    found = json.loads(finished.cactus("results", "--json")[1])["results"]
    assert {"mnist/acai/knn/s1", "mnist/acai/protonets/s1", CELL} <= {one["cell"] for one in found}
    code, output = finished.cactus("results", "omniglto")
    assert (code, "No finished cell matches" in output) == (RecordError.exit_code, True)
    assert finished.cactus("results", "omniglto", "--json")[0] == RecordError.exit_code
    code, output = finished.cactus("results", "--setting", "5w2s")
    assert (code, "did you mean '5w" in output) == (ConfigError.exit_code, True)


def test_results_have_the_titles_of_the_tables_and_what_was_meta_trained_first(finished: Project):
    blocks = finished.cactus("results")[1].split("\n\n")
    mnist, omniglot = (
        [re.split(r" {2,}", line) for line in one.splitlines()] for one in blocks[:2]
    )
    assert (mnist[0], omniglot[0]) == (["MNIST"], ["Omniglot"])
    assert mnist[1][:3] == ["embedding or source", "method", "seed"]
    rows = omniglot[2:]
    assert [line[:2] for line in rows] == [
        ["ACAI", "CACTUs-MAML"],
        ["ACAI", "CACTUs-ProtoNets"],
        ["BiGAN", "CACTUs-ProtoNets"],
        ["True labels", "Oracle-ProtoNets"],
        ["None", "Training from scratch"],
        ["ACAI", "kNN"],
        ["ACAI", "Linear classifier"],
        ["BiGAN", "kNN"],
        ["BiGAN", "Linear classifier"],
    ]
    assert [line[-1] for line in rows[:6]][::5] == [CELL, "omniglot/acai/knn/s0"]
    found = json.loads(finished.cactus("results", "--json")[1])["results"]
    assert {one["method"] for one in found} >= {"knn", "linear", "cactus-maml", "scratch"}


def test_a_cell_that_will_not_be_measured_is_named_before_anything_is(project: Project):
    for folder in ("evaluations", "baselines", "records"):
        rmtree(project.run / folder)
    for pattern in ("knn", "omniglot/*"):
        code, output = project.cactus("results", pattern)
        assert (code, "11 missing" in output) == (0, True), output
    code, output = project.cactus("results", "omniglto")
    assert (code, "No finished cell matches" in output) == (RecordError.exit_code, True)


def test_status_and_results_have_one_word_for_a_cell(project: Project):
    (project.run / f"records/meta_train/{CELL}.json").unlink()
    status, results = project.cactus("status", "small")[1], project.cactus("results")[1]
    (row,) = (line for line in status.splitlines() if line.startswith(CELL))
    assert row.split()[1] == "missing"
    assert "small: 11 jobs that score: 1 missing, 10 fresh" in results
    assert "of jobs that are not fresh, it is what they last found" in results


def test_show_names_files_that_exist(finished: Project):
    found = json.loads(finished.cactus("show", CELL, "--json")[1])
    kinds = {one["what"] for one in found["files"]}
    assert kinds == {"log", "record", "curve", "model", "episodes", "confusion", "picture"}
    assert all((finished.folder / one["path"]).is_file() for one in found["files"])
    assert {one["state"] for one in found["jobs"]} == {"fresh"}
    assert found["results"][0]["episodes"] == 10
    code, output = finished.cactus("show", CELL)
    assert (code, f"results/small/models/{CELL}/model.safetensors" in output) == (0, True)
    code, output = finished.cactus("show", "make_partitions/omniglot/acai/maml/s0")
    assert (code, "setting  accuracy" in output) == (0, False)


def test_every_cell_that_results_names_can_be_shown(finished: Project):
    found = json.loads(finished.cactus("results", "--json")[1])["results"]
    for cell in {one["cell"] for one in found}:
        code, output = finished.cactus("show", cell, "--json")
        shown = json.loads(output)["results"]
        assert (code, shown) == (0, [one for one in found if one["cell"] == cell])
    assert finished.cactus("why", "omniglot/acai/knn/s0") == (0, "omniglot/acai/knn/s0 is fresh\n")


def test_alone_it_leads_on_from_the_state_of_the_run(project: Project):
    code, output = project.cactus()
    assert (code, output.splitlines()[1].split()[:2]) == (0, ["small", "fresh"])
    assert "cactus results --run small" in output
    (project.run / f"records/evaluate_model/{CELL}.json").unlink()
    assert "cactus update small" in project.cactus()[1]
    with Lease(project.run / "work/snakemake", "the run"):  # as between two of its jobs
        found = json.loads(project.cactus("--json")[1])
    assert found["runs"][0]["state"] == "running"
    assert [one["command"] for one in found["next"]][:2] == [
        "cactus top small", "cactus status small",
    ]  # fmt: skip
    start_training(project)
    found = json.loads(project.cactus("--json")[1])
    assert found["runs"][0]["state"] == "running"
    assert found["next"][0]["command"] == "cactus top small"
