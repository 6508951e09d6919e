"""What a plan says of results of other runs."""

from pathlib import Path

from cactus.provenance.fingerprint.other_runs import Donor
from cactus.provenance.records.record import Record, write_record
from cactus.provenance.staleness.measured import read_measured
from cactus.provenance.staleness.reusable import Reusable
from cactus.stages.base import Job
from tests.unit.provenance.fingerprint.test_other_runs import finished


def test_runs_are_counted_and_many_refusals_are_cut_short(tmp_path: Path):
    record: Record = finished(tmp_path / "a")
    donors = {
        Job("prepare_data", name): Donor(tmp_path / run, record)
        for name, run in (("mnist", "b"), ("omniglot", "a"), ("celeba", "b"))
    }
    assert Reusable(donors, ["x: why"]).lines == [
        "2 jobs: reused from b", "1 job: reused from a", "x: why",
    ]  # fmt: skip
    many = Reusable({}, [f"job {number}: why" for number in range(8)]).lines
    assert many[-2:] == ["job 4: why", "and 3 more jobs that cannot be reused"]
    assert len(many) == 6


def test_a_time_that_runs_share_counts_once_and_as_the_runs_own(tmp_path: Path):
    for run, cell in (("a", "mnist"), ("b", "mnist"), ("c", "mnist"), ("d", "omniglot")):
        record = finished(tmp_path / run, cell=cell)
        activity = record.activity.model_copy(update={"resumed_from": []})  # its time is whole
        write_record(tmp_path / run, record.model_copy(update={"activity": activity}))
    names = [one.name for one in read_measured(tmp_path / "b")]
    assert names == ["b/make_synthetic_data/mnist", "d/make_synthetic_data/omniglot"]
