"""Write the LaTeX table of a data set, and the map from its numbers to the results."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from cactus.config.sections.base import DatasetName
from cactus.config.sections.source import Source
from cactus.stages.base import DatasetStage, DatasetWildcards, Inputs, Spec, inputs_from

if TYPE_CHECKING:
    from cactus.config.models import Config


class MakeTableSpec(Spec):
    """One LaTeX table."""

    run: str
    dataset: DatasetName
    decimals: int


class MakeTable(DatasetStage):
    """One job per data set."""

    target = "tables"
    results = ("tables/{cell}.tex", "tables/{cell}.tex.map.json")
    final = True
    local = True

    def spec(self, config: "Config", wildcards: DatasetWildcards) -> MakeTableSpec:
        """Return the keys that tables read."""
        return MakeTableSpec(
            run=config.run, dataset=wildcards.dataset, decimals=config.outputs.decimals
        )

    def inputs(self, config: "Config", wildcards: DatasetWildcards) -> Iterator[Inputs]:
        """Yield the results, and the margins that hyperplanes keep, for the notes."""
        yield inputs_from("aggregate_results", "")
        for cell in config.expanded_grid.trained_cells:
            hyperplanes = Source.parse(cell.source).kind == "hyperplanes"
            if hyperplanes and cell.dataset == wildcards.dataset:
                yield inputs_from("make_partitions", cell.name, "summary.json")


STAGE: Final = MakeTable()
