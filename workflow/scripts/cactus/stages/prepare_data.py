"""Read a data set's raw files and write its splits as arrays."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, get_args

from cactus.config.sections.base import DatasetName
from cactus.config.sections.data import DataSettings
from cactus.splits import SPLITS
from cactus.stages.base import DataFile, DatasetStage, DatasetWildcards, Inputs, Spec, inputs_from

if TYPE_CHECKING:
    from cactus.config.models import Config

_ACCESS_KEYS: Final = {"raw_dir", "download", "download_timeout", "download_attempts"}
_DATASETS: Final = frozenset(get_args(DatasetName))


class RawAccess(Spec):
    """How raw files are found or downloaded; no prepared array depends on it."""

    raw_dir: str
    download: bool
    download_timeout: float
    download_attempts: int


class PrepareDataSpec(Spec):
    """Preparation of one data set."""

    dataset: DatasetName
    synthetic: bool
    settings: DataSettings


class PrepareData(DatasetStage):
    """One job per data set."""

    target = "data"
    folder = "data"
    results = (
        "manifest.json",
        *(f"{split}_images.npy" for split in SPLITS),
        *(f"{split}_labels.npy" for split in SPLITS),
    )
    memory_mb = 2000

    def spec(self, config: "Config", wildcards: DatasetWildcards) -> PrepareDataSpec:
        """Return the keys of one data set, without those of `RawAccess`."""
        keys = config.data.model_dump(exclude=_ACCESS_KEYS | _DATASETS - {wildcards.dataset})
        settings = DataSettings.model_validate(keys)
        return PrepareDataSpec(
            dataset=wildcards.dataset, synthetic=config.synthetic_data, settings=settings
        )

    def inputs(self, config: "Config", wildcards: DatasetWildcards) -> Iterator[Inputs]:
        """Yield the synthetic data, if the run uses it."""
        if config.synthetic_data:
            yield inputs_from("make_synthetic_data", wildcards.dataset)

    def modules(self, config: "Config", wildcards: DatasetWildcards) -> tuple[str, ...]:
        """Return the reader of the data set."""
        return (f"cactus.data.readers.{wildcards.dataset}",)

    def data_files(self, wildcards: DatasetWildcards) -> tuple[DataFile, ...]:
        """Return the data set's entry in the registry, and the list of its classes if any."""
        entry = DataFile("config/datasets.yaml", wildcards.dataset)
        lists = [DataFile("config/splits/miniimagenet.csv")]
        return entry, *(lists if wildcards.dataset == "miniimagenet" else [])


def raw_access(config: "Config") -> RawAccess:
    """Return how raw files are found; synthetic data is in the run's folder."""
    access = RawAccess.model_validate(config.data.model_dump(include=_ACCESS_KEYS))
    if not config.synthetic_data:
        return access
    return access.model_copy(update={"raw_dir": f"results/{config.run}/raw", "download": False})


STAGE: Final = PrepareData()
