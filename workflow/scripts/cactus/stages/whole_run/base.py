"""What stages share that tell of a finished and audited run."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cactus.config.printed.titles import Titles
from cactus.stages.aggregate_results import RESULTS
from cactus.stages.base import Inputs, RunStage, RunWildcards, Spec
from cactus.stages.whole_run.audit_run import AUDIT

if TYPE_CHECKING:
    from cactus.config.models import Config


class RunTextSpec(Spec):
    """What a text on a run reads of the configuration, besides the settings in the records."""

    run: str
    decimals: int
    titles: Titles


class RunText(RunStage):
    """One job per run, after the audit, whose verdict its text states."""

    reads_run = True
    local = True

    def spec(self, config: "Config", wildcards: RunWildcards) -> RunTextSpec:
        """Return the run's name, the decimals of its numbers, and titles."""
        return RunTextSpec(
            run=config.run,
            decimals=config.outputs.decimals,
            titles=config.titles(),
        )

    def inputs(self, config: "Config", wildcards: RunWildcards) -> Iterator[Inputs]:
        """Yield the audit and the numbers."""
        yield Inputs(AUDIT, AUDIT.files)
        yield Inputs(RESULTS, RESULTS.files)
