"""The paired tests, and the quality of the partitions."""

from itertools import groupby
from typing import Any, NamedTuple

from markupsafe import Markup

from cactus.paper.cells import paired_cell, paired_entry
from cactus.paper.paired import competitor, competitors, in_parts
from cactus.paper.results import averaged_over_seeds
from cactus.paper.tables.partition_quality import COLUMNS, quality_cells
from cactus.paper.vocabulary import method_rank, setting_title, source_rank
from cactus.report.view import Numbers, RunView, rows_of


class PlainTable(NamedTuple):
    """A table of numbers: its name, the titles of its columns, and its rows, whose cells are HTML.

    A row starts with the number of its leading titles.
    """

    title: str
    columns: list[str]
    rows: list[tuple[list[str], list[Markup]]]


def paired_tables(view: RunView, numbers: Numbers) -> list[PlainTable]:
    """Return the tables of each data set with a pair of methods: CACTUs cells minus others."""
    tables = []
    for dataset in dict.fromkeys(view.results["dataset"]):
        paired = view.paired[view.paired["dataset"] == dataset]
        for part, found in in_parts(paired):
            columns = competitors(found)
            rows = sorted(
                rows_of(found),
                key=lambda row: (source_rank(row["source"]), method_rank(row["method"])),
            )
            groups = (list(group) for _, group in groupby(rows, _line))
            lines = [_tested(view, numbers, columns, group) for group in groups]
            name = ", ".join(filter(None, (view.titles.dataset(str(dataset)), part)))
            tables.append(PlainTable(name, list(map(view.titles.method, columns)), lines))
    return tables


def _line(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["source"], row["method"], row["way"], row["shot"]


def _tested(
    view: RunView, numbers: Numbers, columns: list[str], rows: list[dict[str, Any]]
) -> tuple[list[str], list[Markup]]:
    """Return a row: one CACTUs cell in one setting, minus each of its competitors."""
    first, others = rows[0], {competitor(row): row for row in rows}
    setting = setting_title(first["way"], first["shot"])
    title = view.row_title(first["dataset"], first["source"], first["method"])
    cells = []
    for name in columns:
        if name in others:
            place = title, f"{setting}, minus {view.titles.method(name)}"
            cell = paired_cell(others[name], view.decimals)
            cells.append(numbers.show(paired_entry(cell, others[name], place, view.decimals)))
        else:
            cells.append(Markup(""))
    return [view.titles.pair(first["source"], first["method"]), setting], cells


def quality_tables(view: RunView, numbers: Numbers) -> list[PlainTable]:
    """Return one table for each data set whose partitions are compared with true classes."""
    averaged = rows_of(averaged_over_seeds(view.quality))
    tables = []
    for dataset, rows in groupby(averaged, lambda row: row["dataset"]):
        lines = []
        for (source, learner), group in groupby(rows, lambda row: (row["source"], row["learner"])):
            names = [view.titles.source(source), view.titles.learner(learner)]
            title = f"{view.titles.dataset(dataset)}: {', '.join(names)}, partitions"
            by_measure = {row["measure"]: row for row in group}
            entries = quality_cells(by_measure, title, view.decimals)
            lines.append((names, [numbers.show(entry) for entry in entries]))
        titles = [f"{one.group} {one.title}".strip() for one in COLUMNS]
        tables.append(PlainTable(view.titles.dataset(dataset), titles, lines))
    return tables
