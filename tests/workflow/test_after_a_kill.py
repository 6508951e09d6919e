"""After SIGKILL of Snakemake and of jobs, the same command goes on, without a word about locks."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cactus.provenance.execution.lease import Lease
from tests.workflow.project import CONFIG, Project

pytestmark = pytest.mark.workflow
COMMAND = ("tables", "--cores", "1", *CONFIG)
AGAIN = re.escape(f"`snakemake {' '.join(COMMAND)}`")
TABLE = "mnist-tests"
# The first line of the table's script: until a file is there, it does not get further.
HELD = "import os, pathlib, time\nwhile not pathlib.Path('go').exists(): {}\n"


@pytest.fixture
def held(project: Project, request: pytest.FixtureRequest) -> Project:
    """A project whose tables are stale, and whose table jobs wait or die before they start."""
    script = project.scripts / "make_table.py"
    docstring, rest = script.read_text().split("\n", 1)
    script.write_text(f"{docstring}\n\n{HELD.format(request.param)}{rest}")
    return project


def started(project: Project, *more: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "snakemake", *COMMAND, *more]
    return subprocess.Popen(
        command,
        cwd=project.folder,
        env=project.variables(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        # A shell starts what runs in the background with interrupts ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def wait_until(happened) -> None:
    end = time.monotonic() + 120
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.1)


def running_jobs(project: Project) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().split(b"\0")
        except OSError:
            continue
        # A script, after `preloaded` and its libraries.
        if os.fsencode(project.scripts / "make_table.py") in command[1:4]:
            found.append(int(path.parent.name))
    return found


@pytest.mark.parametrize("held", ["time.sleep(0.1)"], indirect=True)
@pytest.mark.parametrize("children", [False, True], ids=["snakemake alone", "and its jobs"])
def test_the_same_command_goes_on_after_snakemake_was_killed(held: Project, children: bool):
    process = started(held)
    wait_until(lambda: running_jobs(held))
    assert [*(held.folder / ".snakemake/incomplete").iterdir()], "Snakemake marks what it began"
    if children:
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.communicate()
    (held.folder / "go").touch()
    output = held.snakemake(*COMMAND[:3])
    assert not re.search(r"[Ll]ock|[Ii]ncomplete", output), output
    assert held.stale_jobs("tables") == set()


@pytest.mark.parametrize("held", ["time.sleep(0.1)"], indirect=True)
def test_a_living_snakemake_keeps_the_run_and_a_dry_run_may_look(held: Project):
    process = started(held)
    wait_until(lambda: running_jobs(held))
    done = held.run_snakemake(*COMMAND[:3])
    assert done.returncode == 1
    assert "Snakemake is already working on this run." in done.stderr
    assert f"process {process.pid}" in done.stderr
    assert f"make_table {TABLE}" in held.stale_jobs("tables")
    (held.folder / "go").touch()
    output, _ = process.communicate()
    assert process.returncode == 0, output


def test_another_host_keeps_the_run(project: Project, monkeypatch: pytest.MonkeyPatch):
    (project.run / "records/make_table/mnist.json").unlink()
    identity = {"host": "elsewhere", "boot": "other", "pid": 1, "process": "1"}
    folder = project.run / "work/snakemake"
    with monkeypatch.context() as patch:
        patch.setattr("cactus.provenance.execution.lease.identity", lambda: identity)
        lease = Lease(folder, "the run")
        lease.__enter__()
    try:
        done = project.run_snakemake(*COMMAND[:3])
    finally:
        lease.__exit__(None, None, None)
    assert done.returncode == 1
    assert "on elsewhere, process 1" in done.stderr


@pytest.mark.parametrize("held", ["time.sleep(0.1)"], indirect=True)
def test_a_call_that_sigterm_ended_says_so(held: Project):
    process = started(held)
    wait_until(lambda: running_jobs(held))
    process.terminate()
    assert process.stdout is not None
    assert any("Will exit after finishing" in line for line in process.stdout)
    (held.folder / "go").touch()
    output, _ = process.communicate()
    assert process.returncode != 0
    assert re.search(rf"^interrupted with 1 of \d+ jobs done\n{AGAIN} goes on", output, re.M), (
        output
    )
    assert "no job failed" not in output
    assert held.stale_jobs("tables")
    held.snakemake(*COMMAND[:3])
    assert held.stale_jobs("tables") == set()


@pytest.mark.parametrize("held", ["time.sleep(0.1)"], indirect=True)
def test_a_call_that_ctrl_c_ended_says_how_to_go_on(held: Project):
    process = started(held)
    wait_until(lambda: running_jobs(held))
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    output, _ = process.communicate()
    assert process.returncode != 0
    end = rf"^interrupted with 0 of \d+ jobs done\n(?:.*\n)*{AGAIN} goes on with the rest$"
    assert re.search(end, output, re.M), output
    assert not re.search("FAILED|job failed", output), output
    (held.folder / "go").touch()
    held.snakemake(*COMMAND[:3])
    assert held.stale_jobs("tables") == set()


@pytest.mark.parametrize("held", ["os.kill(os.getpid(), 9)"], indirect=True)
def test_a_job_that_was_killed_before_its_lease_is_named(held: Project):
    done = held.run_snakemake(*COMMAND[:3], "--keep-going")
    assert done.returncode != 0
    assert "no job failed" not in done.stderr
    assert f"make_table/{TABLE}: it ended early" in done.stderr
