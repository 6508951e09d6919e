"""Audits a whole run and reports what does not agree."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cactus.errors import RecordError, printable
from cactus.provenance.audit.files import (
    check_inputs,
    check_lists,
    check_records,
    check_results,
    check_sources,
    check_staleness,
)
from cactus.provenance.audit.findings import Finding, audited
from cactus.provenance.audit.printed import PrintedNumber, numbers_by_job, printed_numbers
from cactus.provenance.audit.rows import audit_notes, check_rows
from cactus.provenance.audit.values import ValueCheck
from cactus.provenance.records.record import record_path
from cactus.provenance.staleness.planner import Planner
from cactus.provenance.staleness.status import counted

# Findings that make their job stale, so that an update fixes them.
_STALE = {
    "record missing", "record damaged", "output missing", "output changed", "input differs",
    "stale",
}  # fmt: skip


@dataclass(frozen=True)
class Report:
    """The result of an audit.

    Attributes
    ----------
    findings
        What does not agree, each with the printed numbers that it affects and the command that
        fixes it.
    notes
        What else a reader should know.
    jobs, files, numbers
        Number of jobs, recorded files and printed numbers checked.
    """

    findings: tuple[tuple[Finding, tuple[PrintedNumber, ...], str], ...]
    notes: tuple[str, ...]
    jobs: int
    files: int
    numbers: int

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {
            "findings": [
                {
                    "kind": finding.kind,
                    "file": finding.file,
                    "got": finding.got,
                    "job": finding.job.name,
                    "affects": [one.title for one in affected],
                    "fix": fix,
                }
                for finding, affected, fix in self.findings
            ],
            "notes": list(self.notes),
            "jobs": self.jobs,
            "files": self.files,
            "numbers": self.numbers,
        }

    def as_text(self, limit: int = 3) -> str:
        """Return the report as text, with at most `limit` affected numbers named per finding."""
        lines = []
        for finding, affected, fix in self.findings:
            lines += [f"{finding.kind}: {finding.file}", f"  got:     {finding.got}"]
            lines.append(f"  affects: {_titles(affected, limit)}")
            lines.append(f"  fix:     {fix}")
        lines += [f"note: {note}" for note in self.notes]
        verdict = counted(len(self.findings), "finding") if self.findings else "all agree"
        counts = {"job": self.jobs, "file": self.files, "printed number": self.numbers}
        total = ", ".join(counted(number, what) for what, number in counts.items())
        return "\n".join(map(printable, [*lines, f"{verdict}: {total}"]))


def run_audit(planner: Planner) -> Report:
    """Check that the files, records, sources, inputs and printed numbers of a run agree."""
    lists = list(check_lists(planner))  # first: a damaged list keeps the planner from its work
    assessments = audited(planner)
    jobs = [one.job for one in assessments]
    # Tables first: readers look there first, and one finding stands for a table and its figures.
    found = printed_numbers(planner.run_folder, jobs)
    printed = sorted(found, key=lambda one: not one.file.endswith(".tex"))
    findings = [
        *lists,
        *check_records(planner),
        *check_results(planner),
        *check_inputs(planner),
        *check_sources(planner),
        *check_staleness(planner),
        *check_rows(planner, printed, jobs),
        *ValueCheck(planner, printed, jobs).findings(),
    ]
    affected = numbers_by_job(planner.graph, printed)
    return Report(
        findings=tuple(
            (
                one,
                (one.number,) if one.number else tuple(affected.get(one.job, ())),
                suggested_fix(planner, one),
            )
            for one in findings
        ),
        notes=tuple(audit_notes(planner)),
        jobs=len(jobs),
        files=sum(len(one.record.entities) for one in assessments if one.record),
        numbers=len(printed),
    )


def passing_audit(planner: Planner, refusal: str) -> Report:
    """Audit a run that has to pass.

    Parameters
    ----------
    planner
        The planner of a finished run, with an empty cache of hashes.
    refusal
        What follows for a run that does not pass, e.g. "has no digest".

    Raises
    ------
    RecordError
        The audit has findings.
    """
    report = run_audit(planner)
    if report.findings:
        first = report.findings[0][0]
        raise RecordError(
            f"A run that does not pass its audit {refusal}.",
            where=str(planner.run_folder),
            got=f"{counted(len(report.findings), 'finding')}; the first is {first.kind}: "
            f"{first.file}",
            fix=f"see `cactus audit {planner.config.run}`",
        )
    return report


def suggested_fix(planner: Planner, finding: Finding) -> str:
    """Return the command that fixes a finding."""
    name, folder = planner.config.run, planner.run_folder
    update = f"cactus update {name if folder.name == name else folder}"
    if finding.kind in ("stray file", "plan damaged"):
        return f"rm {planner.run_folder / finding.file}"
    if finding.kind == "list damaged":
        return f"remove the damaged line of {planner.run_folder / finding.file}"
    if finding.kind in _STALE or planner.assess(finding.job).stale:
        return update
    return f"rm {record_path(planner.run_folder, finding.job)} && {update}"


def _titles(affected: Sequence[PrintedNumber], limit: int) -> str:
    if not affected:
        return "no printed number"
    named = "; ".join(one.title for one in affected[:limit])
    more = len(affected) - limit
    return f"{named}; and {more} more" if more > 0 else named
