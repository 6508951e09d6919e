"""What a job that draws a figure reads."""

from cactus.config.base import DatasetName
from cactus.config.outputs import OutputSettings
from cactus.spec.base import Spec


class MakeFigureSpec(Spec):
    """One figure, of the whole run or of one data set."""

    figure: str
    dataset: DatasetName | None
    settings: OutputSettings
