"""A data file that a job opens must be declared."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.provenance.execution.opening import CASES
from tests.workflow.project import ROOT


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What each case is refused for, in a process of its own, which listens for ever after."""
    folder = tmp_path_factory.mktemp("start")
    done = subprocess.run(
        [sys.executable, "-m", "tests.unit.provenance.execution.opening"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT}/workflow/scripts"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("name", CASES)
def test_undeclared_files_are_refused_and_no_others(outcomes: dict[str, str], name: str):
    expected = CASES[name][1]
    if expected:
        assert outcomes[name].startswith("embeddings.custom.mine.files: ")
        assert Path(outcomes[name].split(": ")[1].split(",")[0]).name == Path(expected).name
    else:
        assert outcomes[name] == ""
