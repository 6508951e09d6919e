"""A clone and `make` on machines that differ from the developers'."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STUB = """#!/bin/sh
case "$*" in *_base_executable*) echo $0; exit;; esac
if [ "$1" = -m ] && [ "$2" = {missing} ]; then exit 1; fi
exec {base} "$@"
"""


def git(*arguments, folder=ROOT):
    command = ["git", "-C", str(folder), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, check=True).stdout


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="needs a clone")
def test_a_clone_that_converts_line_ends_has_the_same_bytes(tmp_path):
    bare = tmp_path / "origin"
    subprocess.run(["git", "init", "-q", bare], check=True)
    names = [name for name in git("ls-files", "-z").decode().split("\0") if name]
    names = [name for name in names if (ROOT / name).is_file()]
    for name in names:
        (bare / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, bare / name)
    git("add", "--all", "--force", folder=bare)
    identity = ("-c", "user.name=x", "-c", "user.email=x@example.org")
    git(*identity, "commit", "-qm", "all", folder=bare)
    clone = tmp_path / "clone"
    git("clone", "-q", "-c", "core.autocrlf=true", "-c", "core.eol=crlf", bare, clone)
    different = [
        name for name in names if (ROOT / name).read_bytes() != (clone / name).read_bytes()
    ]
    assert different == []
    assert git("status", "--porcelain", folder=clone) == b""


def make(tmp_path, *arguments, **variables):
    """Run the Makefile in a folder without an environment; return what it prints."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    scripts = (f"workflow/scripts/cactus/{name}.py" for name in ("cores", "pythons"))
    for name in ("envs/requirements.lock", *scripts):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    done = subprocess.run(
        ["make", *arguments],
        cwd=tmp_path,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("missing", "package"), [("pip", "python3-pip"), ("venv", "python3-venv"), (None, "python3")]
)
def test_make_names_the_package_that_is_missing(tmp_path, missing, package):
    tools = tmp_path / "tools"
    tools.mkdir()
    if missing:
        (tools / "python3").write_text(STUB.format(missing=missing, base=sys._base_executable))
    else:
        (tools / "python3").write_text("#!/bin/sh\nexit 127\n")
    (tools / "python3").chmod(0o755)
    code, output = make(tmp_path, "demo", PATH=f"{tools}{os.pathsep}{os.environ['PATH']}")
    assert code != 0
    assert f"apt install {package})" in output
    assert "Traceback" not in output
    assert not (tmp_path / ".venv").exists()


@pytest.mark.parametrize("nproc", ["echo 64", "exit 127"])
def test_make_uses_the_cores_that_there_are_whatever_nproc_says(tmp_path, nproc):
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "nproc").write_text(f"#!/bin/sh\n{nproc}\n")
    (tools / "nproc").chmod(0o755)
    path = f"{tools}{os.pathsep}{os.environ['PATH']}"
    output = make(tmp_path, "--dry-run", "demo", PATH=path)[1]
    (cores,) = re.findall(r"--cores (\d+) ", output)
    assert 1 <= int(cores) <= len(os.sched_getaffinity(0))
    assert "--cores 3 " in make(tmp_path, "--dry-run", "demo", "CORES=3", PATH=path)[1]


def test_make_finds_its_python_whatever_the_environment_of_python_says(tmp_path):
    (tmp_path / "sitecustomize.py").write_text("print('hello')\n")
    strange = {"PYTHONPATH": str(tmp_path), "PYTHONHOME": str(tmp_path), "CORES": ""}
    code, output = make(tmp_path, "--dry-run", "demo", **strange)
    assert code == 0
    assert "hello" not in output
    assert re.search(r"--cores \d+ ", output)
