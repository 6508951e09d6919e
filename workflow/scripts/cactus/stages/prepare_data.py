"""Read a data set's raw files and write its splits as arrays."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from cactus.config.sections.base import BUILT_IN, DatasetName
from cactus.config.sections.data.section import DataSettings
from cactus.splits import SPLITS
from cactus.stages.base import DataFile, DatasetStage, DatasetWildcards, Inputs, Spec, inputs_from

if TYPE_CHECKING:
    from cactus.config.models import Config

_ACCESS_KEYS: Final = {"raw_dir", "download", "download_timeout", "download_attempts"}
# Keys of a data set of one's own on which no prepared array depends: of files, the hashes count.
_IDLE_KEYS: Final = {"title", "files"}


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
        "sources.json",
        *(f"{split}_images.npy" for split in SPLITS),
        *(f"{split}_labels.npy" for split in SPLITS),
        *(f"{split}_names.txt" for split in SPLITS),
    )
    memory_mb = 2000

    def spec(self, config: "Config", wildcards: DatasetWildcards) -> PrepareDataSpec:
        """Return the keys of one data set, without those of `RawAccess`."""
        name, own = wildcards.dataset, config.data.custom
        others = {*BUILT_IN, "custom"} - {name}
        keys: dict[str, Any] = config.data.model_dump(exclude=_ACCESS_KEYS | others)
        if name in own:
            keys["custom"] = {name: own[name].model_dump(exclude=_IDLE_KEYS)}
        settings = DataSettings.model_validate(keys)
        return PrepareDataSpec(
            dataset=wildcards.dataset, synthetic=config.synthetic_data, settings=settings
        )

    def inputs(self, config: "Config", wildcards: DatasetWildcards) -> Iterator[Inputs]:
        """Yield the synthetic data, if the run uses it."""
        if config.synthetic_data:
            yield inputs_from("make_synthetic_data", wildcards.dataset)

    def modules(self, config: "Config", wildcards: DatasetWildcards) -> tuple[str, ...]:
        """Return the reader of the data set, and the module of one of one's own."""
        own = config.data.custom.get(wildcards.dataset)
        if own is None:
            return (f"cactus.data.readers.{wildcards.dataset}",)
        return (f"cactus.data.custom.{own.form}", *([own.module] if own.module else []))

    def declared_files(self, config: "Config", wildcards: DatasetWildcards) -> list[str]:
        """Return the data files that the module of a data set of one's own reads."""
        own = config.data.custom.get(wildcards.dataset)
        return own.files if own else []

    def data_files(self, config: "Config", wildcards: DatasetWildcards) -> tuple[DataFile, ...]:
        """Return the registry's entry of a built-in data set or its variant, and its list."""
        own, name, lists = config.data.custom.get(wildcards.dataset), str(wildcards.dataset), ""
        if own is not None:
            if own.variant_of is None:
                return ()
            name = own.variant_of
            if own.split and own.split.published:
                lists = f"{name}_{own.split.published}"
        elif name == "miniimagenet":
            lists = name
        entry = DataFile("config/datasets.yaml", name)
        return (entry, *([DataFile(f"config/splits/{lists}.csv")] if lists else []))


def raw_access(config: "Config") -> RawAccess:
    """Return how raw files are found; synthetic data is in the run's folder."""
    access = RawAccess.model_validate(config.data.model_dump(include=_ACCESS_KEYS))
    if not config.synthetic_data:
        return access
    return access.model_copy(update={"raw_dir": f"results/{config.run}/raw", "download": False})


STAGE: Final = PrepareData()
