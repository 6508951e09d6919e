"""Modules run from their source as it is, not from bytecode that merely looks current."""

import marshal
import os
import py_compile
import shutil
import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import MAGIC_NUMBER, cache_from_source, source_hash
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


def printed(folder: Path, code: str, **variables: str) -> str:
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPATH": str(folder)}
    environment |= variables
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


def test_compiled_code_beside_a_source_is_not_run(scripts: Path):
    (scripts / f"cactus/part/value{EXTENSION_SUFFIXES[0]}").touch()
    assert printed(scripts, "import cactus.part.value as one; print(one.VALUE)") == "2"


SHOW = "import cactus.part.value as one; print(one.VALUE, one.value.__code__.co_filename)"


@pytest.fixture
def kept(scripts: Path) -> Path:
    """A module of the package, whose bytecode is kept."""
    module = scripts / "cactus/part/value.py"
    module.write_text("VALUE = 4\ndef value(): return VALUE\n")
    assert printed(scripts, SHOW) == f"4 {module}"
    return module


def replaced(module: Path, text: str) -> None:
    """Replace the code in the bytecode of a module, but not the hash of its source."""
    cache = Path(cache_from_source(str(module)))
    data = cache.read_bytes()
    assert data[:4] == MAGIC_NUMBER
    assert data[8:16] == source_hash(module.read_bytes())
    cache.write_bytes(data[:16] + marshal.dumps(compile(text, str(module), "exec")))


def test_bytecode_with_the_hash_of_the_source_is_used(kept: Path):
    replaced(kept, "VALUE = 5\ndef value(): return VALUE")
    assert printed(kept.parents[2], SHOW) == f"5 {kept}"
    kept.write_text(kept.read_text() + "# more\n")
    assert printed(kept.parents[2], SHOW) == f"4 {kept}"


def test_pythons_own_loader_takes_the_kept_bytecode_too(kept: Path):
    replaced(kept, "VALUE = 5\ndef value(): return VALUE")
    code = f"import sys; sys.path.insert(0, {str(kept.parent)!r}); import value; print(value.VALUE)"
    assert printed(kept.parents[2], code) == "5"


def test_an_edit_of_equal_size_in_the_same_second_runs_and_is_kept(kept: Path):
    status = kept.stat()
    kept.write_text(kept.read_text().replace("4", "6"))
    os.utime(kept, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert printed(kept.parents[2], SHOW) == f"6 {kept}"
    replaced(kept, "VALUE = 7\ndef value(): return VALUE")
    assert printed(kept.parents[2], SHOW) == f"7 {kept}"


@pytest.mark.parametrize("damage", [b"", b"\0", b"\x63" * 40])
def test_damaged_bytecode_is_not_used(kept: Path, damage: bytes):
    cache = Path(cache_from_source(str(kept)))
    for start in (0, 16):
        cache.write_bytes(cache.read_bytes()[:start] + damage)
        assert printed(kept.parents[2], SHOW) == f"4 {kept}"


def test_bytecode_of_a_moved_folder_is_made_anew(kept: Path, tmp_path: Path):
    moved = tmp_path / "moved"
    shutil.copytree(kept.parents[1], moved / "cactus")
    assert printed(moved, SHOW) == f"4 {moved / 'cactus/part/value.py'}"


def test_no_bytecode_is_written_where_none_is_wanted(scripts: Path):
    cache = Path(cache_from_source(str(scripts / "cactus/part/value.py")))
    before = cache.read_bytes()
    assert (
        printed(scripts, SHOW.partition(", one.value")[0] + ")", PYTHONDONTWRITEBYTECODE="1") == "2"
    )
    assert cache.read_bytes() == before


def test_a_job_runs_the_modules_of_users_from_their_source(scripts: Path):
    code = (
        "from cactus.source_loader import SourceFinder, loaded_sources\n"
        f"SourceFinder('cactus', [{str(scripts / 'mine/value.py')!r}]).install()\n"
        "import mine.value as one\n"
        "print(one.VALUE, sorted(loaded_sources().values()))"
    )
    cache = Path(cache_from_source(str(scripts / "mine/value.py")))
    before = cache.read_bytes()
    assert printed(scripts, code).startswith("2 [b'VALUE = 2\\n'")
    assert cache.read_bytes() == before  # a folder of a user's is left as it is


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
