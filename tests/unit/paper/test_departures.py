"""The note on what departs from the defaults: grouped, escaped, and with places to break."""

from cactus.config.printed.titles import UNTITLED
from cactus.paper.tables.departures import departures


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
        r"MLP with dropout: dropout 0.5 (0.2/\allowbreak{}0.5)."
    )
    assert departures([], UNTITLED) == []


def test_values_are_text_and_no_latex():
    (note,) = departures([("learner-maml", "head", "flatten", "spatial_mean")], UNTITLED)
    assert note.endswith(r"MAML: head flatten (spatial\_mean).")
