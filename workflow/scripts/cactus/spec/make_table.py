"""What a job that writes a table reads."""

from cactus.config.base import DatasetName
from cactus.spec.base import Spec


class MakeTableSpec(Spec):
    """One LaTeX table."""

    dataset: DatasetName
    decimals: int
