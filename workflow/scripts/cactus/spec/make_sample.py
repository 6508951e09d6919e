"""What a job that makes sample data reads."""

from cactus.config.base import DatasetName
from cactus.config.sample import SampleSettings
from cactus.spec.base import Spec


class MakeSampleSpec(Spec):
    """Sample data of one data set."""

    dataset: DatasetName
    settings: SampleSettings
