"""Commands of a user who may not read all, whoever runs the tests."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.workflow.project import CONFIG, Project

privileged = pytest.mark.skipif(
    os.getuid() == 0 and shutil.which("setpriv") is None, reason="root reads everything"
)


def unprivileged(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a project without the right of root to read all."""
    lost = "-dac_override,-dac_read_search"
    drop = ["setpriv", f"--bounding-set={lost}", f"--inh-caps={lost}"] if os.getuid() == 0 else []
    return subprocess.run(
        [*drop, *words],
        cwd=folder,
        env=Project(folder).variables(),
        capture_output=True,
        text=True,
        check=False,
    )


def closed(folder: Path, command: str) -> str:
    """Return the output of ``cactus`` with some words, without the right of root to read all."""
    done = unprivileged(folder, sys.executable, "-m", "cactus.cli.main", *command.split())
    return done.stdout + done.stderr


def closed_snakemake(folder: Path, *options: str) -> tuple[int, str]:
    """Return exit code and output of Snakemake, without the right of root to read all."""
    done = unprivileged(folder, sys.executable, "-m", "snakemake", *options, *CONFIG)
    return done.returncode, done.stdout + done.stderr


def everywhere(run: Path, change: Callable[[int], int]) -> None:
    """Change the modes of a folder and of all folders in it."""
    for folder in [run, *(path for path in run.rglob("*") if path.is_dir())]:
        folder.chmod(change(folder.stat().st_mode))


@contextmanager
def mode(path: Path, bits: int = 0) -> Iterator[None]:
    """Give a file or a folder another mode for a while."""
    before = path.stat().st_mode
    path.chmod(bits)
    try:
        yield
    finally:
        path.chmod(before)
