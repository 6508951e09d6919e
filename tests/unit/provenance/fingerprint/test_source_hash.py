"""The hash of a source ignores layout, comments and docstrings."""

import ast
import hashlib
import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cactus.provenance.fingerprint import source_hash
from cactus.provenance.fingerprint.source_hash import read_source
from tests.workflow.project import ROOT

SOURCES = sorted((ROOT / "workflow/scripts").rglob("*.py"))
TEXT = '''"""A module."""
import os.path
from cactus.files import read_json as read

class Box:
    """A box."""

    size = 3  # units

    def area(self, x: int = 2) -> int:
        """Return the area."""
        return self.size * x
'''


def digest(text: str) -> str:
    return read_source(text, "cactus.module").digest


# What versions of Python parse or print otherwise: texts of f-strings, empty fields, new Unicode.
TRICKY = (
    TEXT,
    'def f(a, *, b, c=None):\n    return {**a, "x": f"{b!r:>9}" f"y"}, lambda: ...\n',
    'f"{x:>{w}}" "", f"{x:{y}{z}}", f"{x!r:^{w}.{p}}", f"{x = }", f"{x:}", f"" "a", f"{{a}}{b}"',
    'x = "\\U0001fae8 \\u0897 \\ud800", u"text", b"\\xff", 1e400, 3j, 0x_ff, ...',
    "match x:\n    case [1, *_] | {'a': None}: pass\ntry: f()\nexcept* OSError: pass\n",
)
# Prints a hash of all hashes; the module is loaded alone, as no library is there.
PROGRAM = """
import hashlib, importlib.util, pathlib, sys
spec = importlib.util.spec_from_file_location("source_hash", sys.argv[1])
module = sys.modules["source_hash"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
read = lambda path: module.read_source(pathlib.Path(path).read_bytes(), "m").digest
print(hashlib.sha256("".join(map(read, sys.stdin.read().splitlines())).encode()).hexdigest())
"""


def interpreter(version: str) -> str | None:
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    installed = sorted(root.glob(f"{version}.*/bin/python"))
    return str(installed[-1]) if installed else shutil.which(f"python{version}")


@pytest.mark.parametrize("version", ["3.12", "3.13", "3.14"])
def test_the_hash_is_the_same_in_each_version_of_python(version: str, tmp_path: Path):
    python = interpreter(version)
    if python is None:
        assert version not in os.environ.get("CACTUS_REQUIRE_PYTHONS", "").split()
        pytest.skip(f"no Python {version} is installed")
    files = [*SOURCES]
    for number, text in enumerate(TRICKY):
        files.append(tmp_path / f"tricky{number}.py")
        files[-1].write_text(text, encoding="utf-8")
    own = "".join(read_source(path.read_bytes(), "m").digest for path in files)
    command = [python, "-c", PROGRAM, str(source_hash.__file__)]
    names = "\n".join(map(str, files))
    found = subprocess.run(command, input=names, capture_output=True, text=True, check=True).stdout
    assert found.strip() == hashlib.sha256(own.encode()).hexdigest()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("def f():\n    return\n", "def f():\n    return None\n"),
        ("def f():\n    yield\n", "def f():\n    yield None\n"),
        ("def f(a, *, b): 0\n", "def f(a, *, b=None): 0\n"),
        ("f()\n", "f(None)\n"),
        ("x = None\n", "x = ()\n"),
        ("x = {**a}\n", "x = {None: a}\n"),
        ("x = a[:]\n", "x = a[None:]\n"),
    ],
)
def test_no_value_is_not_none(first, second):
    assert digest(first) != digest(second)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""A module."""', ""),
        ('"""A box."""', '"""Another\n    box."""'),
        ("  # units", "  # unit\n    # more"),
        ("return self.size * x", "return (\n            self.size\n            * x\n        )"),
        ("\n\n", "\n\n\n"),
        ('"""Return the area."""\n', "'''Return it.'''\n"),
    ],
)
def test_text_that_does_not_run_does_not_count(old: str, new: str):
    assert old in TEXT
    assert digest(TEXT.replace(old, new)) == digest(TEXT)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("size = 3", "size = 4"),
        ("size = 3", "size = 3.0"),
        ("int = 2", "int = 3"),
        ("self.size * x", "x * self.size"),
        ("read_json as read", "read_json"),
        ("-> int", "-> float"),
        ("size = 3", 'size = "3"'),
    ],
)
def test_code_that_runs_counts(old: str, new: str):
    assert digest(TEXT.replace(old, new)) != digest(TEXT)


def test_a_coding_line_counts_if_python_reads_another_text():
    accented, plain = "TEXT = '\u00e9'\n".encode(), b"TEXT = 'e'\n"
    coding = b"# coding: latin-1\n"

    def of(content: bytes) -> str:
        return read_source(content, "cactus.module").digest

    assert of(coding + accented) != of(accented)
    assert of(coding + "TEXT = '\u00e9'\n".encode("latin-1")) == of(accented)
    assert of(coding + plain) == of(plain)


def test_a_string_that_is_not_a_docstring_counts():
    assert digest("x = 1\n'a'\n") != digest("x = 1\n'b'\n")


@pytest.mark.parametrize("path", SOURCES[::7], ids=lambda path: path.name)
def test_a_source_has_the_hash_of_its_unparsed_tree(path):
    text = path.read_text()
    assert digest(ast.unparse(ast.parse(text))) == digest(text)


@settings(deadline=None, max_examples=50)
@given(st.sampled_from(SOURCES), st.randoms(use_true_random=False))
def test_comments_and_blank_lines_anywhere_between_statements_do_not_count(
    path, generator: random.Random
):
    lines = path.read_text().splitlines()
    starts = {node.lineno - 1 for node in ast.parse("\n".join(lines)).body}
    starts -= {0}
    for start in sorted(generator.sample(sorted(starts), min(3, len(starts))), reverse=True):
        lines.insert(start, generator.choice(["# comment", "", "#"]))
    assert digest("\n".join(lines)) == digest(path.read_text())


def test_imports_are_absolute_and_found_anywhere_in_the_source():
    text = "def f():\n    from . import images\n    import yaml\nfrom ..data import arrays as a\n"
    found = read_source(text, "cactus.embed.run").imports
    assert {"cactus.embed.images", "yaml", "cactus.data.arrays"} <= set(found)


def test_modules_that_are_imported_by_their_name_count():
    text = (
        "import importlib\nfrom importlib import import_module as load, import_module\n"
        "def f(x):\n    y = [importlib.import_module('a.b'), import_module('c', package=x)]\n"
        "    return __import__('d').e(import_module(x), import_module('.f', x), open('g'))\n"
    )
    named = {one for one in read_source(text, "m").imports if not one.startswith("importlib")}
    assert named == {"a.b", "c", "d"}


def test_imports_for_type_checkers_only_do_not_count():
    text = (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n import torch\nelse:\n import json\n"
    )
    assert read_source(text, "m").imports == ("json", "typing", "typing.TYPE_CHECKING")
    text = "import typing as t\nif t.TYPE_CHECKING:\n import torch\nif t.other:\n import json\n"
    assert read_source(text, "m").imports == ("json", "typing")
    assert digest(text) != digest(text.replace("torch", "numpy"))
