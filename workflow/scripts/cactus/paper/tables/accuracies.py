"""The paper's accuracies and ours side by side."""

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from cactus.paper import latex
from cactus.paper.cells import our_cell, paper_cell, seed_spread_cell
from cactus.paper.paired import PAIRED_FILE, read_paired
from cactus.paper.results import rows_of_tables
from cactus.paper.tables.best import separation
from cactus.paper.tables.notes import caption, custom_notes, margin_notes, table_notes
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
from cactus.paper.vocabulary import is_oracle


def render(inputs: TableInputs) -> Table:
    """Return the table of one data set's accuracies.

    Rows that use no labels come first; the oracles follow below a rule. In each setting, the
    highest mean among the former is in bold, and so is each that is not separated from it. The
    paper's numbers stand beside ours in the settings in which it has any. With several training
    seeds, a column has their spread.
    """
    averaged, decimals = rows_of_tables(inputs.results), inputs.decimals
    rows = table_rows(averaged)
    columns = _columns(rows)
    compared = any("paper" in sides for sides in columns.values())
    is_best = _best_rows(rows, read_paired(inputs.folder / PAIRED_FILE))

    def cells(row: TableRow, setting: Setting) -> Cells:
        result = row.result(setting)
        yield "paper", paper_cell(result, decimals)
        yield "ours", our_cell(result, decimals, bold=is_best(row, setting))
        yield "seed spread", seed_spread_cell(result, decimals)

    entries: list[dict[str, Any]] = []
    text = latex.table(
        labels=2,
        head=head(columns),
        body=list(body(rows, columns, cells, inputs, entries)),
        caption=caption(averaged, inputs.titles, compared=compared),
        label=inputs.label,
        notes=[
            *unpublished_notes(averaged, inputs.titles),
            *table_notes(inputs.results, entries, inputs.schedule, inputs.titles),
            *custom_notes(inputs.custom, inputs.titles),
            *margin_notes(inputs.hyperplanes, inputs.titles),
        ],
    )
    return text, entries


def _columns(rows: Sequence[TableRow]) -> Columns:
    """Return the columns of each setting: without the paper's if it has no number there."""
    several = any(
        one["seed_std"] == one["seed_std"] for row in rows for one in row.results.values()
    )
    columns: dict[Setting, list[str]] = {}
    for setting in settings_of(rows):
        found = [row.results[setting] for row in rows if setting in row.results]
        published = any(one["paper_mean"] == one["paper_mean"] for one in found)
        columns[setting] = [
            *(["paper"] if published else []),
            "ours",
            *(["seed spread"] if several else []),
        ]
    return columns


def _best_rows(
    rows: Sequence[TableRow], paired: pd.DataFrame
) -> Callable[[TableRow, Setting], bool]:
    """Return a function that says whether a row is in bold: it is not worse than the best.

    The best has the highest mean of a setting among the rows that use no labels; see
    `cactus.paper.tables.best.separation`.
    """
    best: dict[Setting, dict[str, Any]] = {}
    for row in rows:
        for setting, result in row.results.items():
            if not is_oracle(row.method) and (
                setting not in best or result["mean"] > best[setting]["mean"]
            ):
                best[setting] = result
    separated = separation(paired)

    def is_best(row: TableRow, setting: Setting) -> bool:
        return not is_oracle(row.method) and not separated(row.result(setting), best[setting])

    return is_best
