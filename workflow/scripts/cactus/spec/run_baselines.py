"""What a job that scores baselines reads."""

from cactus.config.base import DatasetName
from cactus.config.evaluation import BaselineSettings, EvaluationSettings
from cactus.spec.base import Spec


class RunBaselinesSpec(Spec):
    """Baselines on one embedding."""

    dataset: DatasetName
    embedding: str
    seed: int
    settings: BaselineSettings
    evaluation: EvaluationSettings
    pool_attributes: int
    threads: int
