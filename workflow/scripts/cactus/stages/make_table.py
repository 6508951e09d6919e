"""Write a LaTeX table, and the map from its numbers to the results."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from cactus.config.sections.source import Source
from cactus.stages.base import Inputs, Spec, Stage, inputs_from, stage_named

if TYPE_CHECKING:
    from cactus.config.models import Config

QUALITY_TABLE: Final = "partition_quality"


class TableWildcards(NamedTuple):
    """The wildcards of a stage with one job per table."""

    table: str


class MakeTableSpec(Spec):
    """One LaTeX table, of the accuracies on a data set or of the partitions' quality."""

    run: str
    table: str
    decimals: int


class MakeTable(Stage[TableWildcards]):
    """One job per data set, and one for the quality of all partitions if any is measured."""

    wildcards = TableWildcards
    target = "tables"
    results = ("tables/{cell}.tex", "tables/{cell}.tex.map.json")
    final = True
    local = True

    def all_wildcards(self, config: "Config") -> Iterator[TableWildcards]:
        """Return the names of all tables."""
        yield from map(TableWildcards, config.expanded_grid.datasets)
        if any(stage_named("measure_partitions").jobs(config)):
            yield TableWildcards(QUALITY_TABLE)

    def spec(self, config: "Config", wildcards: TableWildcards) -> MakeTableSpec:
        """Return the keys that tables read."""
        return MakeTableSpec(
            run=config.run, table=wildcards.table, decimals=config.outputs.decimals
        )

    def inputs(self, config: "Config", wildcards: TableWildcards) -> Iterator[Inputs]:
        """Yield the results, and the margins that hyperplanes keep, for the notes."""
        yield inputs_from("aggregate_results", "")
        for cell in config.expanded_grid.trained_cells:
            hyperplanes = Source.parse(cell.source).kind == "hyperplanes"
            if hyperplanes and cell.dataset == wildcards.table:
                yield inputs_from("make_partitions", cell.name, "summary.json")


STAGE: Final = MakeTable()
