"""A source's meaning is its syntax tree: layout, comments and docstrings do not count."""

import ast
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cactus.provenance.fingerprint.source_hash import describe
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


def meaning(text: str) -> str:
    return describe(text, "cactus.module").meaning


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
def test_what_does_not_run_does_not_count(old: str, new: str):
    assert old in TEXT
    assert meaning(TEXT.replace(old, new)) == meaning(TEXT)


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
def test_what_runs_counts(old: str, new: str):
    assert meaning(TEXT.replace(old, new)) != meaning(TEXT)


def test_a_string_that_is_no_docstring_counts():
    assert meaning("x = 1\n'a'\n") != meaning("x = 1\n'b'\n")


@pytest.mark.parametrize("path", SOURCES[::7], ids=lambda path: path.name)
def test_a_source_means_what_its_unparsed_tree_means(path):
    text = path.read_text()
    assert meaning(ast.unparse(ast.parse(text))) == meaning(text)


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
    assert meaning("\n".join(lines)) == meaning(path.read_text())


def test_imports_are_absolute_and_found_wherever_they_stand():
    text = "def f():\n    from . import images\n    import yaml\nfrom ..data import arrays as a\n"
    found = describe(text, "cactus.embed.run").imports
    assert {"cactus.embed.images", "yaml", "cactus.data.arrays"} <= set(found)
