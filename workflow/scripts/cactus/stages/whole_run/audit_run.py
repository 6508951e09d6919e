"""Audit a run: fail unless files, records and printed numbers agree."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from cactus.stages.base import Inputs, RunStage, RunWildcards, Spec, stage_named, stage_names

if TYPE_CHECKING:
    from cactus.config.models import Config


class AuditRunSpec(Spec):
    """The name of the run to audit."""

    run: str


class AuditRun(RunStage):
    """One job per run, after all others."""

    target = "audit"
    results = ("audit.json",)
    reads_run = True
    local = True

    def spec(self, config: "Config", wildcards: RunWildcards) -> AuditRunSpec:
        """Return the run's name."""
        return AuditRunSpec(run=config.run)

    def inputs(self, config: "Config", wildcards: RunWildcards) -> Iterator[Inputs]:
        """Yield all final results, so that every other job comes first."""
        for stage in map(stage_named, stage_names()):
            if stage.final:
                yield from (Inputs(job, job.files) for job in stage.jobs(config))


STAGE: Final = AuditRun()
AUDIT: Final = STAGE.job()
