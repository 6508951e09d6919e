"""Write a small synthetic stand-in for a data set, in its official raw format."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from cactus.config.base import DatasetName
from cactus.config.sample import SampleSettings
from cactus.stages.base import DatasetWildcards, Spec, Stage

if TYPE_CHECKING:
    from cactus.config.models import Config


class MakeSampleSpec(Spec):
    """Synthetic data for one data set."""

    dataset: DatasetName
    settings: SampleSettings


class MakeSample(Stage[DatasetWildcards]):
    """One job per data set of a run on synthetic data."""

    wildcards = DatasetWildcards
    target = "data"
    folder = "raw"
    results = ("sample.json",)
    local = True

    def all_wildcards(self, config: "Config") -> Iterator[DatasetWildcards]:
        """Return the data sets of a run on synthetic data; none on real data."""
        return map(DatasetWildcards, config.expanded_grid.datasets if config.sample_data else ())

    def spec(self, config: "Config", wildcards: DatasetWildcards) -> MakeSampleSpec:
        """Return the keys of one data set."""
        keys = config.sample.model_dump(include={"seed", wildcards.dataset})
        return MakeSampleSpec(
            dataset=wildcards.dataset, settings=SampleSettings.model_validate(keys)
        )

    def modules(self, config: "Config", wildcards: DatasetWildcards) -> tuple[str, ...]:
        """Return the module that draws the data set."""
        return (f"cactus.sample.{wildcards.dataset}",)


STAGE: Final = MakeSample()
