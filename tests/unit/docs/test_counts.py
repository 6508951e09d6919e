"""The documentation counts the cases of the tests' tables as they are."""

import re

import pytest

from tests.unit.docs.shell_blocks import ROOT
from tests.workflow.edits import EDITS
from tests.workflow.forgeries import FORGERIES
from tests.workflow.harmless import OPERATIONS
from tests.workflow.more_edits import MORE_EDITS
from tests.workflow.tampering import DAMAGES, REMADE, TAMPERINGS


@pytest.mark.parametrize(
    ("tests", "cases"),
    [
        ("tampering_is_found", len(TAMPERINGS)),
        ("is_no_number", len(REMADE)),
        ("damage_is_named", len(DAMAGES)),
        ("breaks_a_link", len(FORGERIES)),
        ("harmless", len(OPERATIONS)),
    ],
)
def test_the_page_of_the_audit_counts_its_cases(tests: str, cases: int):
    text = (ROOT / "docs/audit.md").read_text(encoding="utf-8")
    (row,) = (line for line in text.splitlines() if line.endswith(f"-k {tests}` |"))
    named = 0 if tests == "harmless" else cases
    assert [int(one) for one in re.findall(r"\| (\d+) (?=\|)", row)] == [cases, named]


def test_the_page_of_staleness_counts_its_edits():
    text = (ROOT / "docs/staleness.md").read_text(encoding="utf-8")
    assert f"list {len([*EDITS, *MORE_EDITS])} edits and events" in text
