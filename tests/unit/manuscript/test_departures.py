"""Where a study departs from the original, as its paper says it."""

from typing import Any

import pytest

from cactus.config.load import parse_config
from cactus.config.printed.titles import UNTITLED, Titles
from cactus.manuscript.departures import OWN, Departure, departures, divided
from cactus.manuscript.parts import cited, own_parts, parts_of
from cactus.manuscript.protocol import Section
from cactus.manuscript.values import by_name, names_of

CLUSTERS = {
    "point": "Clusters",
    "evidence": ["code"],
    "key": "partitions.clusters",
    "original": {"mnist": 10, "omniglot": 500},
    "per": ["mnist", "omniglot"],
    "here": "counted ([data.md](data.md))",
}
FACT = {
    "point": "Starting point",
    "evidence": ["code"],
    "says": "arrays",
    "verdict": "departs",
    "here": "raw files, {partitions.clusters@omniglot} clusters",
    "reason": "Nobody could check them.",
}
MAML = {
    "point": "Steps",
    "evidence": ["table"],
    "key": "learners.maml.inner_steps",
    "original": 9,
    "reason": "Faster.",
}

ALL = {"mnist", "omniglot", "celeba"}
Parts = set[str] | dict[str, set[str]]  # of each part, the data sets that have it


def found(point: dict[str, Any], names: Parts, **values: Any) -> list[tuple[str, ...]]:
    section = Section(title="One", points=[point])
    settings = parse_config(values).model_dump(mode="json")
    defaults = parse_config({}).model_dump(mode="json")
    parts = names if isinstance(names, dict) else {name: ALL | {name} for name in names}
    departing, silent = departures([section], settings, defaults, parts, UNTITLED)
    assert not silent
    assert [title for title, _ in departing] == ["One"] * bool(departing)
    return [tuple(one) for _, rows in departing for one in rows]


def test_a_key_of_the_original_is_no_departure():
    assert found(CLUSTERS, {"omniglot", "mnist"}) == []


def test_a_key_of_the_study_departs_where_the_study_has_the_data_set():
    values = {"partitions": {"clusters": 60}}
    row = ("Clusters", "500", "60", "chosen by this study")
    assert found(CLUSTERS, {"omniglot"}, **values) == [row]
    assert found(CLUSTERS, {"celeba"}, **values) == []
    both = found(CLUSTERS, {"omniglot", "mnist"}, **values)
    assert both == [("Clusters", "mnist: 10; omniglot: 500".replace("mnist", "MNIST").replace(
        "omniglot", "Omniglot"), "60", "chosen by this study")]  # fmt: skip


def test_data_sets_of_ones_own_have_their_titles():
    titles = Titles(datasets={"birds": "Garden birds"})
    assert names_of(["birds"], ["mnist", "birds"], titles) == "Garden birds"
    assert by_name({"birds": 9, "mnist": 8}, ["x"], titles) == "Garden birds: 9; MNIST: 8"


def test_a_departure_of_the_defaults_has_the_reason_of_the_protocol():
    assert found(MAML, {"omniglot", "maml"}) == [("Steps", "9", "5", "Faster.")]
    own = found(MAML, {"omniglot", "maml"}, learners={"maml": {"inner_steps": 3}})
    assert own == [("Steps", "9", "3", "chosen by this study")]


def test_points_of_a_method_that_the_study_lacks_are_left_out():
    assert found(MAML, {"omniglot", "protonets"}) == []


@pytest.mark.parametrize("names", [{"omniglot"}, {"omniglot", "baselines", "knn"}])
def test_points_of_a_part_that_the_study_lacks_are_left_out(names: set[str]):
    point = {**FACT, "part": "mlp"}
    assert found(point, names) == []
    assert len(found(point, names | {"mlp"})) == 1
    width = {**MAML, "key": "baselines.mlp.epochs"}
    assert found(width, names) == []
    assert len(found(width, {*names, "baselines", "mlp"})) == 1


def test_points_are_left_out_on_data_sets_without_their_method():
    parts = {"mnist": {"mnist"}, "omniglot": {"omniglot"}, "maml": {"omniglot"}}
    own = {"per_dataset": {"mnist": {"inner_steps": 2}, "omniglot": {"inner_steps": 3}}}
    (row,) = found(MAML, parts, learners={"maml": own})
    assert row == ("Steps", "9", "3", "chosen by this study")
    assert found(MAML, {**parts, "maml": {"celeba"}}, learners={"maml": own}) == []


def test_a_row_that_departs_on_some_data_sets_names_them():
    values = {"partitions": {"per_dataset": {"omniglot": {"clusters": 60}}}}
    assert found(CLUSTERS, {"omniglot", "mnist"}, **values) == [
        ("Clusters", "Omniglot: 500", "Omniglot: 60", "chosen by this study")
    ]
    assert found(CLUSTERS, {"omniglot"}, **values) == [
        ("Clusters", "500", "60", "chosen by this study")
    ]


def test_points_of_the_oracle_need_that_of_their_learner():
    point = {**MAML, "key": "learners.maml.oracle_iterations", "part": "oracle"}
    names = {"omniglot", "maml", "oracle", "oracle protonets"}
    assert found(point, names) == []
    assert len(found(point, {*names, "oracle maml"})) == 1


def test_training_from_scratch_is_no_part_of_its_learner():
    grid = {"datasets": ["omniglot"], "learners": ["protonets"], "scratch": True}
    parts = parts_of(parse_config({"grid": {**grid, "embeddings": ["acai"]}}))
    assert "scratch" in parts
    assert "maml" not in parts


def test_parts_of_a_study_are_those_of_its_cells():
    config = parse_config(
        {
            "grid": {
                "datasets": ["mnist", "omniglot"],
                "embeddings": ["acai", "fresh"],
                "controls": {"omniglot": ["labels", "acai+p-1"]},
                "exclude": [{"dataset": "mnist", "learner": "maml"}],
                "per_dataset": {"mnist": {"embeddings": ["fresh"]}},
                "scratch": False,
                "baselines": False,
            },
            "embeddings": {"custom": {"fresh": {"like": "bigan"}}},
        }
    )
    both, one = {"mnist", "omniglot"}, {"omniglot"}
    assert parts_of(config) == {
        "mnist": {"mnist"}, "omniglot": one, "acai": one, "maml": one, "protonets": both,
        "oracle": one, "oracle maml": one, "oracle protonets": one, "ablations": one,
    }  # fmt: skip
    assert cited(config) - parts_of(config).keys() == {"bigan"}


def test_parts_of_its_own_have_their_titles():
    grid = {
        "datasets": ["omniglot"],
        "embeddings": ["acai", "fresh", "mine"],
        "learners": ["maml", "joint"],
    }
    custom = {"fresh": {"like": "bigan"}, "mine": {"module": "mine.py"}}
    learners = {name: {"module": f"{name}.py"} for name in ("joint", "unused")}
    embeddings, own = {"custom": custom}, {"custom": learners}
    study = parse_config({"grid": grid, "embeddings": embeddings, "learners": own})
    titles = Titles(embeddings={"mine": "Mine & Co"})
    assert own_parts(study, titles) == ["Mine & Co", "joint"]
    assert own_parts(parse_config({}), titles) == []


def test_what_is_no_key_is_told_with_the_values_of_the_study():
    values = {"partitions": {"clusters": 60}}
    (row,) = found(FACT, {"omniglot"}, **values)
    assert row == ("Starting point", "arrays", "raw files, 60 clusters", "Nobody could check them.")


@pytest.mark.parametrize("here", ["as drawn ([data.md](data.md))", "as drawn [data.md](data.md)"])
def test_links_of_the_documentation_are_left_out(here: str):
    (row,) = found({**FACT, "here": here}, {"omniglot"})
    assert row[2] == "as drawn"


@pytest.mark.parametrize(
    ("here", "shown"),
    [
        ("all pinned; versions are in `envs`", "all pinned"),
        ("`config/full.yaml` has both", ""),
        ("one; `two` of them; three", "one; three"),
    ],
)
def test_clauses_on_files_and_keys_of_the_project_are_left_out(here: str, shown: str):
    point = {**FACT, "here": here, "reason": "They mean the same. `embedding` restores it."}
    (row,) = found(point, {"omniglot"})
    assert row[2:] == (shown, "They mean the same.")


def test_values_are_told_in_words():
    point = {
        "point": "Baselines",
        "evidence": ["code"],
        "key": "baselines.methods",
        "original": ["knn", "linear", "mlp", "cluster_matching"],
        "per": ["omniglot"],
    }
    names = {"omniglot", "baselines"}
    (row,) = found(point, names, baselines={"methods": ["knn", "cluster_matching"]})
    assert row[1:3] == ("kNN, linear classifier, MLP, cluster matching", "kNN, cluster matching")


def test_what_a_study_chose_is_apart_from_what_has_a_reason():
    own, reasoned = Departure("a", "b", "c", OWN), Departure("d", "e", "f", "Faster.")
    parts = [("One", [own, reasoned]), ("Two", [reasoned])]
    assert divided(parts) == ([("One", [own])], [("One", [reasoned]), ("Two", [reasoned])])
