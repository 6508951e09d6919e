"""Audit a run: stop unless files, records and printed numbers agree."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from cactus.stages.base import Reads, RunKey, Spec, Stage, stage_named, stage_names

if TYPE_CHECKING:
    from cactus.config.models import Config


class AuditRunSpec(Spec):
    """The run to audit."""

    run: str


class AuditRun(Stage[RunKey]):
    """One job per run, after all others."""

    key = RunKey
    target = "audit"
    results = ("audit.json",)
    light = True

    def keys(self, config: "Config") -> Iterator[RunKey]:
        """Return the one job of a run."""
        yield RunKey()

    def spec(self, config: "Config", key: RunKey) -> AuditRunSpec:
        """Return the run."""
        return AuditRunSpec(run=config.run)

    def reads(self, config: "Config", key: RunKey) -> Iterator[Reads]:
        """Yield all that the run is made for, so that every other job comes before."""
        for stage in map(stage_named, stage_names()):
            if stage.final:
                yield from (Reads(job, job.files) for job in stage.jobs(config))


STAGE: Final = AuditRun()
AUDIT: Final = STAGE.job()
