"""In a folder that was deleted, the command says so."""

import os
import subprocess
import sys
from pathlib import Path

from cactus.errors import StorageError
from tests.unit.cli.conftest import SCRIPTS


def test_a_current_folder_that_is_gone_is_named(tmp_path: Path):
    (tmp_path / "gone").mkdir()
    done = subprocess.run(
        ["sh", "-c", 'cd gone && rmdir ../gone && exec "$0" -m cactus.cli.main status',
         sys.executable],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(SCRIPTS)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == StorageError.exit_code, done.stderr
    assert "The current folder is gone." in done.stderr
    assert "Traceback" not in done.stderr
