"""Read a data set's raw files and write its splits as arrays."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from cactus.config.sections.base import DatasetName
from cactus.config.sections.data import DataSettings
from cactus.splits import SPLITS
from cactus.stages.base import DataFile, DatasetKey, Reads, Spec, Stage, results_of

if TYPE_CHECKING:
    from cactus.config.models import Config

_ACCESS_KEYS: Final = {"raw_dir", "download", "download_timeout", "download_attempts"}
_DATASETS: Final = {"mnist", "omniglot", "miniimagenet", "celeba"}


class RawAccess(Spec):
    """How raw files are reached; it cannot change what is prepared from them."""

    raw_dir: str
    download: bool
    download_timeout: float
    download_attempts: int


class PrepareDataSpec(Spec):
    """Preparation of one data set."""

    dataset: DatasetName
    synthetic: bool
    settings: DataSettings


class PrepareData(Stage[DatasetKey]):
    """One job per data set."""

    key = DatasetKey
    target = "data"
    folder = "data"
    results = (
        "manifest.json",
        *(f"{split}_images.npy" for split in SPLITS),
        *(f"{split}_labels.npy" for split in SPLITS),
    )
    memory_mb = 2000

    def keys(self, config: "Config") -> Iterator[DatasetKey]:
        """Return the data sets."""
        return map(DatasetKey, config.expanded_grid.datasets)

    def spec(self, config: "Config", key: DatasetKey) -> PrepareDataSpec:
        """Return the keys of one data set, without those of `RawAccess`."""
        keys = config.data.model_dump(exclude=_ACCESS_KEYS | _DATASETS - {key.dataset})
        settings = DataSettings.model_validate(keys)
        return PrepareDataSpec(
            dataset=key.dataset, synthetic=config.synthetic_data, settings=settings
        )

    def reads(self, config: "Config", key: DatasetKey) -> Iterator[Reads]:
        """Yield the synthetic data, where the run is on these."""
        if config.synthetic_data:
            yield results_of("make_synthetic_data", key.dataset)

    def modules(self, config: "Config", key: DatasetKey) -> tuple[str, ...]:
        """Return the reader of the data set."""
        return (f"cactus.data.readers.{key.dataset}",)

    def data_files(self, key: DatasetKey) -> tuple[DataFile, ...]:
        """Return the data set's entry in the registry, and the lists of its classes."""
        entry = DataFile("config/datasets.yaml", key.dataset)
        lists = [DataFile("config/splits/miniimagenet.csv")]
        return entry, *(lists if key.dataset == "miniimagenet" else [])


def raw_access(config: "Config") -> RawAccess:
    """Return how raw files are reached; synthetic data lie below the run's folder."""
    access = RawAccess.model_validate(config.data.model_dump(include=_ACCESS_KEYS))
    if not config.synthetic_data:
        return access
    return access.model_copy(update={"raw_dir": f"results/{config.run}/raw", "download": False})


STAGE: Final = PrepareData()
