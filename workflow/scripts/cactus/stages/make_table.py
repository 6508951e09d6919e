"""Write a LaTeX table, and the map from its numbers to the results."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from cactus.config.printed.titles import Titles
from cactus.config.sections.base import DatasetName
from cactus.config.sections.outputs import QUALITY_TABLE
from cactus.config.sections.source import Source
from cactus.stages.base import Inputs, Spec, Stage, inputs_from, stage_named

if TYPE_CHECKING:
    from cactus.config.models import Config

_ACCURACIES: Final = "accuracies"
_KINDS: Final = (_ACCURACIES, "verdicts", "tests")  # of each data set


class TableWildcards(NamedTuple):
    """The wildcards of a stage with one job per table.

    A table is named ``<dataset>``, ``<dataset>-<kind>``, or by its kind if it shows the whole run.
    """

    table: str

    @property
    def dataset(self) -> DatasetName | None:
        """The data set, if the table shows only one."""
        if self.table == QUALITY_TABLE:
            return None
        return self.table.partition("-")[0]

    @property
    def kind(self) -> str:
        """What the table shows; accuracies of a data set if its name does not say."""
        if self.dataset is None:
            return self.table
        return self.table.partition("-")[2] or _ACCURACIES


class MakeTableSpec(Spec):
    """One LaTeX table, of a data set or of the whole run."""

    run: str
    dataset: DatasetName | None
    kind: str
    decimals: int
    schedule: list[tuple[str, str, int | float | str, int | float | str]]
    custom: list[tuple[str, bool]]  # the custom learners, and whether each is transductive
    titles: Titles


class MakeTable(Stage[TableWildcards]):
    """Three jobs per data set, and one for the quality of all partitions if any is measured."""

    wildcards = TableWildcards
    target = "tables"
    results = ("tables/{cell}.tex", "tables/{cell}.tex.map.json")
    final = True
    local = True

    def all_wildcards(self, config: "Config") -> Iterator[TableWildcards]:
        """Return the tables of every data set, and those of the whole run."""
        for dataset in config.expanded_grid.datasets:
            for kind in _KINDS:
                yield TableWildcards(dataset if kind == _ACCURACIES else f"{dataset}-{kind}")
        if any(stage_named("measure_partitions").jobs(config)):
            yield TableWildcards(QUALITY_TABLE)

    def spec(self, config: "Config", wildcards: TableWildcards) -> MakeTableSpec:
        """Return the keys that tables read, and where training is not as long as by default."""
        dataset = wildcards.dataset
        return MakeTableSpec(
            run=config.run,
            dataset=dataset,
            kind=wildcards.kind,
            decimals=config.outputs.decimals,
            schedule=config.schedule(dataset) if dataset else [],
            custom=_custom_learners(config, dataset) if dataset else [],
            titles=config.titles(dataset),
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


def _custom_learners(config: "Config", dataset: DatasetName) -> list[tuple[str, bool]]:
    cells = config.expanded_grid.trained_cells
    used = sorted({cell.learner for cell in cells if cell.dataset == dataset})
    custom = config.learners.custom
    return [(name, custom[name].resolve(dataset).transductive) for name in used if name in custom]


STAGE: Final = MakeTable()
