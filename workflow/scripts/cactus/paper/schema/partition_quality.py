"""The columns of the table of the partitions' quality."""

from typing import Final

from cactus.evaluate.partition_quality import MEASURES
from cactus.paper.schema.field import Field, count, width
from cactus.paper.schema.results import CELL, SEED

_UNIT: Final = "that of the measure: images, clusters or a fraction"
FIELDS: Final = (
    *CELL[:3],
    Field("learner", "string", "Meta-learner that the partitions are for."),
    SEED,
    Field("measure", "string", "What is measured.", limits={"enum": [*MEASURES]}),
    count("partitions", "Partitions of a seed.", 1),
    Field("mean", "number", "Mean over the partitions.", _UNIT),
    width("ci95", "Half the 95 % interval of the mean: 1.96 std / sqrt(partitions).", unit=_UNIT),
    width("std", "Population standard deviation over the partitions.", unit=_UNIT),
    width(
        "seed_std",
        "Sample standard deviation of the seeds' means; empty for one seed.",
        required=False,
        unit=_UNIT,
    ),
)
KEY: Final = ("run", "dataset", "source", "learner", "seed", "measure")
