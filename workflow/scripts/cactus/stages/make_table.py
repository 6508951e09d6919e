"""Write a LaTeX table of a data set, and the map from its numbers to the results."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from cactus.config.schedule import schedule_changes
from cactus.config.sections.base import DatasetName
from cactus.config.sections.source import Source
from cactus.stages.base import Inputs, Spec, Stage, inputs_from

if TYPE_CHECKING:
    from cactus.config.models import Config

_ACCURACIES: Final = "accuracies"
_KINDS: Final = (_ACCURACIES, "verdicts", "tests")


class TableWildcards(NamedTuple):
    """The wildcards of a stage with one job per table: ``<dataset>`` or ``<dataset>-<kind>``."""

    table: str

    @property
    def dataset(self) -> DatasetName:
        """The data set."""
        return self.table.partition("-")[0]  # type: ignore[return-value]

    @property
    def kind(self) -> str:
        """What the table shows; accuracies if its name does not say."""
        return self.table.partition("-")[2] or _ACCURACIES


class MakeTableSpec(Spec):
    """One LaTeX table."""

    run: str
    dataset: DatasetName
    kind: str
    decimals: int
    schedule: list[tuple[str, str, int, int]]


class MakeTable(Stage[TableWildcards]):
    """Three jobs per data set."""

    wildcards = TableWildcards
    target = "tables"
    results = ("tables/{cell}.tex", "tables/{cell}.tex.map.json")
    final = True
    local = True

    def all_wildcards(self, config: "Config") -> Iterator[TableWildcards]:
        """Return the tables of every data set."""
        for dataset in config.expanded_grid.datasets:
            for kind in _KINDS:
                yield TableWildcards(dataset if kind == _ACCURACIES else f"{dataset}-{kind}")

    def spec(self, config: "Config", wildcards: TableWildcards) -> MakeTableSpec:
        """Return the keys that tables read, and where training is not as long as by default."""
        return MakeTableSpec(
            run=config.run,
            dataset=wildcards.dataset,
            kind=wildcards.kind,
            decimals=config.outputs.decimals,
            schedule=list(schedule_changes(config, wildcards.dataset)),
        )

    def inputs(self, config: "Config", wildcards: TableWildcards) -> Iterator[Inputs]:
        """Yield the results, and the margins that hyperplanes keep, for the notes."""
        yield inputs_from("aggregate_results", "")
        if wildcards.kind != _ACCURACIES:
            return
        for cell in config.expanded_grid.trained_cells:
            hyperplanes = Source.parse(cell.source).kind == "hyperplanes"
            if hyperplanes and cell.dataset == wildcards.dataset:
                yield inputs_from("make_partitions", cell.name, "summary.json")

    def modules(self, config: "Config", wildcards: TableWildcards) -> tuple[str, ...]:
        """Return the module that makes the table."""
        return (f"cactus.paper.tables.{wildcards.kind}",)


STAGE: Final = MakeTable()
