"""The columns of the table of paired tests."""

from typing import Final

from cactus.paper.schema.field import Field, count, width
from cactus.paper.schema.results import CELL, SETTING

_PROBABILITY: Final = {"minimum": 0, "maximum": 1}
FIELDS: Final = (
    CELL[0],
    CELL[1],
    *SETTING,
    *CELL[2:],
    Field("other_source", "string", "Source of the tasks of the other method."),
    Field("other_method", "string", "The other method."),
    Field("other_learner", "string", "Its meta-learner; empty for baselines.", required=False),
    count("tasks", "Tasks that both methods solved.", 2),
    Field(
        "difference",
        "number",
        "Mean accuracy of the first method minus the other's, averaged over the seeds of both.",
        "fraction",
        limits={"minimum": -1, "maximum": 1},
    ),
    width("ci95", "Half the 95 % interval of the difference, by Student's t."),
    Field("p_value", "number", "Of the two-sided paired t-test.", limits=_PROBABILITY),
    Field(
        "p_holm",
        "number",
        "The same after Holm's correction for all pairs of the data set and setting.",
        limits=_PROBABILITY,
    ),
)
KEY: Final = ("run", "dataset", "way", "shot", "source", "method", "other_source", "other_method")
