"""The grid: every accuracy, beside the paper's."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, Final, NamedTuple

from markupsafe import Markup

from cactus.config.sections.source import Source
from cactus.paper.cells import (
    difference_cell,
    map_entry,
    our_cell,
    paper_cell,
    seed_spread_cell,
    verdict_cell,
)
from cactus.paper.results import averaged_over_seeds, caveat
from cactus.paper.vocabulary import is_oracle, setting_title
from cactus.report.anchors import cell_anchor, embedding_anchor
from cactus.report.view import Numbers, RunView, rows_of

# What the marks of the paper's numbers mean.
MARKS: Final = {
    "a": "the paper's interval is recalled, not verified",
    "b": "the paper's mean is recalled, not verified",
    "c": "the paper has no interval: ours alone",
}


class GridCell(NamedTuple):
    """One accuracy, and what the paper has there; HTML."""

    ours: Markup
    spread: Markup
    paper: Markup
    difference: Markup
    mark: str
    verdict: Markup
    verdict_name: str
    value: float  # by which rows are sorted


class GridRow(NamedTuple):
    """One method on one task source."""

    title: str
    source: str
    method: str
    kind: str
    links: list[tuple[str, str]]  # titles and addresses in the page
    cells: list[GridCell | None]

    @property
    def verdicts(self) -> str:
        """The verdicts of its cells, for the filter."""
        found = (cell.verdict_name.replace(" ", "-") for cell in self.cells if cell)
        return " ".join(dict.fromkeys(found))


class GridTable(NamedTuple):
    """One data set."""

    name: str
    title: str
    caveat: str
    tasks: str
    settings: list[str]
    rows: list[GridRow]
    marks: dict[str, str]


def grid_tables(view: RunView, numbers: Numbers) -> list[GridTable]:
    """Return one table for each data set, in print order."""
    averaged = averaged_over_seeds(view.results)
    return [
        _table(view, numbers, dataset, list(rows), caveat(averaged[averaged["dataset"] == dataset]))
        for dataset, rows in groupby(rows_of(averaged), lambda row: str(row["dataset"]))
    ]


def _table(
    view: RunView, numbers: Numbers, dataset: str, rows: Sequence[dict[str, Any]], note: str
) -> GridTable:
    settings = sorted({(row["way"], row["shot"]) for row in rows})
    made = []
    for (source, method), group in groupby(rows, lambda row: (row["source"], row["method"])):
        found = {(row["way"], row["shot"]): row for row in group}
        learner = next(iter(found.values()))["learner"]
        cells = [_cell(view, numbers, found[one]) if one in found else None for one in settings]
        links = list(_links(view, dataset, source, learner))
        title = view.row_title(dataset, source, method)
        names = view.titles.source(source), view.titles.method(method)
        made.append(GridRow(title, *names, _kind(method, learner), links, cells))
    tasks = sorted({row["tasks"] for row in rows})
    used = {cell.mark for row in made for cell in row.cells if cell}
    return GridTable(
        dataset,
        view.titles.dataset(dataset),
        note,
        " to ".join(map(str, dict.fromkeys((tasks[0], tasks[-1])))),
        [setting_title(*one) for one in settings],
        made,
        {mark: text for mark, text in MARKS.items() if mark in used},
    )


def _kind(method: str, learner: str) -> str:
    """Return the kind of a method, by which rows are filtered."""
    if method == "scratch":
        return "From scratch"
    if not learner:
        return "Baseline"
    return "Oracle" if is_oracle(method) else "CACTUs"


def _cell(view: RunView, numbers: Numbers, row: dict[str, Any]) -> GridCell:
    """Return the HTML of one accuracy, and take its numbers."""
    title = view.row_title(row["dataset"], row["source"], row["method"])
    place = title, setting_title(row["way"], row["shot"])
    decimals = view.decimals

    def shown(side: str, cell: Any) -> Markup:
        return numbers.show(map_entry(cell, row, side, place, decimals))

    ours = shown("ours", our_cell(row, decimals, bold=False))
    spread = shown("seed spread", seed_spread_cell(row, decimals))
    difference = difference_cell(row, decimals)
    # That nothing is known of most cells would be said again and again.
    known = row["in_paper"]
    return GridCell(
        ours,
        spread,
        shown("paper", paper_cell(row, decimals)),
        shown("difference", difference),
        difference.mark,
        shown("verdict", verdict_cell(row)) if known else Markup(""),
        row["verdict"],
        float(row["mean"]),
    )


def _links(view: RunView, dataset: str, source: str, learner: str) -> Iterator[tuple[str, str]]:
    """Yield the details of a row: its cells, one per seed, or its embeddings for a baseline."""
    grid = view.reader.config.expanded_grid
    if learner:
        for cell in grid.cells:
            if (cell.dataset, cell.source, cell.learner) == (dataset, source, learner):
                yield f"seed {cell.seed}", f"#{cell_anchor(cell.name)}"
        return
    embedding = Source.parse(source).embedding
    for name, trained, seed in grid.embedding_runs:
        if (name, trained) == (dataset, embedding):
            yield f"seed {seed}", f"#{embedding_anchor(f'{name}/{trained}/s{seed}')}"
