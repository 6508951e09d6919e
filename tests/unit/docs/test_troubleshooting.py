"""The messages in docs/troubleshooting.md are those of the code."""

import ast
import re
from collections.abc import Iterator

from tests.workflow.project import ROOT

PAGE = (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8")
MESSAGES = re.findall(r"^### (.+)$", PAGE, re.M)


def patterns() -> Iterator[str]:
    """Yield patterns of all texts in the code; NAME stands for what an f-string fills in."""
    for path in (ROOT / "workflow/scripts").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value
            elif isinstance(node, ast.JoinedStr):
                parts = [
                    one.value if isinstance(one, ast.Constant) else "NAME" for one in node.values
                ]
                yield "".join(map(str, parts)).partition("\n")[0]


KNOWN = set(patterns())


def missing(messages: list[str]) -> list[str]:
    return [message for message in messages if message not in KNOWN]


def test_every_message_is_in_the_code():
    assert len(MESSAGES) > 30
    assert missing(MESSAGES) == []


def test_a_message_that_no_code_prints_is_found():
    assert missing(["The disk is full.", "The disk is fool."]) == ["The disk is fool."]


def test_no_message_is_explained_twice():
    assert len(set(MESSAGES)) == len(MESSAGES)
