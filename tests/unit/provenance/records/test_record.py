"""Records read back as they were written, and any edit is detected."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cactus.errors import RecordError
from cactus.provenance.records.record import read_record, record_path, write_record
from cactus.stages.base import Job
from tests.unit.provenance.records.a_record import JOB, a_record


def test_a_record_reads_back(tmp_path: Path):
    write_record(tmp_path, a_record())
    assert read_record(tmp_path, JOB) == a_record()
    assert json.loads(record_path(tmp_path, JOB).read_text())["schema"] == "cactus-record/1"


@pytest.mark.parametrize(
    ("time", "got"),
    [
        ("9999-12-31T23:59:59-12:00", "out of range"),
        ("0001-01-01T00:00:00+12:00", "out of range"),
        ("2026-01-01T00:00:00", "without a time zone"),
    ],
)
def test_a_time_that_other_zones_do_not_have_is_damage_told_in_one_line(tmp_path, time, got):
    record = a_record()
    made = record.activity.model_copy(update={"ended": time})
    write_record(tmp_path, record.model_copy(update={"activity": made}))
    with pytest.raises(RecordError) as refused:
        read_record(tmp_path, JOB)
    assert refused.value.got.startswith("activity.ended: ")
    assert refused.value.got.endswith(got)


def test_no_record_is_none(tmp_path: Path):
    assert read_record(tmp_path, JOB) is None


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(min_value=0), other=st.sampled_from("0aZ9"))
def test_an_edit_of_any_letter_or_digit_is_detected(tmp_path: Path, place: int, other: str):
    write_record(tmp_path, a_record())
    path = record_path(tmp_path, JOB)
    text = path.read_text()
    places = [index for index, letter in enumerate(text) if letter.isalnum() and letter != other]
    index = places[place % len(places)]
    path.write_text(text[:index] + other + text[index + 1 :])
    with pytest.raises(RecordError):
        read_record(tmp_path, JOB)


@pytest.mark.parametrize("content", ["", "[]", "{}", "null", '{"checksum": ""}', "\x00\xff"])
def test_a_file_that_is_not_a_record_is_rejected(tmp_path: Path, content: str):
    path = record_path(tmp_path, JOB)
    path.parent.mkdir(parents=True)
    path.write_text(content)
    with pytest.raises(RecordError, match="damaged"):
        read_record(tmp_path, JOB)


def test_the_record_of_another_job_is_rejected(tmp_path: Path):
    write_record(tmp_path, a_record())
    other = Job("meta_train", "omniglot/acai/maml/s1")
    record_path(tmp_path, JOB).rename(record_path(tmp_path, other))
    with pytest.raises(RecordError) as caught:
        read_record(tmp_path, other)
    assert JOB.name in caught.value.got
