"""What a job that prepares a data set reads."""

from cactus.config.base import DatasetName
from cactus.config.data import DataSettings
from cactus.spec.base import Spec


class RawAccess(Spec):
    """How raw files are reached; it cannot change what is prepared from them."""

    raw_dir: str
    download: bool
    download_timeout: float
    download_attempts: int


class PrepareDataSpec(Spec):
    """Preparation of one data set."""

    dataset: DatasetName
    sample: bool
    settings: DataSettings
