"""Write a standalone LaTeX document that shows all tables of a run."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from cactus.stages.base import Job, Reads, RunKey, Spec, Stage

if TYPE_CHECKING:
    from cactus.config.models import Config


class MakeDocumentSpec(Spec):
    """Names of the tables, in the order of the document."""

    tables: list[str]


class MakeDocument(Stage[RunKey]):
    """One job per run."""

    key = RunKey
    target = "tables"
    results = ("tables/tables.tex",)
    final = True
    light = True

    def keys(self, config: "Config") -> Iterator[RunKey]:
        """Return the one job of a run."""
        yield RunKey()

    def spec(self, config: "Config", key: RunKey) -> MakeDocumentSpec:
        """Return the data sets, in the order of the grid."""
        return MakeDocumentSpec(tables=list(config.expanded_grid.datasets))

    def reads(self, config: "Config", key: RunKey) -> Iterator[Reads]:
        """Yield the tables, without their maps."""
        for dataset in config.expanded_grid.datasets:
            table = Job("make_table", dataset)
            yield Reads(table, table.files[:1])


STAGE: Final = MakeDocument()
