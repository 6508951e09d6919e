"""What `--logger cactus` prints, on small workflows that Snakemake runs."""

import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from snakemake_logger_plugin_cactus.jobs import TARGETS
from tests.workflow.warm.commands import call

SCRIPTS = Path(__file__).parents[2] / "workflow" / "scripts"
WORKFLOW = """
rule all:
    input: "summary.json", "trained"
rule train:
    output: "trained"
    log: "trained.log"
    message: "meta_train mnist/acai/maml/s0"
    shell: "echo '=== attempt 1' >> {log}; "
        "echo 'mnist/acai/maml/s0: step 3/4, 1 steps/s, 9 s left; loss 0.5' >> {log}; "
        "sleep 2.5; touch {output}"
rule evaluate:
    output: "summary.json"
    message: "evaluate_model mnist/acai/maml/s0"
    shell: "cp measured.json {output}"
"""
MEASURED = (
    """{"settings": [{"way": 5, "shot": 1, "mean": 0.7256}, {"way": 5, "shot": 5, "mean": 0.8}]}"""
)
DOT = re.compile(r"[{}\[>]")  # a line of Graphviz
# Ten minutes are too long for a test.
QUICK = "import snakemake_logger_plugin_cactus as plugin; plugin.LogHandler.reminder = 1; "


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "Snakefile").write_text(WORKFLOW)
    (tmp_path / "measured.json").write_text(MEASURED)
    return tmp_path


def command(*arguments: str, before: str = "") -> list[str]:
    main = f"{before}from snakemake.cli import main; main({[*arguments]!r})"
    return [sys.executable, "-c", main]


def run(folder: Path, *arguments: str, before: str = "") -> list[str]:
    """Return the lines that Snakemake prints into files."""
    words = ("--logger", "cactus", "--cores", "2", *arguments)
    variables = {**os.environ, "PYTHONPATH": str(SCRIPTS)}
    if not before:
        done = call("snakemake.cli", words, folder, variables)
    else:
        done = subprocess.run(
            command(*words, before=before),
            cwd=folder, env=variables, capture_output=True, text=True, check=False,
        )  # fmt: skip
    return (done.stdout + done.stderr).splitlines()


def run_on_terminal(folder: Path, *arguments: str) -> str:
    """Return all that Snakemake writes to a terminal."""
    terminal, end = pty.openpty()
    process = subprocess.Popen(
        command("--logger", "cactus", "--cores", "2", *arguments),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(SCRIPTS), "TERM": "xterm", "COLUMNS": "120"},
        stdin=end,
        stdout=end,
        stderr=end,
    )
    os.close(end)
    seen = b""
    while True:
        try:
            chunk = os.read(terminal, 1 << 16)
        except OSError:  # the other end is closed
            break
        if not chunk:
            break
        seen += chunk
    assert process.wait() == 0
    os.close(terminal)
    return seen.decode()


def run_into_closed_pipe(folder: Path, *arguments: str, stderr: int):
    """Run Snakemake as before `head`, when that has ended."""
    reads, writes = os.pipe()
    os.close(reads)
    words = command("--logger", "cactus", "--cores", "2", *arguments)
    variables = {**os.environ, "PYTHONPATH": str(SCRIPTS)}
    with os.fdopen(writes, "wb") as closed:
        return subprocess.run(
            words, cwd=folder, env=variables, stdout=closed, stderr=stderr, check=False
        )


def test_a_finished_evaluation_says_its_accuracies(folder: Path):
    lines = run(folder, "summary.json")
    place = next(i for i, line in enumerate(lines) if "done   evaluate_model mnist" in line)
    assert lines[place + 1].strip() == "5w1s 72.6, 5w5s 80.0"


def test_accuracies_of_several_methods_have_a_line_each(folder: Path):
    settings = [{"way": 5, "shot": 1, "mean": 0.5, "method": method} for method in ("knn", "mlp")]
    (folder / "measured.json").write_text(f'{{"settings": {settings}}}'.replace("'", '"'))
    lines = [line.strip() for line in run(folder, "summary.json")]
    assert "knn 5w1s 50.0" in lines
    assert "mlp 5w1s 50.0" in lines


def test_a_job_that_runs_for_long_says_how_far_it_is(folder: Path):
    lines = run(folder, "trained", before=QUICK)
    told = [line for line in lines if "runs   meta_train mnist/acai/maml/s0" in line]
    assert told
    assert told[0].endswith("step 3/4, 1 steps/s, 9 s left; loss 0.5")


def test_jobs_that_an_option_leaves_out_are_not_counted(folder: Path):
    lines = run(folder, "--until", "train", "evaluate")
    assert "2 jobs: 1 evaluate, 1 train" in lines
    assert [line.partition("  (")[2] for line in lines if "  done " in line] == [
        "1 of 2, 1 remain)",
        "2 of 2, 0 remain)",
    ]


def test_targets_are_no_jobs(folder: Path):
    lines = run(folder)
    assert lines[0] == "2 jobs: 1 evaluate, 1 train"
    done = [line for line in lines if "  done " in line]
    assert [line.rpartition("  ")[2] for line in done] == [
        "(1 of 2, 1 remain)",
        "(2 of 2, 0 remain)",
    ]
    assert not any(line.split()[-1] == "all" for line in [*lines, *run(folder, "--dry-run", "-F")])


def test_the_targets_are_those_of_the_project():
    text = (SCRIPTS.parents[1] / "Snakefile").read_text()
    listed = re.search(r"^localrules:\n((?: +\w+,\n)+)", text, re.M)
    assert listed
    assert {*re.findall(r"\w+", listed[1])} == TARGETS


def test_progress_of_an_earlier_attempt_is_not_shown(folder: Path):
    text = WORKFLOW.replace(
        "echo 'mnist/acai/maml/s0: step 3/4, 1 steps/s, 9 s left; loss 0.5'", ":"
    )
    (folder / "Snakefile").write_text(
        text.replace("echo '=== attempt 1'", "echo 'a: step 1/4, old'; echo '=== attempt 2'")
    )
    told = [line for line in run(folder, "trained", before=QUICK) if "runs   meta_train" in line]
    assert told
    assert not any("old" in line for line in told)


def test_a_dry_run_starts_nothing(folder: Path):
    lines = run(folder, "--dry-run")
    assert "would run meta_train mnist/acai/maml/s0" in lines
    assert not any("start" in line for line in lines)
    assert sum("2 jobs" in line for line in lines) == 1
    assert not (folder / "trained").exists()


def test_a_reader_that_has_had_enough_of_a_dry_run_gets_no_traceback(folder: Path):
    done = run_into_closed_pipe(folder, "--dry-run", stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_full_disk_is_told_and_ends_no_logger(folder: Path):
    words = command("--logger", "cactus", "--dry-run")
    variables = {**os.environ, "PYTHONPATH": str(SCRIPTS)}
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            words, cwd=folder, env=variables, stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert b"the output waits: No space left on device" in done.stderr
    assert b"in _monitor" not in done.stderr


def test_a_full_disk_below_snakemakes_own_log_gives_no_traceback(folder: Path):
    (logs := folder / ".snakemake/log").mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", str(logs)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk needs root")
    try:
        (logs / "full").write_bytes(bytes(4096))
        lines = run(folder)
    finally:
        subprocess.run(["umount", str(logs)], check=True)
    assert not any("Logging error" in line or "Traceback" in line for line in lines)


def test_a_reader_that_has_had_enough_of_a_run_ends_no_job(folder: Path):
    assert run_into_closed_pipe(folder, stderr=subprocess.STDOUT).returncode == 0
    assert (folder / "summary.json").exists()
    assert (folder / "trained").exists()


def test_a_finished_run_is_said_to_be_finished(folder: Path):
    run(folder)
    assert run(folder) == ["nothing to do: what was asked for is there and fresh"]
    assert run(folder, "--quiet", "all") == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--unlock"], ["Unlocked working directory."]),
        (["--dag"], []),
        (["--dry-run", "--quiet", "rules"], ["2 jobs: "]),
        (["--dry-run", "--quiet", "all"], []),
        (["--quiet", "all"], []),
    ],
)
def test_other_calls_say_what_snakemake_says_and_no_more(options, said, folder: Path):
    lines = [line for line in run(folder, *options) if not DOT.search(line)]
    assert len(lines) == len(said)
    assert all(line.startswith(one) for line, one in zip(lines, said, strict=True))


def test_files_that_are_only_touched_tell_nothing(folder: Path):
    run(folder)
    (folder / "summary.json").unlink()
    (folder / "measured.json").touch()
    lines = run(folder, "--touch", "--forceall")
    assert any("done   evaluate_model" in line for line in lines)
    assert not any("Traceback" in line for line in lines)


def test_options_for_finding_errors_print_what_snakemake_prints(folder: Path):
    quiet = run(folder, "-n")
    assert len(run(folder, "-n", "--verbose")) > len(quiet)
    assert any("candidate job" in line for line in run(folder, "-n", "--debug-dag"))


def started(folder: Path) -> "subprocess.Popen[str]":
    """Return a Snakemake in a group of its own, one of whose jobs has started."""
    process = subprocess.Popen(
        command("--logger", "cactus", "--cores", "2", "trained"),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(SCRIPTS)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A shell starts what runs in the background with interrupts ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stderr is not None
    while "start" not in process.stderr.readline():
        assert process.poll() is None
    return process


def test_ctrl_c_is_said(folder: Path):
    process = started(folder)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert "Terminating processes on user request" in errors
    assert process.returncode != 0


def test_jobs_that_ctrl_c_ends_are_not_said_to_have_failed(folder: Path):
    process = started(folder)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    _, errors = process.communicate()
    assert process.returncode != 0
    assert not re.search("FAILED|did not complete", errors), errors


def test_shell_commands_are_printed_if_asked_for(folder: Path):
    lines = run(folder, "-n", "-p")
    assert "cp measured.json summary.json" in lines
    assert "None" not in lines  # of a rule without a command
    assert "cp measured.json summary.json" not in run(folder, "summary.json", "-n")


def test_a_terminal_shows_running_jobs_and_keeps_the_lines_of_finished_ones(folder: Path):
    seen = run_on_terminal(folder)
    assert "meta_train mnist/acai/maml/s0 step 3/4, 1 steps/s, 9 s left; loss 0.5" in seen
    assert "5w1s 72.6, 5w5s 80.0" in seen
    assert re.search(r"1 of 2 jobs", seen)
    assert seen.rindex("\x1b[?25h") > seen.rindex("\x1b[?25l")  # the cursor is shown again
    assert "Traceback" not in seen


def test_a_failed_job_ends_the_view_and_shows_its_log(folder: Path):
    (folder / "Snakefile").write_text(
        WORKFLOW.replace("touch {output}", "echo broken >> {log}; exit 3")
    )
    lines = run(folder, "trained")
    assert any("FAILED meta_train mnist/acai/maml/s0" in line for line in lines)
    assert "  | broken" in lines
