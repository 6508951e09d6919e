"""Modules run from their source, not from bytecode that looks current."""

import os
import py_compile
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cactus.provenance.execution.checks import check_code
from cactus.provenance.fingerprint.closure import SourceTree
from cactus.provenance.fingerprint.hash_cache import HashCache
from cactus.provenance.records.plan import Plan
from tests.unit.provenance.samples import PLAN
from tests.workflow.project import ROOT

PACKAGE = ROOT / "workflow/scripts/cactus"


def edited_in_the_same_second(path: Path) -> None:
    """Write a module, let Python cache its bytecode, and change a digit of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("VALUE = 1\n")
    status = path.stat()
    py_compile.compile(str(path), invalidation_mode=py_compile.PycInvalidationMode.TIMESTAMP)
    path.write_text("VALUE = 2\n")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def printed(folder: Path, code: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """A folder with the package, in which only what loads the rest is there."""
    (tmp_path / "cactus").mkdir()
    for name in ("__init__.py", "source_loader.py"):
        shutil.copy(PACKAGE / name, tmp_path / "cactus" / name)
    edited_in_the_same_second(tmp_path / "cactus/part/value.py")
    edited_in_the_same_second(tmp_path / "mine/value.py")
    return tmp_path


def test_pythons_own_loader_would_run_the_old_code(scripts: Path):
    assert printed(scripts, "import mine.value as one; print(one.VALUE)") == "1"


def test_the_package_runs_from_its_source(scripts: Path):
    assert printed(scripts, "import cactus.part.value as one; print(one.VALUE)") == "2"


def test_a_job_runs_the_modules_of_users_from_their_source(scripts: Path):
    code = (
        "from cactus.source_loader import SourceFinder, loaded_sources\n"
        f"SourceFinder('cactus', [{str(scripts / 'mine/value.py')!r}]).install()\n"
        "import mine.value as one\n"
        "print(one.VALUE, sorted(loaded_sources().values()))"
    )
    assert printed(scripts, code).startswith("2 [b'VALUE = 2\\n'")


def test_a_module_of_a_user_by_its_path_runs_from_its_source(tmp_path: Path):
    edited_in_the_same_second(tmp_path / "value.py")
    code = (
        "from cactus.custom_code import LEARNER, _imported\n"
        f"print(_imported(LEARNER, 'one', {str(tmp_path / 'value.py')!r}).VALUE)"
    )
    assert printed(PACKAGE.parent, code) == "2"


def test_the_record_holds_the_bytes_that_were_checked(tmp_path: Path):
    """Python reads this file as Latin-1, so that its text is two characters and not one."""
    content = b"# coding: latin-1\r\nTEXT = '\xc3\xa9'\r\n"
    (tmp_path / "mine.py").write_bytes(content)
    tree = SourceTree(tmp_path, HashCache(None))
    plan = Plan.model_validate({**PLAN, "code": {"mine.py": tree.source_hash("mine.py")}})
    assert check_code(plan, tree) == {"mine.py": content}
