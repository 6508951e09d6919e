"""The differences between two plans, one by one."""

import json

import pytest

from cactus.provenance.records.plan import PENDING, Plan
from cactus.provenance.records.reasons import Reason, plan_differences, unlike

BASE = Plan(
    stage="meta_train", cell="c", spec={"rate": 0.1, "deep": {"a": [1, 2]}}, code={"a.py": "1"},
    libraries={"numpy": "2.0"}, files={"list.csv": "1"}, inputs={"data/x": "1"},
)  # fmt: skip


def described(**changes: object) -> list[str]:
    return [str(one) for one in plan_differences(BASE, BASE.model_copy(update=changes))]


def test_equal_plans_have_no_difference():
    assert described() == []
    assert described(spec={"deep": {"a": [1, 2]}, "rate": 0.1}) == []
    pairs = [{"way": 5, "shot": 1}], [{"shot": 1, "way": 5}]
    old, new = (BASE.model_copy(update={"spec": {"settings": pair}}) for pair in pairs)
    assert list(plan_differences(old, new)) == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"spec": {"rate": 0.2, "deep": {"a": [1, 2]}}}, "config rate: 0.1 -> 0.2"),
        ({"spec": {"rate": 0.1, "deep": {"a": [1]}}}, "config deep.a: [1, 2] -> [1]"),
        ({"code": {"a.py": "2"}}, "code a.py changed"),
        ({"code": {"a.py": "1", "b.py": "1"}}, "code b.py added"),
        ({"code": {}}, "code a.py removed"),
        ({"libraries": {"numpy": "2.1"}}, "library numpy: 2.0 -> 2.1"),
        ({"files": {"list.csv": "2"}}, "file list.csv changed"),
        ({"inputs": {"data/x": "2"}}, "input data/x changed"),
    ],
)
def test_a_difference_is_described(changes: dict[str, object], reason: str):
    assert described(**changes) == [reason]


def test_a_pending_input_is_not_a_difference_of_its_own():
    assert described(inputs={"data/x": PENDING}) == []


def test_a_result_is_missing_or_changed():
    assert str(Reason("output", "m", "1", "absent")) == "output m is missing"
    assert str(Reason("output", "m", "1", "2")) == "output m changed since it was made"


def test_what_cannot_be_read_has_not_changed():
    state = "unreadable (Permission denied)"
    assert str(Reason("output", "m", "1", state)) == f"output m is {state}"
    assert str(Reason("file", "m", "1", state)) == f"file m is {state}"


def test_a_damaged_record_is_named():
    reason = Reason("record", "records/a.json", "", "not a regular file")
    assert str(reason) == "no valid record (records/a.json: not a regular file)"


def test_long_lists_are_shown_by_what_differs():
    old = json.dumps([["acai", "iterations", 150, 262144], ["bigan", "epochs", 3, 9], ["x", 1]])
    new = old.replace("150", "100")
    assert unlike(old, new) == (
        '[["acai", "iterations", 150, 262144], ...]', '[["acai", "iterations", 100, 262144], ...]'
    )  # fmt: skip
    assert unlike("[1, 2]", "[1]") == ("[1, 2]", "[1]")
    text = json.dumps("a" * 90)
    assert unlike(text, old) == (text, old)
    backwards = json.dumps(json.loads(old)[::-1])
    assert unlike(old, backwards) == (old, backwards)


def test_another_python_is_the_reason_where_it_is():
    assert str(Reason("library", "python", "3.11", "3.12")) == "Python changed: 3.11 -> 3.12"
