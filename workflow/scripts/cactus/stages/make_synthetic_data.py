"""Write a small synthetic stand-in for a data set, in its official raw format."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from cactus.config.sections.base import DatasetName
from cactus.config.sections.synthetic import SyntheticSettings
from cactus.stages.base import DatasetStage, DatasetWildcards, Spec

if TYPE_CHECKING:
    from cactus.config.models import Config


class MakeSyntheticDataSpec(Spec):
    """Synthetic data for one data set."""

    dataset: DatasetName
    settings: SyntheticSettings


class MakeSyntheticData(DatasetStage):
    """One job per data set of a run on synthetic data."""

    target = "data"
    folder = "raw"
    results = ("synthetic.json",)
    local = True

    def all_wildcards(self, config: "Config") -> Iterator[DatasetWildcards]:
        """Return the data sets of a run on synthetic data; none on real data."""
        return map(DatasetWildcards, config.expanded_grid.datasets if config.synthetic_data else ())

    def spec(self, config: "Config", wildcards: DatasetWildcards) -> MakeSyntheticDataSpec:
        """Return the keys of one data set."""
        keys = config.synthetic.model_dump(include={"seed", wildcards.dataset})
        return MakeSyntheticDataSpec(
            dataset=wildcards.dataset, settings=SyntheticSettings.model_validate(keys)
        )

    def modules(self, config: "Config", wildcards: DatasetWildcards) -> tuple[str, ...]:
        """Return the module that draws the data set."""
        return (f"cactus.synthetic.{wildcards.dataset}.write",)


STAGE: Final = MakeSyntheticData()
