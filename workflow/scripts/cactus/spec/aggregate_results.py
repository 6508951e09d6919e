"""What the job that collects every number reads."""

from cactus.spec.base import Spec


class AggregateResultsSpec(Spec):
    """The run's name, and the folders of all results below the run's folder."""

    run: str
    cells: list[str]
