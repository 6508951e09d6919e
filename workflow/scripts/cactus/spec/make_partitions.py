"""What a job that makes partitions reads."""

from cactus.config.base import DatasetName, LearnerName
from cactus.config.compute import ComputeSettings
from cactus.config.partition import PartitionSettings
from cactus.spec.base import Spec


class MakePartitionsSpec(Spec):
    """Partitions of the training images for one meta-learner."""

    dataset: DatasetName
    source: str
    learner: LearnerName
    seed: int
    settings: PartitionSettings
    way: int
    shot: int
    query: int
    compute: ComputeSettings
