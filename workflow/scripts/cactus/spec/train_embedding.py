"""What a job that trains an embedding reads."""

from typing import Any

from cactus.config.base import DatasetName
from cactus.config.compute import ComputeSettings
from cactus.spec.base import Spec


class TrainEmbeddingSpec(Spec):
    """Training of one embedding; its method validates the settings."""

    dataset: DatasetName
    embedding: str
    seed: int
    settings: dict[str, Any]
    compute: ComputeSettings
