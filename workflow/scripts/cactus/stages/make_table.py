"""Write the LaTeX table of a data set, and the map from its numbers to the results."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from cactus.config.sections.base import DatasetName
from cactus.stages.base import DatasetKey, Reads, Spec, Stage, results_of

if TYPE_CHECKING:
    from cactus.config.models import Config


class MakeTableSpec(Spec):
    """One LaTeX table."""

    dataset: DatasetName
    decimals: int


class MakeTable(Stage[DatasetKey]):
    """One job per data set."""

    key = DatasetKey
    target = "tables"
    results = ("tables/{cell}.tex", "tables/{cell}.tex.map.json")
    final = True
    light = True

    def keys(self, config: "Config") -> Iterator[DatasetKey]:
        """Return the data sets."""
        return map(DatasetKey, config.expanded_grid.datasets)

    def spec(self, config: "Config", key: DatasetKey) -> MakeTableSpec:
        """Return the keys of tables."""
        return MakeTableSpec(dataset=key.dataset, decimals=config.outputs.decimals)

    def reads(self, config: "Config", key: DatasetKey) -> Iterator[Reads]:
        """Yield the results."""
        yield results_of("aggregate_results", "")


STAGE: Final = MakeTable()
