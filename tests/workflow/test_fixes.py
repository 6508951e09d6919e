"""The command that an audit prints mends what it found: a clean audit and the true numbers."""

import pytest

from tests.fuzz import FACTOR
from tests.workflow.project import Project
from tests.workflow.tamper import Tampering
from tests.workflow.tampering import DAMAGES, REMADE, TAMPERINGS

pytestmark = pytest.mark.workflow
EACH = {one.what: one for one in (*TAMPERINGS, *DAMAGES, *REMADE)}
# One of each kind that no other test mends; none undoes another.
TOGETHER = [
    "a forged source", "other code for a seed", "a seed left out, the record forged",
    "a map that is none, its record forged", "a line cut from the accuracies",
    "a stray evaluations/omniglot/acai/maml/s9/accuracies.csv",
    "a number in the report, its record forged", "no record of train_embedding/omniglot/acai/s0",
]  # fmt: skip


def mended(project: Project, finished: Project, *done: Tampering) -> None:
    """Tamper with a run, do what its audit says, and compare the run with the true one."""
    for one in done:
        one.apply(project.run)
    code, output = project.cactus("audit", "small")
    assert code == 1, output
    project.mend(output)
    code, output = project.cactus("audit", "small")
    assert code == 0, output
    for folder in ("evaluations", "baselines", "quality", "tables", "figures"):
        there = {path.relative_to(finished.run) for path in (finished.run / folder).rglob("*.*")}
        assert {
            path.relative_to(project.run) for path in (project.run / folder).rglob("*.*")
        } == there
        for name in there:
            assert (project.run / name).read_bytes() == (finished.run / name).read_bytes(), name


def test_one_call_mends_what_was_done_in_many_places(project: Project, finished: Project):
    mended(project, finished, *(EACH[what] for what in TOGETHER))


# In `make fuzz`: an update takes some ten seconds.
ALONE = list(EACH.values()) if FACTOR > 1 else []


@pytest.mark.fuzz
@pytest.mark.parametrize("one", ALONE, ids=[one.what for one in ALONE])
def test_the_printed_command_mends_each(project: Project, finished: Project, one: Tampering):
    mended(project, finished, one)
