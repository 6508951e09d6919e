"""Commands that only read work on a run to which nobody may write."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.workflow.project import Project
from tests.workflow.tampering import MAML

pytestmark = pytest.mark.workflow
# In a namespace of its own, so that no other process sees the mount, and none is left behind.
_READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" "$0" && cd "$0" && exec "$@"'


def read_only(project: Project, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a project on a file system that is mounted read-only."""
    return subprocess.run(
        ["unshare", "--mount", "sh", "-c", _READ_ONLY, str(project.folder), *command],
        env=project.variables(),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def stuck(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A finished run without cached hashes, which commands would like to save."""
    copy = finished.copy(tmp_path_factory.mktemp("stuck") / "project")
    (copy.run / "hashes.json").unlink()
    if shutil.which("unshare") is None or read_only(copy, "true").returncode:
        pytest.skip("mounting read-only needs root and unshare")
    assert read_only(copy, "touch", "x").returncode
    return copy


NUMBER = ("results/small/tables/omniglot.tex", "--row", "ACAI CACTUs-MAML", "--col", "5w1s")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("status", "small"), "small: 57 jobs: 57 fresh"),
        (("why", MAML), f"{MAML} is fresh"),
        (("plan", "small"), "small: nothing to do, all jobs are fresh"),
        (("trace", *NUMBER), "every job of the chain is fresh"),
        (("audit", "small"), "all agree: 56 jobs besides the audit, "),
        (("diff", "small", "small"), "same configuration"),
        (("results", MAML), "accuracies in percent"),
        (("show", MAML), "results/small/figures/tasks-omniglot.png"),
        (("logs", MAML), f"=== evaluate_model/{MAML}"),
        (("top",), "small: no job is running"),
        (("clean",), "small: "),
        ((), "cactus results --run small"),
    ],
    ids=lambda value: next(iter(value), "alone") if isinstance(value, tuple) else "",
)
def test_a_command_reads_a_read_only_run(stuck: Project, arguments: tuple[str, ...], line: str):
    done = read_only(stuck, sys.executable, "-m", "cactus.cli.main", *arguments)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    assert line in done.stdout


def test_a_read_only_run_is_exported_elsewhere(stuck: Project, tmp_path: Path):
    command = [sys.executable, "-m", "cactus.cli.main", "export", "small"]
    done = read_only(stuck, *command, "--output", str(tmp_path / "crate.zip"))
    assert (done.returncode, (tmp_path / "crate.zip").is_file()) == (0, True), done.stderr
    done = read_only(stuck, *command)
    assert (done.returncode, "Traceback" in done.stderr) == (6, False), done.stderr
    assert "StorageError" in done.stderr
