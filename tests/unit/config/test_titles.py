"""Titles of what a study adds: which are refused, what prints them, and what they make stale."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cactus.config.load import parse_config
from cactus.config.printed.titles import UNTITLED, Titles
from cactus.config.sections.source import is_variant_name
from cactus.errors import ConfigError
from cactus.stages.base import stage_named, stage_names

GRID = {
    "datasets": ["mnist", "omniglot"],
    "embeddings": ["acai"],
    "learners": ["protonets", "mine"],
    "per_dataset": {"mnist": {"embeddings": ["acai", "fresh"]}},
}
PRINTING = {"make_table", "make_figure", "make_report", "make_paper"}
LONGEST = "Ünsal's 50% & more_ #1 {x} ~ ^ <b>, trained for quite a whil"
assert len(LONGEST) == 60


def study(kind: str = "", **titles: Any) -> dict[str, Any]:
    """Return a study with two embeddings and two learners; `titles` are those of a kind."""
    entries: dict[str, dict[str, Any]] = {
        "embeddings": {"fresh": {"like": "acai"}, "other": {"module": "own/other.py"}},
        "learners": {"mine": {"module": "own/mine.py"}, "yours": {"module": "own/yours.py"}},
    }
    for name, title in titles.items():
        entries[kind][name]["title"] = title
    return {"grid": GRID, **{one: {"custom": own} for one, own in entries.items()}}


def refused(values: dict[str, Any]) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        parse_config(values)
    return caught.value


KINDS = pytest.mark.parametrize(
    ("kind", "name", "second", "built_in"),
    [("embeddings", "fresh", "other", "DeepCluster"), ("learners", "mine", "yours", "ProtoNets")],
)


@KINDS
def test_a_title_is_printed_for_the_name(kind: str, name: str, second: str, built_in: str):
    del second, built_in
    titles = parse_config(study(kind, **{name: LONGEST})).titles("mnist")
    assert getattr(titles, kind) == {name: LONGEST}
    printed = titles.source(name) if kind == "embeddings" else titles.learner(name)
    assert printed == LONGEST


@KINDS
def test_titles_that_cannot_be_printed_are_refused(
    kind: str, name: str, second: str, built_in: str
):
    del second, built_in
    for title in ("$x$", "\\alpha", "two\nlines", " ", "", "_hidden in legends", LONGEST + "e"):
        where = refused(study(kind, **{name: title})).where
        assert where.endswith(f"{kind}.custom.{name}.title"), title


@KINDS
def test_equal_titles_are_refused(kind: str, name: str, second: str, built_in: str):
    key = f"{kind}.custom.{name}.title"
    cyrillic = built_in.translate(str.maketrans("epo", "еро"))  # noqa: RUF001
    for title in (built_in, built_in.upper(), cyrillic, second, second.upper(), f"{second} "):
        error = refused(study(kind, **{name: title}))
        assert error.where.endswith(key), title
        same = f"'{second}'" if title.startswith((second, second.upper())) else built_in
        assert f"reads like {same}" in error.fix.replace("the built-in ", "")
    two = refused(study(kind, **{name: "Ünsal  A", second: "U\N{COMBINING DIAERESIS}nsal a"}))
    assert two.where.endswith(key)


@pytest.mark.parametrize(
    ("kind", "name", "title"),
    [
        ("embeddings", "fresh", "Pixels"),
        ("embeddings", "fresh", "True labels"),
        ("learners", "mine", "kNN"),
        ("learners", "mine", "CACTUs-MAML"),
    ],
)
def test_titles_of_other_sources_and_methods_are_taken(kind: str, name: str, title: str):
    assert refused(study(kind, **{name: title})).where.endswith(f"{kind}.custom.{name}.title")


@pytest.mark.parametrize("title", ["ACAI, P = 1", "hyperplanes (acai)"])
def test_a_title_is_not_that_of_a_variant_or_of_hyperplanes(title: str):
    values = study("embeddings", fresh=title)
    parse_config(values)  # the grid has no such source
    controls = {"mnist": ["acai+p-1", "hyperplanes-acai"]}
    error = refused({**values, "grid": {**GRID, "controls": controls}})
    assert error.where.endswith("embeddings.custom.fresh.title")
    assert title in error.got


@KINDS
def test_a_data_set_has_no_title_of_its_own_for_it(
    kind: str, name: str, second: str, built_in: str
):
    del second, built_in
    values = study()
    values[kind]["custom"][name]["per_dataset"] = {"mnist": {"title": "Mine"}}
    assert refused(values).where.endswith(f"{kind}.custom.{name}.per_dataset.mnist.title")


def specs(values: dict[str, Any]) -> dict[str, str]:
    """Return the spec of every job of a study."""
    config = parse_config(values)
    return {
        job.name: stage_named(name).spec(config, stage_named(name).parse(job.cell)).text()
        for name in stage_names()
        for job in stage_named(name).jobs(config)
    }


@KINDS
def test_a_title_reaches_only_the_jobs_that_print_it(
    kind: str, name: str, second: str, built_in: str
):
    del built_in
    before, after = specs(study()), specs(study(kind, **{name: "A title"}))
    changed = {job for job in before if before[job] != after[job]}
    assert before.keys() == after.keys()
    assert {job.partition("/")[0] for job in changed} == PRINTING
    mnist = {"make_table/mnist", "make_table/mnist-tests", "make_figure/accuracy_grid"}
    assert changed >= {*mnist, "make_table/partition_quality", "make_report"}
    # The embedding is of MNIST alone, and the learner of both data sets.
    assert ("make_table/omniglot" in changed) == (kind == "learners")
    assert specs(study(kind, **{second: "Idle"})) == before  # not in the grid


def test_names_without_a_title_are_printed_as_they_are():
    assert UNTITLED.source("hyperplanes-deepcluster") == "Hyperplanes (DeepCluster)"
    assert UNTITLED.source("simclr") == "simclr"
    assert UNTITLED.source("labels") == "True labels"
    assert UNTITLED.method("cluster_matching") == "Cluster matching"
    assert UNTITLED.method("cactus-my_own") == "CACTUs-my_own"
    assert UNTITLED.method("oracle-my_own") == "Oracle-my_own"


def test_titles_are_part_of_the_names_of_sources_and_methods():
    own = Titles(
        datasets={"birds": "Birds"}, embeddings={"fresh": "Fresh (new)"}, learners={"my_own": "Own"}
    )
    assert own.source("hyperplanes-fresh+margin-0") == "Hyperplanes (Fresh (new)), margin 0"
    assert own.source("fresh+k-50+5-way") == "Fresh (new), k = 50, 5-way"
    assert own.method("oracle-my_own") == "Oracle-Own"
    assert own.row("birds", "fresh", "cactus-my_own") == "Birds, Fresh (new), CACTUs-Own"
    assert own.row("mnist", "acai", "knn") == "MNIST, ACAI, kNN"


def test_of_several_runs_the_first_title_of_a_name_counts_and_no_title_is_used_twice():
    several = Titles(embeddings={"a": "One"}), Titles(embeddings={"a": "Two", "b": "ONE", "c": "C"})
    found = Titles.first_of(several)
    assert found.embeddings == {"a": "One", "c": "C"}
    assert found.source("b") == "b"


@given(st.sets(st.from_regex(r"[a-z0-9]{1,2}([._-][a-z0-9]{1,2}){0,2}", fullmatch=True)))
@example({"a-b", "a_b", "a.b"})
def test_variants_of_different_names_have_different_titles(variants: set[str]):
    known = {f"acai+{name}" for name in variants if is_variant_name(name)}
    assert len(set(map(UNTITLED.source, known))) == len(known)
