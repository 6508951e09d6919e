"""How each of our numbers stands to the paper's: the difference, its interval, the verdict."""

from typing import Any

from cactus.paper import latex
from cactus.paper.cells import difference_cell, seed_spread_cell, verdict_cell
from cactus.paper.results import rows_of_tables
from cactus.paper.tables.notes import verdict_caption, verdict_notes
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


def render(inputs: TableInputs) -> Table:
    """Return the table of one data set's verdicts, with the spread over seeds if it has several."""
    averaged = rows_of_tables(inputs.results)
    rows = table_rows(averaged)
    settings = settings_of(rows)
    several = bool(averaged["seed_std"].notna().any())

    def cells(row: TableRow, setting: Setting) -> Cells:
        result = row.result(setting)
        yield "difference", difference_cell(result, inputs.decimals)
        yield "verdict", verdict_cell(result)
        if several:
            yield "seed spread", seed_spread_cell(result, inputs.decimals)

    titles = ("ours $-$ paper", "verdict", *(["seeds"] if several else []))
    entries: list[dict[str, Any]] = []
    text = latex.table(
        labels=2,
        head=head(settings, titles),
        body=list(body(rows, settings, cells, inputs, entries)),
        caption=verdict_caption(averaged, inputs.titles),
        label=inputs.label,
        notes=verdict_notes(averaged, entries, inputs.schedule, inputs.titles),
    )
    return text, entries
