"""How each of our numbers stands to the paper's: the difference, its interval, the verdict."""

from collections.abc import Sequence
from typing import Any, Final

from cactus.paper import latex
from cactus.paper.cells import difference_cell, seed_spread_cell, verdict_cell
from cactus.paper.results import rows_of_tables
from cactus.paper.tables.notes import verdict_caption, verdict_notes
from cactus.paper.tables.rows import (
    Cells,
    Columns,
    Setting,
    Table,
    TableInputs,
    TableRow,
    body,
    head,
    settings_of,
    table_rows,
)
from cactus.paper.tables.unpublished import unpublished_notes

_NOTHING: Final = r"\multicolumn{2}{l}{There is no number of the paper to compare with.} \\"


def render(inputs: TableInputs) -> Table:
    """Return the table of one data set's verdicts, with the spread over seeds if it has several.

    It has the rows and the settings with at least one number of the paper; notes name the others.
    """
    averaged = rows_of_tables(inputs.results)
    rows = [row for row in table_rows(averaged) if any(map(_compared, row.results.values()))]
    columns = _columns(rows)

    def cells(row: TableRow, setting: Setting) -> Cells:
        result = row.result(setting)
        yield "difference", difference_cell(result, inputs.decimals)
        yield "verdict", verdict_cell(result)
        yield "seed spread", seed_spread_cell(result, inputs.decimals)

    entries: list[dict[str, Any]] = []
    text = latex.table(
        labels=2,
        head=head(columns) if rows else [],
        body=list(body(rows, columns, cells, inputs, entries)) or [_NOTHING],
        caption=verdict_caption(averaged, inputs.titles),
        label=inputs.label,
        notes=[
            *(verdict_notes(averaged, entries, inputs.schedule, inputs.titles) if rows else []),
            *unpublished_notes(averaged, inputs.titles, rows=True),
        ],
    )
    return text, entries


def _columns(rows: Sequence[TableRow]) -> Columns:
    """Return the columns of each setting in which a row has a number of the paper."""
    results = [one for row in rows for one in row.results.values()]
    several = any(one["seed_std"] == one["seed_std"] for one in results)
    sides = ["difference", "verdict", *(["seed spread"] if several else [])]
    shown = {(one["way"], one["shot"]) for one in results if _compared(one)}
    return {setting: sides for setting in settings_of(rows) if setting in shown}


def _compared(result: dict[str, Any]) -> bool:
    """Return whether the paper has a number to compare with."""
    return bool(result["difference"] == result["difference"])
