"""The findings of an audit, and the jobs that it covers."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Final, Literal

from cactus.provenance.audit.printed import PrintedNumber
from cactus.provenance.records.record import Record, record_files, record_path
from cactus.provenance.records.run_reader import has_files
from cactus.provenance.staleness.planner import Assessment, Planner
from cactus.stages.base import Job
from cactus.stages.whole_run.audit_run import AUDIT

# Sums in different order differ by less than this, relative to numbers above 1; a printed digit is
# far larger.
ROUNDING: Final = 1e-9

FindingKind = Literal[
    "obstructed", "record missing", "record damaged", "output missing", "output changed",
    "output unreadable", "stray file", "input differs", "source lost", "source differs", "stale",
    "seed missing", "mixed row", "number differs", "text differs", "map damaged", "results damaged",
    "plan damaged", "list damaged", "link broken", "seal broken", "digest differs",
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


def differences(
    recorded: Mapping[str, float | str | None],
    right: Mapping[str, float | str | None],
    what: str,
) -> str:
    """Return which recorded numbers are not the right ones, which `what` gives; empty if none."""
    wrong = [
        f"{name} {value!r}, but its {what} give {right[name]!r}"
        for name, value in recorded.items()
        if not _agree(value, right[name])
    ]
    return "; ".join(wrong)


def _agree(value: float | str | None, right: float | str | None) -> bool:
    if isinstance(value, float) and isinstance(right, float):
        return abs(value - right) <= ROUNDING * max(1.0, abs(right))
    return value == right


def behind(finding: Finding, below: Mapping[str, str]) -> str | None:
    """Return the obstruction behind which lies what a finding cannot read, if that is all it says.

    Parameters
    ----------
    below
        How paths below each obstruction start.
    """
    if finding.kind == "obstructed":
        return None
    file = PurePosixPath(finding.file)
    above = (str(one) for one in (file, *file.parents) if str(one) in below)
    named = (name for name, start in below.items() if start in finding.got)
    return next(chain(above, named), None)


def audited(planner: Planner) -> list[Assessment]:
    """Return the assessments of the jobs that an audit covers: all but the audit itself.

    A job that reads the run after the audit, such as the report, counts if it has run; while the
    audit is a job, `only` of its planner leaves it out.
    """
    return [one for one in planner.assess_all() if one.job != AUDIT and _covers(planner, one.job)]


def _covers(planner: Planner, job: Job) -> bool:
    if planner.only is not None:
        return job in planner.only
    return not job.definition.reads_run or has_files(planner.run_folder, job)


def audited_records(planner: Planner) -> list[Record]:
    """Return the valid records of the jobs that an audit covers."""
    return [one.record for one in audited(planner) if one.record is not None]


def foreign_records(planner: Planner) -> list[Path]:
    """Return the records of jobs that were removed from the study, or are of another study."""
    known = {record_path(planner.run_folder, job) for job in planner.graph.jobs}
    return [path for path in record_files(planner.run_folder) if path not in known]
