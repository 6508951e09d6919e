"""The paper's accuracies and ours side by side."""

from collections.abc import Sequence
from typing import Any

from cactus.paper import latex
from cactus.paper.cells import our_cell, paper_cell, percent
from cactus.paper.notes import caption, custom_notes, margin_notes, table_notes
from cactus.paper.results import rows_of_tables
from cactus.paper.tables.rows import (
    Cells,
    Setting,
    Table,
    TableInputs,
    TableRow,
    body,
    head,
    settings_of,
    table_rows,
)
from cactus.paper.vocabulary import is_oracle


def render(inputs: TableInputs) -> Table:
    """Return the table of one data set's accuracies.

    Rows that use no labels come first; the oracles follow below a rule. In each setting, the
    highest mean among the former is in bold, and so are means with the same printed digits.
    """
    averaged, decimals = rows_of_tables(inputs.results), inputs.decimals
    rows = table_rows(averaged)
    settings = settings_of(rows)
    best = _best_means(rows, decimals)

    def cells(row: TableRow, setting: Setting) -> Cells:
        result = row.result(setting)
        bold = not is_oracle(row.method) and percent(result["mean"], decimals) == best[setting]
        yield "paper", paper_cell(result, decimals)
        yield "ours", our_cell(result, decimals, bold=bold)

    entries: list[dict[str, Any]] = []
    text = latex.table(
        columns="ll" + "rr" * len(settings),
        head=head(settings, ("paper", "ours")),
        body=list(body(rows, settings, cells, decimals, entries)),
        caption=caption(averaged, inputs.titles),
        label=inputs.label,
        notes=[
            *table_notes(inputs.results, entries, inputs.schedule),
            *custom_notes(inputs.custom),
            *margin_notes(inputs.hyperplanes),
        ],
    )
    return text, entries


def _best_means(rows: Sequence[TableRow], decimals: int) -> dict[Setting, str]:
    """Return each setting's highest mean, as printed, among the rows that use no labels."""
    best: dict[Setting, float] = {}
    for row in rows:
        for setting, result in row.results.items():
            if not is_oracle(row.method):
                best[setting] = max(best.get(setting, 0.0), result["mean"])
    return {setting: percent(mean, decimals) for setting, mean in best.items()}
