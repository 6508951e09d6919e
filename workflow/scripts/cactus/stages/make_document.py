"""Write a standalone LaTeX document that shows all tables of a run."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from cactus.stages.base import Inputs, Job, RunStage, RunWildcards, Spec, stage_named

if TYPE_CHECKING:
    from cactus.config.models import Config


class MakeDocumentSpec(Spec):
    """The names of the tables, in the order of the document."""

    tables: list[str]


class MakeDocument(RunStage):
    """One job per run."""

    target = "tables"
    results = ("tables/tables.tex",)
    final = True
    local = True

    def spec(self, config: "Config", wildcards: RunWildcards) -> MakeDocumentSpec:
        """Return the tables, in the order of the document."""
        return MakeDocumentSpec(tables=[table.cell for table in self._tables(config)])

    def inputs(self, config: "Config", wildcards: RunWildcards) -> Iterator[Inputs]:
        """Yield the tables, without their maps."""
        for table in self._tables(config):
            yield Inputs(table, table.files[:1])

    def _tables(self, config: "Config") -> Iterator[Job]:
        return stage_named("make_table").jobs(config)


STAGE: Final = MakeDocument()
