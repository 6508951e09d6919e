"""What a job that evaluates a cell reads."""

from cactus.config.base import DatasetName, LearnerName
from cactus.config.compute import ComputeSettings
from cactus.config.evaluation import EvaluationSettings
from cactus.config.learners import MamlSettings, ProtonetsSettings, ScratchSettings
from cactus.spec.base import Spec


class EvaluateModelSpec(Spec):
    """Evaluation of one cell."""

    dataset: DatasetName
    source: str
    learner: LearnerName
    seed: int
    settings: MamlSettings | ProtonetsSettings
    scratch: ScratchSettings | None
    evaluation: EvaluationSettings
    pool_attributes: int
    compute: ComputeSettings
