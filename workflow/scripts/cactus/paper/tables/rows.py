"""The rows of a table with one method per row and one setting per group of columns."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from cactus.config.printed.titles import UNTITLED, Titles
from cactus.config.sections.source import Source
from cactus.errors import DataError
from cactus.paper import latex
from cactus.paper.cells import TableCell, map_entry
from cactus.paper.vocabulary import is_oracle, row_source, setting_title

Setting = tuple[int, int]
Columns = Mapping[Setting, Sequence[str]]  # what those of a setting show, see `COLUMNS_OF`
Table = tuple[str, list[dict[str, Any]]]  # the LaTeX text, and the map entries of its numbers
_TITLES: Final = {"difference": "ours $-$ paper", "seed spread": "seeds"}


@dataclass(frozen=True)
class TableInputs:
    """What a table shows.

    Attributes
    ----------
    results
        The results of the table's data set, or of the whole run, see
        `cactus.paper.results.read_results`.
    folder
        The folder of the run's tables, with the other files of numbers.
    decimals
        Decimals of the percentages.
    label
        Label for references.
    schedule
        What is not the default in the trainings: name, what, value and default.
    hyperplanes
        Summaries of partitions by hyperplanes; a note names margins that could not be met.
    custom
        The custom learners, and whether each is transductive.
    titles
        Titles of what the study adds.
    """

    results: pd.DataFrame
    folder: Path
    decimals: int
    label: str
    schedule: Sequence[tuple[str, str, int | float | str, int | float | str]] = ()
    hyperplanes: Sequence[Path] = ()
    custom: Sequence[tuple[str, bool]] = ()
    titles: Titles = UNTITLED


@dataclass(frozen=True)
class TableRow:
    """One method on one task source, with its results by (way, shot).

    For random assignment, a model that was trained on tasks of the setting's way replaces others.
    """

    source: str  # see `cactus.paper.vocabulary.row_source`
    method: str
    results: dict[Setting, dict[str, Any]]

    def is_blank(self, setting: Setting) -> bool:
        """Return whether the models of other ways alone explain that a setting has no result."""
        ways = [Source.parse(one["source"]).way for one in self.results.values()]
        return setting not in self.results and None not in ways

    def result(self, setting: Setting) -> dict[str, Any]:
        """Return the result of a setting.

        Raises
        ------
        DataError
            There is none.
        """
        if setting not in self.results:
            raise DataError(
                "A method has no result for a setting.",
                where=f"{self.source}, {self.method}",
                got=f"no result for {setting_title(*setting)}",
                fix="complete its evaluation, then aggregate again",
            )
        return self.results[setting]


Cells = Iterable[tuple[str, TableCell]]  # each with what it is, see `cactus.paper.cells.COLUMNS_OF`


def table_rows(averaged: pd.DataFrame) -> list[TableRow]:
    """Group the results, see `cactus.paper.results.rows_of_tables`, into rows."""
    found: dict[tuple[str, str], dict[Setting, dict[str, Any]]] = defaultdict(dict)
    for record in averaged.to_dict("records"):
        row = {str(key): value for key, value in record.items()}
        found[row_source(row["source"]), row["method"]][row["way"], row["shot"]] = row
    return [TableRow(source, method, results) for (source, method), results in found.items()]


def settings_of(rows: Sequence[TableRow]) -> list[Setting]:
    """Return all settings, in print order."""
    return sorted({setting for row in rows for setting in row.results})


def head(columns: Columns) -> list[str]:
    """Return the lines above the middle rule: each setting spans its columns.

    If each has a single one, the setting alone is its title.
    """
    first, above, rules = 3, [], []
    for setting, sides in columns.items():
        above.append(rf"\multicolumn{{{len(sides)}}}{{c}}{{{setting_title(*setting)}}}")
        rules.append(rf"\cmidrule(lr){{{first}-{first + len(sides) - 1}}}")
        first += len(sides)
    if {*map(len, columns.values())} == {1}:
        return [rf"Embedding & Method & {' & '.join(above)} \\"]
    below = (
        rf"\multicolumn{{1}}{{c}}{{{_TITLES.get(side, side)}}}"
        for sides in columns.values()
        for side in sides
    )
    return [
        rf" & & {' & '.join(above)} \\",
        " ".join(rules),
        rf"Embedding & Method & {' & '.join(below)} \\",
    ]


def body(
    rows: Sequence[TableRow],
    columns: Columns,
    cells_of: Callable[[TableRow, Setting], Cells],
    inputs: TableInputs,
    entries: list[dict[str, Any]],
) -> Iterator[str]:
    """Yield the lines below the middle rule; append each number's map entry to `entries`.

    Of the cells of a row in a setting, those of the setting's columns are shown.
    """
    previous: TableRow | None = None
    titles = inputs.titles
    for row in rows:
        new_source = previous is None or row.source != previous.source
        if previous is not None and new_source:
            first_oracle = is_oracle(row.method) and not is_oracle(previous.method)
            yield r"\midrule" if first_oracle else r"\addlinespace"
        names = [titles.source(row.source) if new_source else "", titles.method(row.method)]
        texts = [latex.escape(name) for name in names]
        for setting, sides in columns.items():
            if row.is_blank(setting):
                texts += ["{}"] * len(sides)
                continue
            position = titles.pair(row.source, row.method), setting_title(*setting)
            result = row.result(setting)
            shown = {side: cell for side, cell in cells_of(row, setting) if side in sides}
            for side, cell in shown.items():
                entries.append(map_entry(cell, result, side, position, inputs.decimals))
                texts.append(cell.latex)
        yield " & ".join(texts) + r" \\"
        previous = row
