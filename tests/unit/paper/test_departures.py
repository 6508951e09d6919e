"""The note on what departs from the defaults: grouped, escaped, and with places to break."""

from collections.abc import Iterator
from typing import Literal, get_args, get_origin

from pydantic import BaseModel

from cactus.config.printed.titles import UNTITLED
from cactus.config.printed.words import key_words, value_words
from cactus.config.sections.data.section import DataSettings
from cactus.config.sections.embeddings.section import EmbeddingSettings
from cactus.config.sections.evaluation import BaselineSettings
from cactus.config.sections.learners.section import LearnerSettings
from cactus.config.sections.partition import PartitionSettings
from cactus.paper.tables.departures import changed_settings, departures


def test_what_names_have_in_common_is_said_once():
    schedule = [
        ("learner-maml", "outer_lr", 0.003, 0.001),
        ("oracle-maml", "outer_lr", 0.003, 0.001),
        ("learner-maml", "iterations", 5000, 30_000),
        ("apart-mlp", "dropout", "0.5", "0.2/0.5"),
    ]
    (note,) = departures(schedule, UNTITLED)
    assert note.endswith(
        "MAML and Oracle-MAML: outer rate 0.003 (0.001); MAML: iterations 5,000 (30,000); "
        r"MLP with dropout: dropout 0.5 (0.2/\allowbreak{}0.5).}"
    )
    assert departures([], UNTITLED) == []


def test_a_paper_may_say_it_elsewhere():
    (note,) = departures([("learner-maml", "iterations", 1, 2)], UNTITLED)
    start = r"\providecommand{\cactusdepartures}[1]{#1}\cactusdepartures{\textbf{Settings depart"
    assert note.startswith(start)


def test_keys_and_values_are_told_in_words():
    changes = changed_settings([("learner-maml", "head", "flatten", "spatial_mean")], UNTITLED)
    assert changes == ["MAML: input of the head flattened map (spatial mean)"]
    rate = [("learner-maml", "outer_lr", 2e-05, 0.5)]
    assert changed_settings(rate, UNTITLED) == ["MAML: outer rate 0.00002 (0.5)"]
    shown = [("embedding-own", "own_key", "a_b", "c%")]
    assert changed_settings(shown, UNTITLED) == [r"own: own key a\_b (c\%)"]


def settings_classes(section: type[BaseModel]) -> Iterator[type[BaseModel]]:
    yield section
    for field in section.model_fields.values():
        for kind in (field.annotation, *get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from settings_classes(kind)


def test_no_key_and_no_choice_keeps_an_underscore():
    sections = (
        EmbeddingSettings,
        LearnerSettings,
        PartitionSettings,
        BaselineSettings,
        DataSettings,
    )
    fields = [
        item
        for section in sections
        for one in settings_classes(section)
        for item in one.model_fields.items()
    ]
    assert len(fields) > 100
    for key, field in fields:
        choices = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
        assert "_" not in key_words(key) + "".join(map(str, value_words(list(choices)))), key
