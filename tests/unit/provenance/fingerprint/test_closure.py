"""The closure of imports, compared with the standard library's ModuleFinder."""

import json
import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

from cactus.config.load import parse_config, read_yaml
from cactus.errors import CodeError
from cactus.graph import Graph
from cactus.provenance.fingerprint.closure import SourceTree
from cactus.provenance.fingerprint.dependencies import entry_points
from cactus.provenance.fingerprint.hash_cache import HashCache
from tests.workflow.oracle import files_run
from tests.workflow.project import ROOT

SCRIPTS = ROOT / "workflow/scripts"
CONFIG = parse_config(read_yaml(ROOT / "config/demo.yaml"))
ENTRIES = sorted({entry_points(CONFIG, job) for job in Graph(CONFIG).jobs})


@pytest.fixture(scope="module")
def tree() -> SourceTree:
    return SourceTree(SCRIPTS, HashCache(None))


def found_by_python(script: str, modules: tuple[str, ...]) -> set[str]:
    """Return the files of the package that ModuleFinder finds in the compiled code."""
    return files_run(SCRIPTS, script, modules)


@pytest.mark.parametrize("names", ENTRIES, ids=lambda names: "+".join(names))
def test_the_closure_is_what_python_finds(tree: SourceTree, names: tuple[str, ...]):
    script, *modules = names
    assert set(tree.closure(names).files) == found_by_python(script, tuple(modules))


def test_a_stage_that_needs_no_torch_does_not_import_it(tree: SourceTree):
    for names in ENTRIES:
        needs = names[0] in ("train_embedding.py", "meta_train.py", "evaluate_model.py")
        assert ("torch" in tree.closure(names).libraries) == needs


@pytest.mark.parametrize("entry", ["torch", "json", "torch.nn.functional", json.__file__])
def test_a_library_is_no_entry_point(tree: SourceTree, entry: str):
    with pytest.raises(CodeError, match=r"is a library's, not your own"):
        tree.closure(("train_embedding.py", entry))


def test_libraries_are_third_party_modules_only(tree: SourceTree):
    libraries = tree.closure(("make_table.py",)).libraries
    assert {"pandas", "pydantic"} <= libraries
    assert not libraries & {"cactus", "json", *sys.builtin_module_names}


def test_a_module_outside_the_package_is_followed(tmp_path: Path, monkeypatch):
    package = tmp_path / "mine"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "net.py").write_text("from mine import parts\nimport cactus.files\n")
    (package / "parts.py").write_text("import scipy\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    closure = SourceTree(SCRIPTS, HashCache(None)).closure(("train_embedding.py", "mine.net"))
    assert str(package / "parts.py") in closure.files
    assert "cactus/files.py" in closure.files
    assert "scipy" in closure.libraries


def test_folders_without_an_init_file_are_followed(tmp_path: Path, monkeypatch):
    package = tmp_path / "mine" / "deep"
    package.mkdir(parents=True)
    (package / "net.py").write_text("from . import parts\nfrom mine.deep.more import x\n")
    (package / "parts.py").write_text("import scipy\n")
    (package / "more.py").write_text("x = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    closure = SourceTree(SCRIPTS, HashCache(None)).closure(("mine.deep.net",))
    assert sorted(closure.files) == [str(package / f"{one}.py") for one in ("more", "net", "parts")]
    assert closure.libraries == {"scipy"}


def test_an_installed_library_comes_before_a_folder_without_an_init_file(tmp_path: Path):
    for folder in ("scripts/scipy", "beside/scipy"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "special.py").write_text("")
    for name in ("scripts/job.py", "beside/mine.py"):
        (tmp_path / name).write_text("import scipy.special\nfrom scipy import special\n")
    tree = SourceTree(tmp_path / "scripts", HashCache(None))
    mine = str(tmp_path / "beside/mine.py")
    closure = tree.closure(("job.py", mine))
    assert sorted(closure.files) == [mine, "job.py"]
    assert closure.libraries == {"scipy"}
    assert tree.imported_path("scipy.special", Path(mine)) is None


def test_files_beside_a_module_given_by_its_path_are_followed(tmp_path: Path):
    (tmp_path / "mine.py").write_text("import parts\nimport folder.more\nimport cactus.files\n")
    (tmp_path / "parts.py").write_text("import numpy\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/more.py").write_text("")
    closure = SourceTree(SCRIPTS, HashCache(None)).closure((str(tmp_path / "mine.py"),))
    own = {str(tmp_path / name) for name in ("mine.py", "parts.py", "folder/more.py")}
    assert own <= {*closure.files}
    assert "cactus/files.py" in closure.files
    assert not closure.libraries & {"parts", "folder"}


@pytest.mark.parametrize("end", [*EXTENSION_SUFFIXES, ".pyc"])
@pytest.mark.parametrize("with_source", [False, True])
def test_a_compiled_module_of_ones_own_is_refused(tmp_path: Path, end: str, *, with_source: bool):
    """Python prefers an extension to the source beside it, but the source to bytecode."""
    (tmp_path / "mine.py").write_text("try:\n    import quick\nexcept ImportError:\n    pass\n")
    (tmp_path / f"quick{end}").write_bytes(b"")
    if with_source:
        (tmp_path / "quick.py").write_text("")
    tree, mine = SourceTree(SCRIPTS, HashCache(None)), str(tmp_path / "mine.py")
    if with_source and end == ".pyc":
        assert sorted(tree.closure((mine,)).files) == [mine, str(tmp_path / "quick.py")]
        return
    with pytest.raises(CodeError, match="is compiled") as caught:
        tree.closure((mine,))
    assert caught.value.where == str(tmp_path / f"quick{end}")
    assert tree.imported_path("quick", Path(mine)) is None


@pytest.mark.parametrize("line", ["import extra", "import extra.parts", "from extra import parts"])
def test_a_folder_without_code_in_the_place_of_a_module_is_refused(tmp_path: Path, line: str):
    """A submodule that is not checked out: Python imports the folder, without an ImportError."""
    (tmp_path / "mine.py").write_text(f"try:\n    {line}\nexcept ImportError:\n    pass\n")
    mine = str(tmp_path / "mine.py")
    assert list(SourceTree(SCRIPTS, HashCache(None)).closure((mine,)).files) == [mine]
    (tmp_path / "extra/parts").mkdir(parents=True)
    with pytest.raises(CodeError, match="folder without code") as caught:
        SourceTree(SCRIPTS, HashCache(None)).closure((mine,))
    assert Path(caught.value.where).is_relative_to(tmp_path / "extra")
    (tmp_path / "extra/parts/more.py").write_text("")
    closure = SourceTree(SCRIPTS, HashCache(None)).closure((mine,))
    assert list(closure.files) == [mine]


def test_an_extension_in_the_package_is_not_loaded(tmp_path: Path):
    (tmp_path / "cactus").mkdir()
    for name in ("job.py", "cactus/__init__.py", "cactus/a.py", f"cactus/a{EXTENSION_SUFFIXES[0]}"):
        (tmp_path / name).write_text("import cactus.a\n" if name == "job.py" else "")
    closure = SourceTree(tmp_path, HashCache(None)).closure(("job.py",))
    assert sorted(closure.files) == ["cactus/__init__.py", "cactus/a.py", "job.py"]


def test_a_linked_module_imports_what_is_beside_its_target(tmp_path: Path):
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared/mine.py").write_text("import parts\n")
    for folder in (tmp_path, tmp_path / "shared"):
        (folder / "parts.py").write_text("")
    (tmp_path / "mine.py").symlink_to("shared/mine.py")
    closure = SourceTree(SCRIPTS, HashCache(None)).closure((str(tmp_path / "mine.py"),))
    own = [tmp_path / "mine.py", tmp_path / "shared/parts.py"]
    assert sorted(closure.files) == [*map(str, own)]


def test_another_clone_stands_in_for_no_module_of_ours(tree: SourceTree, tmp_path, monkeypatch):
    (tmp_path / "cactus").mkdir()
    for name in ("__init__", "elsewhere"):
        (tmp_path / f"cactus/{name}.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(CodeError) as caught:
        tree.closure(["cactus.elsewhere"])
    assert caught.value.where == "cactus.elsewhere"


def test_a_missing_module_is_named(tree: SourceTree):
    with pytest.raises(CodeError) as caught:
        tree.closure(("meta_train.py", "cactus.meta.mamal"))
    assert caught.value.where == "cactus.meta.mamal"


def test_a_syntax_error_names_the_file(tmp_path: Path):
    (tmp_path / "broken.py").write_text("def f(:\n")
    with pytest.raises(CodeError) as caught:
        SourceTree(tmp_path, HashCache(None)).closure(("broken.py",))
    assert "broken.py" in caught.value.where


def test_the_relative_imports_of_a_package_are_followed(tmp_path: Path, monkeypatch):
    package = tmp_path / "outer" / "mine"
    package.mkdir(parents=True)
    (tmp_path / "outer/__init__.py").write_text("")
    (package / "__init__.py").write_text("from .net import Method\n")
    (package / "net.py").write_text("import scipy\nMethod = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    closure = SourceTree(SCRIPTS, HashCache(None)).closure(("train_embedding.py", "outer.mine"))
    assert str(package / "net.py") in closure.files
    assert "scipy" in closure.libraries


def test_a_library_wins_over_a_file_of_its_name_beside_a_module_of_users(tmp_path: Path):
    """As Python has it: the folder of a module that is given by its path is looked at last."""
    for name in ("random", "yaml", "parts"):
        (tmp_path / f"{name}.py").write_text("HERE = True\n")
    code = (
        "import random, yaml, parts\nHERE = [hasattr(one, 'HERE') for one in (random, yaml, parts)]"
    )
    (tmp_path / "mine.py").write_text(f"from cactus.config.sections.base import Settings\n{code}\n")
    load = (
        "from cactus.custom_code import DATASET, _imported\n"
        f"print(_imported(DATASET, 'mine', {str(tmp_path / 'mine.py')!r}).HERE)"
    )
    done = subprocess.run(
        [sys.executable, "-c", load], cwd=SCRIPTS, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[False, False, True]\n"
    closure = SourceTree(SCRIPTS, HashCache(None)).closure((str(tmp_path / "mine.py"),))
    assert {Path(name).name for name in closure.files if str(tmp_path) in name} == {
        "mine.py",
        "parts.py",
    }
    assert "yaml" in closure.libraries


@pytest.mark.parametrize(
    ("code", "needed"),
    [
        ("try:\n    import nosuch\nexcept ImportError:\n    import yaml", set()),
        ("try:\n    import yaml\nexcept (OSError, ImportError):\n    import nosuch", set()),
        ("try:\n    import nosuch.part\nexcept ModuleNotFoundError:\n    nosuch = None", set()),
        (
            "def f():\n    try:\n        from nosuch import a\n    except:\n        import beside",
            set(),
        ),
        ("try:\n    import nosuch\nexcept ImportError:\n    import other", {"other"}),
        ("try:\n    import nosuch\nexcept ImportError:\n    pass\nimport nosuch", {"nosuch"}),
        ("try:\n    import nosuch\nexcept OSError:\n    import yaml", {"nosuch"}),
        ("with suppress(ImportError):\n    import nosuch", set()),
        ("with contextlib.suppress(KeyError, ModuleNotFoundError):\n    import nosuch", set()),
        ("with a, suppress(builtins.ImportError) as b:\n    from nosuch import c", set()),
        ("with suppress(OSError):\n    import nosuch", {"nosuch"}),
        ("with open(ImportError):\n    import nosuch", {"nosuch"}),
        ("with suppress(ImportError):\n    import yaml\nimport nosuch", {"nosuch"}),
        (
            "if TYPE_CHECKING:\n    import nosuch\nwith suppress(ImportError):\n    import nosuch",
            set(),
        ),
        ("import nosuch", {"nosuch"}),
    ],
)
def test_a_missing_library_is_needed_unless_its_import_has_another_way(
    tmp_path: Path, code: str, needed: set[str]
):
    (tmp_path / "mine.py").write_text(code + "\n")
    (tmp_path / "beside.py").touch()
    found = SourceTree(SCRIPTS, HashCache(None))
    closure = found.closure((str(tmp_path / "mine.py"),))
    missing = closure.libraries & {"nosuch", "other"}
    assert {name for name in missing if found.needs(closure, name)} == needed
