"""What the configuration gives a job: its wildcards, and the part that it reads."""

import json
from typing import NamedTuple, Self

from cactus.config.sections.base import DatasetName, Settings


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
    learner: str
    seed: int


class Spec(Settings):
    """The part of the configuration that a job of one stage reads.

    A job sees nothing else of the configuration. So a key that its stage does not read, or that
    the values of others leave unread, can neither change its results nor make them stale.
    Subclasses hold values, no logic.
    """

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a spec from JSON."""
        return cls.model_validate_json(text)

    def text(self) -> str:
        """Return canonical JSON: sorted keys, no spaces, defaults for keys that nothing reads."""
        values = self.as_read().model_dump(mode="json")
        return json.dumps(values, sort_keys=True, separators=(",", ":"), allow_nan=False)
