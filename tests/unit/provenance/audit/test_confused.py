"""The audit computes shares of confused classes from the counts, and compares these."""

from pathlib import Path

import pytest

from cactus.errors import RecordError
from cactus.provenance.audit.reading.confusion import ConfusedClasses, confusion_of
from cactus.stages.base import Job

JOB = Job("evaluate_model", "mnist/acai/maml/s0")
HEAD = "way,shot,class,predicted,predictions,queries\n"
# Of two episodes of 2-way with 4 queries, the first of classes 0 and 1, the second of 0 and 2.
RIGHT = "2,1,0,0,5,8\n2,1,0,1,3,4\n2,1,1,1,4,4\n2,1,2,0,1,4\n2,1,2,2,3,4\n"
ACCURACIES = {("", 2, 1): [0.625, 0.875]}
ROW = {"way": 2, "shot": 1, "true": 0, "predicted": 1}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run with one evaluation."""
    (tmp_path / str(JOB.folder)).mkdir(parents=True)
    (tmp_path / confusion_of(JOB)).write_text(HEAD + RIGHT)
    return tmp_path


def test_right_counts_give_their_share_and_no_difference(run: Path):
    assert ConfusedClasses(run).share([JOB], ROW) == {"share": 0.75}
    assert ConfusedClasses(run).difference(JOB, ACCURACIES, 4) == ""


def test_a_header_alone_is_right_for_tasks_of_attributes_alone(run: Path):
    (run / confusion_of(JOB)).write_text(HEAD)
    assert ConfusedClasses(run).difference(JOB, ACCURACIES, 0) == ""
    assert ConfusedClasses(run).difference(JOB, ACCURACIES, 4) == "no counts"
    (run / confusion_of(JOB)).write_text(HEAD + RIGHT)
    assert ConfusedClasses(run).difference(JOB, ACCURACIES, 0)


@pytest.mark.parametrize(
    ("text", "got"),
    [
        (RIGHT.replace("2,1,0,0,5,8\n", "2,1,0,0,6,8\n"), "class 0: 9 predictions of 8 queries"),
        (RIGHT.replace("2,1,2,2,3,4\n", ""), "class 2: 4 of 1 queries with 0"),
        (RIGHT.replace("2,1,1,1,4,4\n", ""), "12 predictions of 16 queries"),
        ("2,1,0,0,10,16\n2,1,0,1,6,8\n2,1,1,1,8,8\n2,1,2,0,2,8\n2,1,2,2,6,8\n", "32 predictions"),
        (RIGHT.replace("0,1,3,4", "0,1,3,5"), "class 0: 5 of 8 queries with 1"),
        (RIGHT.replace("0,1,3,4", "0,1,3,12"), "class 0: 12 of 8 queries with 1"),
        (RIGHT.replace("0,1,3,4", "0,1,2,4").replace("0,0,5,8", "0,0,6,8"), "13 right"),
        (RIGHT.replace("2,1,", "2,5,"), "16 predictions of 0 queries"),
    ],
)
def test_counts_that_do_not_fit_are_found(run: Path, text: str, got: str):
    (run / confusion_of(JOB)).write_text(HEAD + text)
    assert got in ConfusedClasses(run).difference(JOB, ACCURACIES, 4)


@pytest.mark.parametrize(
    "text",
    [
        "",
        HEAD.replace("queries", "query"),
        HEAD + "2,1,0,0,5\n",
        HEAD + "2,1,0,0,9,8\n",
        HEAD + "2,1,0,0,0,8\n",
        HEAD + "2,1,0,0,x,8\n",
        HEAD + "2,1,0,0,5,8\n2,1,0,0,5,8\n",
        HEAD + "2,1,0,0,5,8\n2,5,0,1,5,8\n",
    ],
)
def test_rows_that_no_evaluation_writes_are_damage(run: Path, text: str):
    (run / confusion_of(JOB)).write_text(text)
    with pytest.raises(RecordError):
        ConfusedClasses(run).difference(JOB, ACCURACIES, 4)


@pytest.mark.parametrize("changes", [{"true": 2}, {"way": 5}, {"predicted": 7}])
def test_a_share_without_a_row_is_named_as_such(run: Path, changes: dict[str, int]):
    with pytest.raises(ValueError, match="no such row"):
        ConfusedClasses(run).share([JOB], ROW | changes)


@pytest.mark.parametrize("jobs", [[], [JOB, Job("evaluate_model", "mnist/acai/maml/s1")]])
def test_a_share_is_of_one_job(run: Path, jobs: list[Job]):
    with pytest.raises(ValueError, match="no job of the grid, or several"):
        ConfusedClasses(run).share(jobs, ROW)
