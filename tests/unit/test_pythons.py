"""Versions of Python: those that the lock covers, and a plain message under any other."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.markers import Marker

from cactus.pythons import NEWEST, OLDEST, problem

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "workflow/scripts"
LOCK = (ROOT / "envs/requirements.lock").read_text(encoding="utf-8")


def old_python() -> str:
    """Return a Python that is too old, if there is one."""
    own = Path.home().glob(".pyenv/versions/3.10.*/bin/python")  # its shims may lead nowhere
    python = next(map(str, own), None) or shutil.which("python3.10")
    if python is None and os.environ.get("CACTUS_REQUIRE_PYTHONS"):
        pytest.fail("CACTUS_REQUIRE_PYTHONS is set, but there is no Python 3.10")
    if python is None:
        pytest.skip("there is no Python 3.10 here")
    return python


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 12, 1), (3, 13, 9)])
def test_supported_versions_have_no_problem(version: tuple[int, ...]):
    assert problem(version) == ""


@pytest.mark.parametrize("version", [(3, 9, 1), (3, 10, 13), (3, 14, 0)])
def test_other_versions_are_told_what_to_use(version: tuple[int, ...]):
    text = problem(version)
    assert f"got:   Python {version[0]}.{version[1]}" in text
    assert "use Python 3.11 to 3.13" in text


@pytest.mark.parametrize(
    "arguments",
    [["-m", "cactus.cli.main", "status"], ["-I", str(SCRIPTS / "cactus/pythons.py")]],
    ids=["cactus", "make"],
)
def test_an_old_python_gets_the_message_alone(arguments: list[str]):
    done = subprocess.run(
        [old_python(), *arguments],
        env={"PYTHONPATH": str(SCRIPTS), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("This version of Python is not supported.")
    assert "Traceback" not in done.stderr


def test_make_stops_under_an_old_python_before_it_installs_anything(tmp_path: Path):
    done = subprocess.run(
        ["make", "setup", f"PYTHON={old_python()}", f"VENV={tmp_path}/venv"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "got:   Python 3.10" in done.stderr
    assert not (tmp_path / "venv").exists()


def test_the_package_declares_the_same_versions():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    oldest, after = f"{OLDEST[0]}.{OLDEST[1]}", f"{NEWEST[0]}.{NEWEST[1] + 1}"
    assert project["requires-python"] == f">={oldest},<{after}"


def test_the_lock_pins_one_version_of_each_package_for_each_python():
    pins = re.findall(r"^([\w.-]+)==([^ \\]+)(?: ; (.*?))? \\$", LOCK, re.M)
    assert len(pins) > 100
    for minor in range(OLDEST[1], NEWEST[1] + 1):
        version = f"3.{minor}"
        here = {
            "python_version": version,
            "python_full_version": f"{version}.1",
            "sys_platform": "linux",
            "platform_machine": "x86_64",
            "implementation_name": "cpython",
            "platform_python_implementation": "CPython",
        }
        names = [name for name, _, marker in pins if not marker or Marker(marker).evaluate(here)]
        assert len(names) == len(set(names))
        assert {"torch", "torchvision", "numpy", "snakemake", "triton"} <= set(names)
    assert sys.version_info[:2] >= OLDEST
