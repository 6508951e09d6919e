"""What a job that meta-trains a cell reads."""

from cactus.config.base import DatasetName, LearnerName
from cactus.config.compute import ComputeSettings
from cactus.config.learners import MamlSettings, ProtonetsSettings
from cactus.spec.base import Spec


class MetaTrainSpec(Spec):
    """Meta-training of one cell."""

    dataset: DatasetName
    source: str
    learner: LearnerName
    seed: int
    settings: MamlSettings | ProtonetsSettings
    pool_attributes: int
    compute: ComputeSettings
