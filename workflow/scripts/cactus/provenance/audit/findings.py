"""The findings of an audit, and the jobs that it covers."""

from dataclasses import dataclass
from typing import Literal

from cactus.provenance.audit.printed import PrintedNumber
from cactus.provenance.records.record import Record
from cactus.provenance.staleness.planner import Assessment, Planner
from cactus.stages.audit_run import AUDIT
from cactus.stages.base import Job

FindingKind = Literal[
    "record missing", "record damaged", "output missing", "output changed", "stray file",
    "input differs", "clock", "source lost", "source differs", "stale", "seed missing",
    "mixed row", "number differs", "text differs", "map damaged", "results damaged",
    "plan damaged", "list damaged",
]  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """Something that does not agree.

    Attributes
    ----------
    kind
        Kind of disagreement.
    file
        The file, relative to the run's folder, or the job.
    got
        What was found, and what was expected.
    job
        The job whose results are in doubt.
    number
        The affected number if it is the only one; otherwise all that depend on the job are.
    """

    kind: FindingKind
    file: str
    got: str
    job: Job
    number: PrintedNumber | None = None


def audited(planner: Planner) -> list[Assessment]:
    """Return the assessments of all jobs except the audit itself."""
    return [one for one in planner.assess_all() if one.job != AUDIT]


def audited_records(planner: Planner) -> list[Record]:
    """Return the valid records of all jobs except the audit itself."""
    return [one.record for one in audited(planner) if one.record is not None]
