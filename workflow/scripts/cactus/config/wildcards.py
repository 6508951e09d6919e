"""The wildcards of the rules: which axes of the grid the jobs of a stage have."""

from typing import NamedTuple

from cactus.config.sections.base import DatasetName, LearnerName


class RunWildcards(NamedTuple):
    """No wildcards: the stage has one job per run."""


class DatasetWildcards(NamedTuple):
    """The wildcards of a stage with one job per data set."""

    dataset: DatasetName


class EmbeddingWildcards(NamedTuple):
    """The wildcards of a stage with one job per trained embedding."""

    dataset: DatasetName
    embedding: str
    seed: int


class CellWildcards(NamedTuple):
    """The wildcards of a stage with one job per cell of the grid."""

    dataset: DatasetName
    source: str
    learner: LearnerName
    seed: int
