"""The protocol's page follows from the defaults, and says why where they depart."""

from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from cactus.config.load import all_keys
from cactus.config.models import Config
from cactus.manuscript.protocol import Point, Section, value_of
from docs import protocol_points
from docs.protocol_page import PAGE, page
from docs.protocol_points import SETTINGS, read_sections, wrong_keys

SECTIONS = read_sections()
K = {
    "point": "Clusters",
    "evidence": ["code"],
    "key": "partitions.clusters",
    "original": {"mnist": 10, "omniglot": 500},
    "per": ["mnist", "omniglot"],
}
FACT = {
    "point": "Batch norm",
    "evidence": ["code maml.py:1"],
    "says": "transductive",
    "verdict": "same",
    "here": "the same",
    "tests": ["tests/unit/docs/test_protocol.py::test_the_page_is_in_step_with_the_defaults"],
}


def problems(values, **changes):
    given = {**values, **changes}
    point = Point.model_validate({key: value for key, value in given.items() if value != "none"})
    return list(protocol_points.problems(point))


def row(point):
    return (
        page([Section(title="One", points=[point])]).split("|---|---|---|---|\n")[1].split("\n")[0]
    )


def test_the_page_is_in_step_with_the_defaults():
    assert PAGE.read_text(encoding="utf-8") == page(SECTIONS), "run `make config-docs`"


def test_values_are_those_of_the_data_set_in_the_papers_study():
    assert [value_of(SETTINGS, "learners.maml.way", name) for name in ("mnist", "celeba")] == [
        10,
        2,
    ]
    assert value_of(SETTINGS, "partitions.hyperplanes.point_range", "deepcluster") == 0.0
    assert value_of(SETTINGS, "grid.learners", "mnist") == ["maml"]


def test_points_that_fit_have_no_problems():
    assert problems(K) == problems(FACT) == []


@pytest.mark.parametrize(
    ("changes", "verdicts"),
    [
        ({}, {"same": ["mnist", "omniglot"]}),
        (
            {"original": {"mnist": 10, "omniglot": 499}},
            {"same": ["mnist"], "departs": ["omniglot"]},
        ),
        ({"original": {"mnist": 10}}, {"same": ["mnist"], "absent": ["omniglot"]}),
        ({"original": 10}, {"same": ["mnist"], "departs": ["omniglot"]}),
        (
            {"original": {"mnist": 10}, "unpublished": ["omniglot"]},
            {"same": ["mnist"], "unpublished": ["omniglot"]},
        ),
        # No clipping is a value, too.
        ({"original": None, "key": "learners.maml.gradient_clip"}, {"same": ["mnist", "omniglot"]}),
        ({"original": None, "per": ["celeba"]}, {"departs": ["celeba"]}),
    ],
)
def test_the_verdict_compares_the_values(changes, verdicts):
    assert Point.model_validate({**K, **changes}).verdicts(SETTINGS) == verdicts


@pytest.mark.parametrize(
    ("values", "changes", "problem"),
    [
        (K, {"original": {"mnist": 10, "omniglot": 499}}, "a reason is missing"),
        (K, {"unpublished": ["omniglot"]}, "a reason is missing"),
        (K, {"reason": "We like it."}, "departs no longer"),
        (K, {"key": "partitions.cluster"}, "no key partitions.cluster for mnist"),
        (K, {"key": "data.{name}.ink"}, "for mnist"),
        (K, {"original": {"mnist": 10, "omniglott": 500}}, "omniglott"),
        (K, {"says": "500"}, "either `original` or `says`"),
        (K, {"verdict": "same"}, "which gives the verdict"),
        (K, {"key": "none"}, "`original` is compared with a `key`"),
        (K, {"evidence": ["hearsay"]}, "unknown evidence"),
        (K, {"also": "see {learners.maml.steps}"}, "no key learners.maml.steps"),
        (FACT, {"verdict": "none"}, "needs a `verdict`"),
        (FACT, {"verdict": "departs"}, "a reason is missing"),
        (FACT, {"verdict": "unpublished"}, "a reason is missing"),
        (FACT, {"here": "none"}, "without a `key`"),
        (FACT, {"tests": []}, "without a `key`"),
        (FACT, {"tests": ["tests/unit/test_gone.py"]}, "does not exist"),
        (FACT, {"tests": ["tests/unit/docs/test_protocol.py::test_gone"]}, "does not exist"),
    ],
)
def test_a_point_that_does_not_fit_is_refused(values, changes, problem):
    assert any(problem in one for one in problems(values, **changes)), problems(values, **changes)


@pytest.mark.parametrize("changes", [{"orignal": 3}, {"evidence": []}, {"verdict": "departed"}])
def test_misspelled_points_are_refused(changes):
    with pytest.raises(ValidationError):
        Point.model_validate({**K, **changes})


def test_all_problems_are_named_at_once(tmp_path: Path):
    points = [{**K, "reason": "Old."}, {**FACT, "point": "Clusters", "tests": ["gone.py"]}]
    text = yaml.safe_dump({"title": "One", "points": points})
    (tmp_path / "one.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="does not fit the code") as caught:
        read_sections(tmp_path)
    for part in ("no longer", "gone.py", "two points", "learners.maml.way: it answers no point"):
        assert part in str(caught.value)


def test_every_key_that_decides_results_is_on_the_page_once():
    known = set(all_keys(Config))
    assert list(wrong_keys(SECTIONS, known)) == []
    new = {*known, "learners.maml.new_key", "speed.maml.new_key"}
    assert [one.split(":")[0] for one in wrong_keys(SECTIONS, new)] == ["learners.maml.new_key"]
    gone = [one.split(":")[0] for one in wrong_keys(SECTIONS, known - {"evaluation.seed"})]
    assert gone == ["evaluation.seed"]


def test_a_row_says_which_data_sets_depart_and_why():
    changes = {
        "original": {"mnist": 10, "omniglot": 499},
        "reason": "k is {partitions.clusters@omniglot}.",
    }
    assert row(Point.model_validate({**K, **changes})) == (
        "| Clusters | MNIST: 10; Omniglot: 499 (code) | MNIST: 10; Omniglot: 500: "
        "`partitions.clusters` | as the original: MNIST; **departs**: Omniglot. k is 500. |"
    )
