"""What is said of a misspelled or misplaced task source is accepted, once it is done."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cactus.config.load import parse_config
from cactus.errors import ConfigError

BASES = ["acai", "infogan", "labels", "random", "pixels", "hyperplanes-acai", "scratch"]
ENDS = ["", "+p-1", "+margin-0", "+5-way", "+p-1+20-way", "+fine"]
PLACES = ["embeddings", "controls", "include", "exclude"]
# Advice without a name to copy.
PLACELESS = re.compile("add it|add `|change it|known are|a control is|which is")
# What is known, but has no effect or a way that is not evaluated, is told what has and is.
NAMED_RIGHTLY = re.compile("; [a-z-]+ reads |evaluation.settings has tasks of way")


def grid_with(name: str, place: str) -> dict[str, Any]:
    grid: dict[str, Any] = {"datasets": ["omniglot"], "embeddings": ["bigan"], "controls": {}}
    if place == "embeddings":
        return {**grid, "embeddings": [name]}
    if place == "controls":
        return {**grid, "controls": {"omniglot": [name]}}
    patterns = [{"source": name}] if place == "exclude" else [{"source": name}, {"source": "bigan"}]
    return {**grid, place: patterns}


def advice_on(grid: dict[str, Any], **others: Any) -> str:
    """Return what the configuration says of a grid; nothing if it accepts it."""
    try:
        parse_config({"grid": grid, **others})
    except ConfigError as error:
        return error.fix
    return ""


def followed(advice: str, name: str, place: str) -> dict[str, Any]:
    """Return the grid after one does as the advice says."""
    meant = re.search(r"did you mean '(.+?)'", advice)
    name = meant[1] if meant else name
    if "turn it on by grid.scratch" in advice:
        return {**grid_with("bigan", "embeddings"), "scratch": True}
    if "put it under grid.controls.<data set>" in advice:
        return grid_with(name, "controls")
    if "name it in grid.embeddings instead" in advice:
        return grid_with(name, "embeddings")
    assert meant, advice
    return grid_with(name, place)


@st.composite
def misspelled(draw: st.DrawFn) -> str:
    name = draw(st.sampled_from(BASES)) + draw(st.sampled_from(ENDS))
    at = draw(st.integers(0, len(name) - 1))
    edits = [
        name[:at] + name[at + 1 :],
        name[:at] + draw(st.sampled_from("ax+- 1")) + name[at:],
        name[:at] + name[at : at + 2][::-1] + name[at + 2 :],
        name[:at] + name[at].upper() + name[at + 1 :],
        name.upper(),
        name,
    ]
    return draw(st.sampled_from(edits))


@given(misspelled(), st.sampled_from(PLACES))
def test_advice_is_accepted_once_it_is_followed(name: str, place: str):
    advice = advice_on(grid_with(name, place))
    if not advice or NAMED_RIGHTLY.search(advice):
        return
    if "did you mean" in advice or not PLACELESS.search(advice):
        then = advice_on(followed(advice, name, place))
        assert not then or (name in advice and NAMED_RIGHTLY.search(then))
    home = "controls" if place == "embeddings" else place
    for variant, key, number in re.findall(r"add `(\S+): \{(\w+): (\d+)\}`", advice):
        own = {"variants": {variant: {key: int(number)}}}
        then = advice_on(grid_with(name.lower(), home), partitions=own)
        assert not then or NAMED_RIGHTLY.search(then)
    for one in re.findall(r"or use (\S+?)(?:[,;]|$)", advice):
        assert advice_on(grid_with(one, home)) == ""


@pytest.mark.parametrize(
    ("name", "place", "advice"),
    [
        ("scratch", "controls", "training from scratch is no control; turn it on by grid.scratch"),
        ("scratc", "embeddings", "did you mean 'scratch'? training from scratch is no embedding"),
        ("acai", "controls", "'acai' is not a control; name it in grid.embeddings instead"),
        ("acai+", "embeddings", "did you mean 'acai'? The embedding is unknown; known are acai,"),
        ("ACAI", "controls", "did you mean 'acai'? 'acai' is not a control"),
        ("Acai", "exclude", "did you mean 'acai'?"),
        ("zzz", "include", "a task source is an embedding, scratch, or a control, which is labels"),
        ("zzz", "controls", "a control is labels, random, pixels or hyperplanes-<embedding>"),
        ("lables", "controls", "did you mean 'labels'?"),
        ("labels+p-1", "controls", "did you mean 'labels'?"),
        ("hyperplanes-labels", "controls", "did you mean 'hyperplanes-acai'?"),
        ("single-infogan", "controls", "did you mean 'infogan+p-1'?"),
        ("acai+p1", "controls", "did you mean 'acai+p-1'? partitions.variants has no `p1`"),
        ("acai+5way", "controls", "did you mean 'acai+5-way'?"),
        ("acai+p-7", "controls", "no `p-7`: add `p-7: {count: 7}`, or use acai+p-1"),
        ("acai+p-07", "controls", "no `p-7`: add `p-7: {count: 7}`, or use acai+p-1"),
        ("acai+p-01", "controls", "did you mean 'acai+p-1'? partitions.variants has no `p-01`"),
        ("pixels+p-7", "controls", "pixels reads no count"),
        ("acai+margin-2", "controls", "acai reads no hyperplanes; use acai+p-1"),
        ("acai+p-0", "controls", "did you mean 'acai+p-1'?"),
        ("acai+k-50", "controls", "no `k-50`: add `k-50: {clusters: 50}`, or use acai+p-1"),
        ("ACAI+fine", "controls", "partitions.variants has no `fine`: add it, or use acai+p-1"),
        ("hyperplanes-acai+p1", "exclude", "or use hyperplanes-acai+margin-0, or use hyperplanes-"),
        ("acai+margin-0", "embeddings", "`margin-0` changes nothing for acai: change it, or use"),
        ("acai+fine", "embeddings", "or use acai+p-1; it belongs under grid.controls.<data set>"),
    ],
)
def test_a_name_gets_the_one_that_its_place_takes(name: str, place: str, advice: str):
    assert advice in advice_on(grid_with(name, place))


@pytest.mark.parametrize(
    ("key", "meant"), [("embedding", "source"), ("controls", "source"), ("datasets", "dataset")]
)
def test_a_pattern_has_its_own_names_for_the_axes(key: str, meant: str):
    with pytest.raises(ConfigError) as error:
        parse_config({"grid": {"exclude": [{"dataset": "mnist", key: "acai"}]}})
    assert error.value.fix == f"did you mean '{meant}'?"


@pytest.mark.parametrize("values", [3, {"hyperplanes": 3}, {"hyperplanes": {"per_embedding": 3}}])
def test_values_of_a_wrong_type_do_not_stop_the_advice(values: Any):
    grid = grid_with("hyperplanes-acay", "controls")
    variants = {"partitions": {"variants": {"fine": values}}}
    assert "did you mean 'hyperplanes-acai'" in advice_on(grid, **variants) or values == 3
    assert advice_on(grid_with("acai", "embeddings"), **variants)
