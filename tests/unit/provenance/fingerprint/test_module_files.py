"""Modules are found where Python's own finder finds them."""

import tempfile
from importlib.machinery import (
    BYTECODE_SUFFIXES,
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    ModuleSpec,
    SourceFileLoader,
    SourcelessFileLoader,
)
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from cactus.provenance.fingerprint.module_files import ModuleFiles

_NAMES = st.sampled_from(["a", "b"])
_FOLDERS = st.lists(_NAMES, max_size=2).map("/".join)
_LOADERS = (
    (ExtensionFileLoader, EXTENSION_SUFFIXES),
    (SourceFileLoader, SOURCE_SUFFIXES),
    (SourcelessFileLoader, BYTECODE_SUFFIXES),
)
_ENDS = [*EXTENSION_SUFFIXES, ".py", ".py", ".py", ".pyc", ".txt"]
_FILES = st.sampled_from([name + end for name in ("a", "b", "__init__") for end in _ENDS])
_MODULES = ["a", "b", "a.a", "a.b", "b.a", "a.b.a", "a.b.b", "b.a.b"]


def python_finds(module: str, root: Path) -> ModuleSpec | None:
    """Ask Python's finder of a folder for each package on the way, as an import does."""
    folder, spec = str(root), None
    for name in module.split("."):
        if not folder:
            return None
        spec = FileFinder(folder, *_LOADERS).find_spec(name)
        folder = next(iter(spec.submodule_search_locations or ()), "") if spec else ""
    return spec


@given(st.lists(st.tuples(_FOLDERS, _FILES), max_size=6))
def test_python_agrees(written: list[tuple[str, str]]):
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "top")
        for place, name in written:
            (root / place).mkdir(parents=True, exist_ok=True)
            (root / place / name).write_text("")
        modules = ModuleFiles()
        for module in _MODULES:
            found, spec = modules.place(module, str(root)), python_finds(module, root)
            path = dict(found.files).get(module)
            assert path == (spec.origin if spec else None), (module, written)
            assert bool(found.folder) == bool(spec and spec.submodule_search_locations)
            assert modules.top(module, str(root)) == modules.place(module[0], str(root))
