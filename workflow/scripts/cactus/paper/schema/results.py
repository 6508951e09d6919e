"""The columns of the table of results."""

from typing import Final

from cactus.paper.schema.field import Field, accuracy, count, width
from cactus.paper.schema.values import STATUSES, VERDICTS

CELL: Final = (
    Field("run", "string", "Name of the run."),
    Field("dataset", "string", "Data set."),
    Field("source", "string", "Embedding or other source of the tasks, with its variant."),
    Field("method", "string", "Method: a baseline, scratch, cactus-<learner> or oracle-<learner>."),
    Field("learner", "string", "Meta-learner; empty for baselines.", required=False),
)
SETTING: Final = (
    count("way", "Classes of a task.", 2),
    count("shot", "Labeled images per class of a task.", 1),
)
SEED: Final = Field(
    "seed",
    "string",
    "Training seed; `all` for the average over all seeds, task by task.",
    limits={"pattern": "all|[0-9]+"},
)
_STATUS: Final = {"enum": [*STATUSES]}
FIELDS: Final = (
    *CELL,
    *SETTING,
    SEED,
    count("tasks", "Evaluation tasks.", 1),
    accuracy("mean", "Mean accuracy over the tasks."),
    width("ci95", "Half the 95 % interval of the mean: 1.96 std / sqrt(tasks)."),
    width("std", "Population standard deviation of the accuracy over the tasks."),
    width(
        "seed_std",
        "Sample standard deviation of the seeds' means; empty for one seed.",
        required=False,
    ),
    Field("selected", "string", "What a baseline chose on validation tasks.", required=False),
    count("validation_tasks", "Validation tasks of that choice; 0 without one."),
    Field("synthetic", "boolean", "Whether the data is drawn instead of the real data set."),
    Field("split", "string", "Split of the evaluation tasks.", limits={"enum": ["test", "val"]}),
    accuracy("paper_mean", "The paper's accuracy; empty if it has none.", required=False),
    width("paper_ci95", "Half the paper's 95 % interval.", required=False),
    Field("paper_status", "string", "How sure the paper's accuracy is.", "", False, _STATUS),
    Field("paper_ci95_status", "string", "How sure the paper's interval is.", "", False, _STATUS),
    Field("in_paper", "boolean", "Whether the paper ran the cell."),
    Field(
        "difference",
        "number",
        "Our mean minus the paper's.",
        "fraction",
        False,
        {"minimum": -1, "maximum": 1},
    ),
    width("difference_ci95", "Half the 95 % interval of the difference.", required=False),
    Field("verdict", "string", "How ours stands to the paper's.", limits={"enum": [*VERDICTS]}),
    Field(
        "episodes_sha256",
        "string",
        "Hash of the evaluation tasks; all methods of a setting share them.",
        limits={"pattern": "[0-9a-f]{64}"},
    ),
)
KEY: Final = ("run", "dataset", "source", "method", "learner", "way", "shot", "seed")
