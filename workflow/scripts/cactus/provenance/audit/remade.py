"""Checks that what follows from the results of other jobs within seconds can be made anew.

The other checks recompute numbers with code of their own. This one runs the code of the jobs again,
and compares every byte: it finds an edit of what is no number, such as a label, a note or a row.
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from cactus.errors import CactusError
from cactus.provenance.audit.findings import Finding, FindingKind, audited
from cactus.provenance.audit.reading.paper_numbers import PAPER_NUMBERS_FILE
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

_CONTENT: Final[frozenset[FindingKind]] = frozenset(
    {"number differs", "text differs", "seed missing", "results damaged", "map damaged"}
)
_LONGEST: Final = 80


def check_remade(planner: Planner, known: Iterable[Finding], *, figures: bool) -> Iterator[Finding]:
    """Yield the tables and files of numbers that their jobs would not make like this.

    A job that is stale is left out, because its code or its inputs have changed: that is a finding
    of its own.

    Parameters
    ----------
    known
        Findings so far. A job is left out if one is about what its files say.
    figures
        Whether to draw the figures again, too, each of which takes about a second.
    """
    found = {one.job for one in known if one.kind in _CONTENT}
    for one in audited(planner):
        make = _MAKERS.get(one.job.stage)
        if make is None or one.stale or one.job in found:
            continue
        if one.job.stage == MAKE_FIGURE.name and not figures:
            continue
        with tempfile.TemporaryDirectory(prefix="cactus-audit-") as folder:
            try:
                make(planner, one.plan, Path(folder, Path(one.job.files[0]).name))
            except CactusError as error:
                got = f"cannot be made anew: {error.got}"
                yield Finding("text differs", one.job.files[0], got, one.job)
                continue
            for file in one.job.files:
                yield from _differences(planner.run_folder / file, Path(folder), file, one.job)


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
    from cactus.paper.figures.registry import draw_of  # it imports matplotlib

    draw_of(MakeFigureSpec.model_validate(plan.spec), planner.run_folder, output)


_MAKERS: Final[dict[str, Callable[[Planner, Plan, Path], None]]] = {
    AGGREGATE_RESULTS.name: _results,
    MAKE_TABLE.name: _table,
    MAKE_DOCUMENT.name: _document,
    MAKE_FIGURE.name: _figure,
}


def _differences(path: Path, folder: Path, file: str, job: Job) -> Iterator[Finding]:
    """Yield a finding if a file is not as its job makes it; say where they differ first."""
    try:
        found = path.read_bytes()
    except OSError:
        return  # reported by the check of the results
    right = (folder / path.name).read_bytes()
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
