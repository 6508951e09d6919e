"""A finished project on a file system that can only be read."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.workflow.project import Project
from tests.workflow.scratch import Scratch

pytestmark = pytest.mark.workflow


@contextmanager
def read_only(folder: Path, place: Path) -> Iterator[Project]:
    """Show a project at another place, where nothing can be written."""
    place.mkdir()
    bind = ["mount", "--bind", str(folder), str(place)]
    if subprocess.run(bind, capture_output=True, check=False).returncode:
        pytest.skip("mounting a folder needs root")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(place)], check=True)
        yield Project(place)
    finally:
        # Lazily: a process that serves commands in this folder waits for more of them.
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_nothing_is_to_do_and_all_can_be_read(scratch: Scratch, tmp_path: Path):
    scratch.project.snakemake("--dry-run")  # Snakemake's own folders
    with read_only(scratch.project.folder, tmp_path / "there") as project:
        done = project.run_snakemake("--dry-run")
        assert (done.returncode, "Nothing to be done" in done.stdout + done.stderr) == (0, True)
        assert "Traceback" not in done.stdout + done.stderr
        for command in ("status", "audit", "plan"):
            code, output = project.cactus(command, "small")
            assert (code, "Traceback" in output) == (0, False), output


def test_a_project_without_snakemakes_own_folder_is_refused(scratch: Scratch, tmp_path: Path):
    shutil.rmtree(scratch.project.folder / ".snakemake", ignore_errors=True)
    with read_only(scratch.project.folder, tmp_path / "there") as project:
        done = project.run_snakemake("--dry-run")
    assert done.returncode == 1
    assert "StorageError: The file system can only be read." in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
