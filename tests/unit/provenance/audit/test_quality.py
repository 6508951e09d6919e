"""The audit computes the quality of partitions from the rows of single partitions."""

from pathlib import Path

import pytest

from cactus.errors import RecordError
from cactus.provenance.audit.quality import QualityCheck, quality_of
from cactus.stages.base import Job

JOBS = [Job("measure_partitions", f"mnist/acai+p-2/maml/s{seed}") for seed in (0, 1)]
OTHER = Job("measure_partitions", "mnist/acai/maml/s0")
ROW = {"dataset": "mnist", "source": "acai+p-2", "learner": "maml", "measure": "purity"}
TABLE = "tables/partition_quality.csv"
HEAD = "run,dataset,source,learner,seed,measure,partitions,mean,ci95\n"
CELL = "small,mnist,acai+p-2,maml"
RIGHT = f"{CELL},0,purity,2,0.5,0.0\n{CELL},1,purity,2,0.7,{1.96 * 0.1 / 2**0.5}\n"
ALL = f"{CELL},all,purity,2,0.6,{1.96 * 0.05 / 2**0.5}\n"


def write(run: Path, name: str, text: str) -> None:
    path = run / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run with two measured seeds, and their table."""
    write(tmp_path, quality_of(JOBS[0]), "partition,purity\n0,0.5\n1,0.5\n")
    write(tmp_path, quality_of(JOBS[1]), "partition,purity\n0,0.6\n1,0.8\n")
    write(tmp_path, TABLE, HEAD + RIGHT + ALL)
    return tmp_path


def findings(run: Path) -> list[tuple[str, str]]:
    return [(one.kind, one.file) for one in QualityCheck(run, [*JOBS]).findings()]


def test_right_rows_give_no_finding(run: Path):
    assert findings(run) == []


def test_seeds_are_averaged_partition_by_partition(run: Path):
    found = QualityCheck(run, JOBS).summary({**ROW, "seed": "all"})
    assert found == pytest.approx({"partitions": 2, "mean": 0.6, "ci95": 1.96 * 0.05 / 2**0.5})
    assert QualityCheck(run, JOBS).summary({**ROW, "seed": "1"})["mean"] == pytest.approx(0.7)


def test_a_number_without_jobs_is_named_as_such(run: Path):
    with pytest.raises(ValueError, match="no job of the grid measures it"):
        QualityCheck(run, [OTHER]).summary({**ROW, "seed": "all"})


@pytest.mark.parametrize(
    ("table", "kind"),
    [
        (HEAD + RIGHT + ALL.replace("0.6", "0.61"), "number differs"),
        (HEAD + RIGHT.replace("purity,2,0.5", "purity,3,0.5") + ALL, "number differs"),
        (HEAD + RIGHT + ALL.replace(",all", ",2"), "number differs"),
        (HEAD + RIGHT + ALL.replace("0.6", "nan"), "number differs"),
        (HEAD + RIGHT + ALL.replace("0.6", "x"), "number differs"),
        (HEAD + RIGHT, "seed missing"),
        (HEAD, "seed missing"),
        (HEAD + RIGHT + ALL + ALL, "results damaged"),
        (HEAD + RIGHT + ALL.replace(",2,", ","), "results damaged"),
        (HEAD.replace("mean", "means") + RIGHT + ALL, "results damaged"),
        ("", "results damaged"),
    ],
)
def test_a_wrong_table_is_found(run: Path, table: str, kind: str):
    write(run, TABLE, table)
    found = findings(run)
    assert (kind, TABLE) in found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "partition,purity\n",
        "partition,purity\n1,0.5\n0,0.5\n",
        "partition,purity\n0,0.5\n0,0.5\n",
        "partition,purity\n0,nan\n1,0.5\n",
        "partition,purity\n0,x\n1,0.5\n",
        "partition,purity\n0,0.5,7\n1,0.5\n",
        "partition,purity\n0,0.5\n",
        "partition,pureness\n0,0.5\n1,0.5\n",
    ],
)
def test_a_damaged_file_of_partitions_has_no_numbers(run: Path, text: str):
    write(run, quality_of(JOBS[0]), text)
    with pytest.raises(RecordError, match="damaged"):
        QualityCheck(run, JOBS).summary({**ROW, "seed": "all"})
    assert ("number differs", TABLE) in findings(run)
