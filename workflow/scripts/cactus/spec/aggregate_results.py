"""What the job that collects every number reads."""

from cactus.spec.base import Spec


class AggregateResultsSpec(Spec):
    """The folders of all results, below the run's folder."""

    cells: list[str]
