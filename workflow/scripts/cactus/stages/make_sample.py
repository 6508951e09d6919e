"""Write a small synthetic stand-in for a data set, in its official raw format."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from cactus.config.base import DatasetName
from cactus.config.sample import SampleSettings
from cactus.stages.base import DatasetKey, Spec, Stage

if TYPE_CHECKING:
    from cactus.config.models import Config


class MakeSampleSpec(Spec):
    """Synthetic data of one data set."""

    dataset: DatasetName
    settings: SampleSettings


class MakeSample(Stage[DatasetKey]):
    """One job per data set of a run on synthetic data."""

    key = DatasetKey
    target = "data"
    folder = "raw"
    results = ("sample.json",)
    light = True

    def keys(self, config: "Config") -> Iterator[DatasetKey]:
        """Return the data sets of a run on synthetic data; none on real data."""
        return map(DatasetKey, config.expanded_grid.datasets if config.sample_data else ())

    def spec(self, config: "Config", key: DatasetKey) -> MakeSampleSpec:
        """Return the keys of one data set."""
        keys = config.sample.model_dump(include={"seed", key.dataset})
        return MakeSampleSpec(dataset=key.dataset, settings=SampleSettings.model_validate(keys))

    def modules(self, config: "Config", key: DatasetKey) -> tuple[str, ...]:
        """Return the module that draws the data set."""
        return (f"cactus.sample.{key.dataset}",)


STAGE: Final = MakeSample()
