"""The hash of a source ignores layout, comments and docstrings."""

import ast
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


def test_the_hash_is_the_same_in_each_version_of_python():
    """Python 3.12 and 3.13 added fields and hid empty ones; these digests are those of 3.11."""
    assert digest(TEXT)[:12] == "7b36bb9afbdb"
    others = 'def f(a, *, b, c=None):\n    return {**a, "x": f"{b!r:>9}" f"y"}, lambda: ...\n'
    assert digest(others)[:12] == "d21782ad8c51"


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


def test_imports_for_type_checkers_only_do_not_count():
    text = (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n import torch\nelse:\n import json\n"
    )
    assert read_source(text, "m").imports == ("json", "typing", "typing.TYPE_CHECKING")
    assert digest(text) != digest(text.replace("torch", "numpy"))
