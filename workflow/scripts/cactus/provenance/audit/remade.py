"""Checks that what follows from the results of other jobs within seconds can be made anew.

The other checks recompute numbers with code of their own. This one runs the code of the jobs again,
and compares every byte: it finds an edit of what is no number, such as a label, a note or a row.
"""

import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from cactus.errors import CactusError, ResourceError, StorageError
from cactus.files import read_bytes, read_json
from cactus.provenance.apart import started_apart
from cactus.provenance.audit.findings import Finding, FindingKind, audited
from cactus.provenance.audit.printed import PrintedNumber
from cactus.provenance.audit.reading.paper_numbers import PAPER_NUMBERS_FILE
from cactus.provenance.records.links import replaced_since_audit, run_digest
from cactus.provenance.records.plan import Plan
from cactus.provenance.staleness.planner import Planner
from cactus.stages.aggregate_results import STAGE as AGGREGATE_RESULTS
from cactus.stages.aggregate_results import AggregateResultsSpec
from cactus.stages.base import Job
from cactus.stages.make_document import STAGE as MAKE_DOCUMENT
from cactus.stages.make_document import MakeDocumentSpec
from cactus.stages.make_figure import STAGE as MAKE_FIGURE
from cactus.stages.make_figure import MakeFigureSpec
from cactus.stages.make_table import STAGE as MAKE_TABLE
from cactus.stages.make_table import MakeTableSpec
from cactus.stages.whole_run.audit_run import AUDIT
from cactus.stages.whole_run.base import RunTextSpec
from cactus.stages.whole_run.make_paper import PAPER
from cactus.stages.whole_run.make_paper import STAGE as MAKE_PAPER
from cactus.stages.whole_run.make_report import REPORT
from cactus.stages.whole_run.make_report import STAGE as MAKE_REPORT

if TYPE_CHECKING:  # they import pandas
    from cactus.manuscript.write import PaperFiles
    from cactus.report.view import RunView

_CONTENT: Final[frozenset[FindingKind]] = frozenset(
    {"number differs", "text differs", "seed missing", "results damaged", "map damaged"}
)
_LONGEST: Final = 80
_MEMORY: Final = "/dev/shm"
_ROOM: Final = 1 << 28  # bytes
_FILES: Final = 1000
_LOG_LINK: Final = re.compile(rb'<a href="logs/[^"]*" aria-label="log of [^"]*">log</a> ')


_Maker = Callable[[Planner, Plan, Path], None]


class Remake(NamedTuple):
    """A job to do again, with its plan and what makes its files in a folder."""

    job: Job
    plan: Plan
    make: _Maker


def remaking(
    planner: Planner, *, apart: bool
) -> Callable[[Iterable[Remake]], Callable[[], list[Finding]]]:
    """Return what takes jobs to do again, and returns what waits for their findings.

    Those are of the tables and files of numbers that the jobs would not make as they are.
    """
    work = partial(_remake, planner)
    return started_apart(_import_makers, work) if apart else partial(partial, work)


def _import_makers() -> None:
    """Import what most files are made by: pandas and SciPy take longer than the making."""
    import cactus.paper.aggregate
    import cactus.paper.tables.registry  # noqa: F401


def to_remake(planner: Planner, *, figures: bool) -> list[Remake]:
    """Return which jobs to do again, to compare their files.

    A job that is stale is left out, because its code or its inputs have changed: that is a finding
    of its own. So is one that reads what may not be read.

    Parameters
    ----------
    figures
        Whether to make what takes a second or more, too: figures, the report and a paper's PDF.
        Without, this is done for the jobs that ran after the run's audit, which takes them over.
    """
    makers = {**_MAKERS, **(_SLOW_MAKERS if figures else {})}
    if figures and any(latex_notes(planner)):
        makers[MAKE_PAPER.name] = _paper
    replaced = replaced_since_audit(planner) if planner.only is None else {}
    closed = {one.job for one in planner.assess_all() if one.closed}
    found = []
    for one in audited(planner):
        make = makers.get(one.job.stage)
        if one.job in replaced:
            make = _SLOW_MAKERS.get(one.job.stage, make)
        if make and not one.stale and closed.isdisjoint(planner.graph.ancestry(one.job)):
            found.append(Remake(one.job, one.plan, make))
    return found


def _remake(planner: Planner, jobs: Iterable[Remake]) -> list[Finding]:
    return [finding for one in jobs for finding in _made_again(planner, one)]


def _made_again(planner: Planner, one: Remake) -> Iterator[Finding]:
    file = one.job.files[0]
    with tempfile.TemporaryDirectory(prefix="cactus-audit-", dir=_in_memory()) as folder:
        try:
            one.make(planner, one.plan, Path(folder, Path(file).name))
        except CactusError as error:
            if isinstance(error, StorageError) and str(error.where).startswith(folder):
                raise  # of this folder, which says nothing of the run
            yield Finding("text differs", file, f"cannot be made anew: {error.got}", one.job)
            return
        for name in one.job.files:
            yield from _differences(planner.run_folder / name, Path(folder), name, one.job)


def not_known(made: Iterable[Finding], known: Iterable[Finding]) -> Iterator[Finding]:
    """Yield the findings of `remaking`, but of jobs whose files are known to differ."""
    told = {one.job for one in known if one.kind in _CONTENT}
    return (one for one in made if one.job not in told)


def _in_memory() -> str | None:
    """Return a folder that no disk keeps, where one has room: what it takes is read only here."""
    try:
        found = os.statvfs(_MEMORY)
    except OSError:
        return None
    has_room = found.f_bavail * found.f_frsize >= _ROOM and found.f_favail >= _FILES
    return _MEMORY if has_room and os.access(_MEMORY, os.W_OK | os.X_OK) else None


def latex_notes(planner: Planner) -> Iterator[str]:
    """Yield that a paper's PDF cannot be made again, if there is one and a part of LaTeX is not."""
    from cactus.manuscript.latex import check_latex

    if PAPER in planner.jobs:
        try:
            check_latex()
        except ResourceError as error:
            yield f"the paper's PDF was not made again: {error.got} on this computer"


def check_audit_result(planner: Planner, printed: Iterable[PrintedNumber]) -> Iterator[Finding]:
    """Yield that the run's own audit is stale, or that its file does not say what that found.

    The report and the paper print it. Its notes are left out: what they are about may have gone.
    What was changed, and jobs that ran after it or will, have findings of their own.
    """
    if planner.only is not None or planner.record(AUDIT) is None:
        return  # it is being made, or will be
    reasons = planner.assess(AUDIT).reasons
    if any(one.kind in ("record", "output", "upstream") for one in reasons):
        return
    if reasons:
        more = f" (and {len(reasons) - 1} more)" if reasons[1:] else ""
        yield Finding("stale", AUDIT.name, f"{reasons[0]}{more}", AUDIT)
        return
    before = planner.graph.ancestry(AUDIT)[:-1]
    records = [*map(planner.record, before)]
    if None in records:  # of a closed one, nobody knows the digest
        return
    right = {
        "findings": [],
        "digest": run_digest(planner),
        "jobs": len(before),
        "files": sum(len(record.entities) for record in records if record),
        "numbers": sum(one.job in before for one in printed),
    }
    try:
        found = read_json(planner.run_folder / AUDIT.files[0])
    except CactusError as error:
        yield Finding("text differs", AUDIT.files[0], error.got, AUDIT)
        return
    for key, value in right.items():
        got = found.get(key) if isinstance(found, dict) else None
        if got != value:
            text = f"{key} {str(got)[:_LONGEST]}, but the audit finds {value}"
            yield Finding("text differs", AUDIT.files[0], text, AUDIT)


def _results(planner: Planner, plan: Plan, output: Path) -> None:
    from cactus.paper.aggregate import write_all_results  # it imports pandas and scipy

    published = planner.project.root / PAPER_NUMBERS_FILE
    spec = AggregateResultsSpec.model_validate(plan.spec)
    write_all_results(spec, planner.run_folder, published, output)


def _table(planner: Planner, plan: Plan, output: Path) -> None:
    from cactus.paper.tables.registry import write_table_of  # it imports pandas

    spec = MakeTableSpec.model_validate(plan.spec)
    write_table_of(spec, planner.run_folder, plan.inputs, output)


def _document(_: Planner, plan: Plan, output: Path) -> None:
    from cactus.files import write_text
    from cactus.paper.latex import document

    write_text(output, document(MakeDocumentSpec.model_validate(plan.spec).tables))


def _figure(planner: Planner, plan: Plan, output: Path) -> None:
    from cactus.paper.draw.registry import draw_of  # it imports matplotlib

    draw_of(MakeFigureSpec.model_validate(plan.spec), planner.run_folder, output)


def _paper(planner: Planner, plan: Plan, output: Path) -> None:
    from cactus.manuscript.write import write_source  # it imports jinja2

    write_source(_view(planner, plan), planner.project.root, _paper_files(output.parent))


def _whole_paper(planner: Planner, plan: Plan, output: Path) -> None:
    from cactus.manuscript.latex import compile_pdf
    from cactus.manuscript.write import moment_of, write_source

    view, files = _view(planner, plan), _paper_files(output.parent)
    write_source(view, planner.project.root, files)
    # The text reads tables and figures from folders beside its own.
    compile_pdf(planner.run_folder / PAPER.files[2], files.pdf, moment_of(view))


def _paper_files(folder: Path) -> "PaperFiles":
    from cactus.manuscript.write import PaperFiles

    return PaperFiles(*(folder / Path(name).name for name in PAPER.files))


def _report(planner: Planner, plan: Plan, output: Path) -> None:
    from cactus.report.page import write_page

    page, number_map = (output.with_name(Path(name).name) for name in REPORT.files)
    write_page(_view(planner, plan), planner.project.root, page, number_map)


def _view(planner: Planner, plan: Plan) -> "RunView":
    from cactus.report.finished import finished_view

    spec = RunTextSpec.model_validate(plan.spec)
    return finished_view(planner, spec.decimals, spec.titles)


_MAKERS: Final[dict[str, _Maker]] = {
    AGGREGATE_RESULTS.name: _results,
    MAKE_TABLE.name: _table,
    MAKE_DOCUMENT.name: _document,
    MAKE_PAPER.name: _paper,
}
_SLOW_MAKERS: Final[dict[str, _Maker]] = {
    MAKE_FIGURE.name: _figure,
    MAKE_REPORT.name: _report,
    MAKE_PAPER.name: _whole_paper,
}


def _differences(path: Path, folder: Path, file: str, job: Job) -> Iterator[Finding]:
    """Yield a finding if a file is not as its job makes it; say where they differ first."""
    made = folder / path.name
    if not made.exists():
        return  # a paper's PDF takes longer
    try:
        found = read_bytes(path)
    except (OSError, ValueError):
        return  # reported by the check of the results
    right = made.read_bytes()
    if file == REPORT.files[0]:  # logs may be removed
        found, right = (_LOG_LINK.sub(b"", page) for page in (found, right))
    if found != right:
        yield Finding("text differs", file, _first_difference(found, right), job)


def _first_difference(found: bytes, right: bytes) -> str:
    if b"\0" in found + right:
        return "it is not what its job draws"
    lines = [text.decode(errors="replace").splitlines() for text in (found, right)]
    for number, (got, wanted) in enumerate(zip(*lines, strict=False), start=1):
        if got != wanted:
            at = next((n for n, pair in enumerate(zip(got, wanted)) if len({*pair}) > 1), 0)  # noqa: B905
            start = max(at - 20, 0)
            shown, expected = (one[start : start + _LONGEST] for one in (got, wanted))
            return f"line {number}: {shown!r}, but its job writes {expected!r}"
    return f"{len(lines[0])} lines, but its job writes {len(lines[1])}"
