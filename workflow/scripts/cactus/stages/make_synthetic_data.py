"""Write a small synthetic stand-in for a data set, in its official raw format."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from cactus.config.sections.base import DatasetName
from cactus.config.sections.synthetic import SyntheticSettings
from cactus.stages.base import DatasetKey, Spec, Stage

if TYPE_CHECKING:
    from cactus.config.models import Config


class MakeSyntheticDataSpec(Spec):
    """Synthetic data of one data set."""

    dataset: DatasetName
    settings: SyntheticSettings


class MakeSyntheticData(Stage[DatasetKey]):
    """One job per data set of a run on synthetic data."""

    key = DatasetKey
    target = "data"
    folder = "raw"
    results = ("synthetic.json",)
    light = True

    def keys(self, config: "Config") -> Iterator[DatasetKey]:
        """Return the data sets of a run on synthetic data; none on real data."""
        return map(DatasetKey, config.expanded_grid.datasets if config.synthetic_data else ())

    def spec(self, config: "Config", key: DatasetKey) -> MakeSyntheticDataSpec:
        """Return the keys of one data set."""
        keys = config.synthetic.model_dump(include={"seed", key.dataset})
        return MakeSyntheticDataSpec(
            dataset=key.dataset, settings=SyntheticSettings.model_validate(keys)
        )

    def modules(self, config: "Config", key: DatasetKey) -> tuple[str, ...]:
        """Return the module that draws the data set."""
        return (f"cactus.synthetic.{key.dataset}.write",)


STAGE: Final = MakeSyntheticData()
