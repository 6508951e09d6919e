"""The command `cactus`, called as a user would, in a folder of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[3] / "workflow/scripts"
Cactus = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def cactus(tmp_path: Path) -> Cactus:
    """Call the command in the test's folder, or in another; variables change the environment."""

    def run(
        *words: str, folder: Path = tmp_path, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "cactus.cli.main", *words],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(SCRIPTS), **variables},
            capture_output=True,
            text=True,
            check=False,
        )

    return run
