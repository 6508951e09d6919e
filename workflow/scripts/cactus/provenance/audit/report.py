"""Audits a whole run and reports what does not agree."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final

from cactus.errors import RecordError, counted, few, printable
from cactus.provenance.audit.files import (
    check_inputs,
    check_lists,
    check_places,
    check_records,
    check_results,
    check_sources,
    check_staleness,
)
from cactus.provenance.audit.findings import Finding, FindingKind, audited, behind
from cactus.provenance.audit.fixes import UPDATE, Fixes, run_words
from cactus.provenance.audit.links import (
    check_expected,
    check_links,
    check_seal,
    link_notes,
)
from cactus.provenance.audit.printed import (
    PrintedNumber,
    maps_of,
    numbers_by_job,
    printed_numbers,
)
from cactus.provenance.audit.remade import (
    check_audit_result,
    latex_notes,
    not_known,
    remaking,
    to_remake,
)
from cactus.provenance.audit.rows import audit_notes, check_rows
from cactus.provenance.audit.strays import Strays
from cactus.provenance.audit.values import ValueCheck
from cactus.provenance.records.links import run_digest
from cactus.provenance.staleness.obstructions import obstructions
from cactus.provenance.staleness.planner import Planner

# A finding, the printed numbers that it affects, and the command that fixes it.
_Told = tuple[Finding, tuple[PrintedNumber, ...], str]
_MOST_BLOCKS: Final = 5  # of one kind
_MOST_FILES: Final = 5  # of one block
_MOST_FIXES: Final = 20  # of what is left out
_IN_JSON: Final = "one for each, listed by `cactus audit --json`"


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
    digest
        The digest of the run: of the digests of all records that its audit reads.
    jobs, files, numbers
        Number of jobs, recorded files and printed numbers checked.
    """

    findings: tuple[_Told, ...]
    notes: tuple[str, ...]
    digest: str
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
            "digest": self.digest,
            "jobs": self.jobs,
            "files": self.files,
            "numbers": self.numbers,
        }

    def as_text(self, limit: int = 3) -> str:
        """Return the report as text, with at most `limit` affected numbers named per finding.

        Findings that differ in their file alone are told together, and of many of a kind the first.
        """
        lines = [*_blocks(self.findings, limit)]
        lines += [printable(f"note: {note}") for note in self.notes]
        verdict = counted(len(self.findings), "finding") if self.findings else "all agree"
        jobs = f"{counted(self.jobs, 'job')} besides the audit"
        numbers = counted(self.numbers, "printed number")
        total = f"{jobs}, {counted(self.files, 'file')}, {numbers}"
        lines += [f"{verdict}: {total}", f"digest of the run: {self.digest}"]
        return "\n".join(lines)

    @property
    def verdict(self) -> str:
        """The verdict and what was checked, in one line."""
        return self.as_text().splitlines()[-2]


def run_audit(
    planner: Planner,
    *,
    expected: str = "",
    running: bool = False,
    figures: bool = False,
    apart: bool = False,
) -> Report:
    """Check that the files, records, sources, inputs and printed numbers of a run agree.

    Parameters
    ----------
    planner
        The planner of the run.
    expected
        The digest that the run should have, or its start; empty for any.
    running
        Whether the caller is the run's own audit, which has no record yet.
    figures
        Whether to make figures, the report and a paper's PDF again, and compare every byte.
    apart
        Whether another process may make tables again at the same time; see `started_apart`.
    """
    hand_over = remaking(planner, apart=apart)
    lists = list(check_lists(planner))  # first: a damaged list keeps the planner from its work
    assessments, remade = audited(planner), hand_over(to_remake(planner, figures=figures))
    blocking, jobs = obstructions(planner), [one.job for one in assessments]
    strays = Strays(planner, places := {one.path for one in blocking})
    printed = sorted(printed_numbers(maps := maps_of(planner.run_folder), jobs), key=_tables_first)
    values = ValueCheck(planner, maps, printed, jobs)
    findings = [
        *check_places(planner, blocking),
        *(one for one in lists if planner.run_folder / one.file not in places),
        *check_records(planner, running=running),
        *check_links(planner, running=running),
        *check_seal(planner),
        *(check_expected(planner, expected) if expected else ()),
        *check_results(planner),
        *strays.findings(),
        *check_inputs(planner),
        *check_sources(planner),
        *check_staleness(planner),
        *check_rows(planner, printed, jobs),
        *values.findings(),
        *check_audit_result(planner, printed),
    ]
    found = _told(planner, [*findings, *not_known(remade(), findings)], printed)
    return Report(
        findings=tuple(sorted(_without_those_behind(found, planner.run_folder), key=_mended)),
        notes=(*_notes(planner, strays, figures=figures), *values.notes()),
        digest=run_digest(planner),
        jobs=len(jobs),
        files=sum(len(one.record.entities) for one in assessments if one.record),
        numbers=len(printed),
    )


def _told(
    planner: Planner, findings: Sequence[Finding], printed: Sequence[PrintedNumber]
) -> list[_Told]:
    """Return findings with what they affect and how to mend them: what runs again has to write."""
    if not findings:
        return []
    again = {one.job for one in findings} | {one.job for one in audited(planner) if one.stale}
    blocking = obstructions(planner, again)
    affected, fixes = numbers_by_job(planner.graph, printed), Fixes(planner, findings, blocking)
    return [
        (one, (one.number,) if one.number else tuple(affected.get(one.job, ())), fixes.of(one))
        for one in findings
    ]


def _notes(planner: Planner, strays: Strays, *, figures: bool) -> Iterator[str]:
    yield from audit_notes(planner)
    yield from link_notes(planner)
    yield from strays.notes()
    if figures:
        yield from latex_notes(planner)


def _without_those_behind(found: Sequence[_Told], run_folder: Path) -> list[_Told]:
    """Let the finding of an obstruction stand for those that only say what cannot be read."""
    names = [one.file for one, *_ in found if one.kind == "obstructed"]
    below = {name: f"{run_folder / name}/" for name in names}
    hidden: dict[str, list[_Told]] = {}
    left: list[_Told] = []
    for one in found:
        name = behind(one[0], below) if below else None
        (left if name is None else hidden.setdefault(name, [])).append(one)
    return [_with_those(one, hidden[one[0].file]) if one[0].file in hidden else one for one in left]


def _with_those(obstructed: _Told, hidden: Sequence[_Told]) -> _Told:
    """Return the finding of an obstruction, with how much is behind it."""
    own, affected, fix = obstructed
    files = {one.file for one, *_ in hidden if one.file.startswith(f"{own.file}/")}
    more = f"; {counted(len(files), 'file')} of the run cannot be read" if files else ""
    numbers = {one.title: one for _, others, _ in hidden for one in others}
    return replace(own, got=own.got + more), (*affected, *numbers.values()), fix


def _blocks(found: Sequence[_Told], limit: int) -> Iterator[str]:
    """Yield the lines of findings, a block for those of a kind that are told in the same words."""
    kinds: dict[tuple[int, str], dict[tuple[str, str], list[_Told]]] = {}
    for one in found:
        finding, _, fix = one
        blocks = kinds.setdefault((_mended(one), finding.kind), {})
        blocks.setdefault((finding.got, fix), []).append(one)
    for (_, kind), blocks in kinds.items():
        for (got, fix), block in islice(blocks.items(), _MOST_BLOCKS):
            numbers = {number.title: number for _, affected, _ in block for number in affected}
            yield printable(f"{kind}: {_files(block)}")
            yield printable(f"  got:     {got}")
            yield printable(f"  affects: {_titles([*numbers.values()], limit)}")
            # A command is printable already, and none any more if a part is left out.
            yield f"  fix:     {fix}"
        if left := list(chain.from_iterable(islice(blocks.values(), _MOST_BLOCKS, None))):
            fixes = {fix: None for *_, fix in left}
            yield printable(f"{kind}: {counted(len(left), 'more finding')}, in {_files(left)}")
            yield f"  fix:     {' && '.join(fixes) if len(fixes) <= _MOST_FIXES else _IN_JSON}"


def _files(block: Sequence[_Told]) -> str:
    return few({one.file: None for one, *_ in block}, _MOST_FILES)


def _mended(told: _Told) -> int:
    """Order findings as they have to be mended: an update ends with an audit of all else."""
    finding, _, fix = told
    if finding.kind == "obstructed":
        return 1
    if UPDATE in fix:
        return 3
    return 2 if finding.kind == "source lost" else 0


def _tables_first(number: PrintedNumber) -> bool:
    """Order numbers as readers look: one finding stands for a table and its figures."""
    return not number.file.endswith(".tex")


def passing_audit(planner: Planner, refusal: str, *, replaced: FindingKind | None = None) -> Report:
    """Audit a run that has to pass.

    Parameters
    ----------
    planner
        The planner of a finished run, with an empty cache of hashes.
    refusal
        What follows for a run that does not pass, e.g. "has no digest".
    replaced
        A kind of finding that does not count, because what it is about will be replaced.

    Raises
    ------
    RecordError
        The audit has findings.
    """
    report = run_audit(planner)
    found = [one for one, _, _ in report.findings if one.kind != replaced]
    if found:
        first = found[0]
        raise RecordError(
            f"A run that does not pass its audit {refusal}.",
            where=str(planner.run_folder),
            got=f"{counted(len(found), 'finding')}; the first is {first.kind}: {first.file}",
            fix=f"see `cactus audit {run_words(planner)}`",
        )
    return report


def _titles(affected: Sequence[PrintedNumber], limit: int) -> str:
    if not affected:
        return "no printed number"
    named = "; ".join(one.title for one in affected[:limit])
    more = len(affected) - limit
    return f"{named}; and {more} more" if more > 0 else named
