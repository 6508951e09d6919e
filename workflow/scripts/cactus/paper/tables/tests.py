"""Each CACTUs cell against the methods that it competes with, on the same episodes."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import pandas as pd

from cactus.paper import latex
from cactus.paper.cells import NONE, TableCell, paired_cell, paired_entry
from cactus.paper.paired import PAIRED_FILE, competitor, competitors, in_parts, read_paired
from cactus.paper.results import averaged_over_seeds
from cactus.paper.tables.notes import paired_caption, paired_notes
from cactus.paper.tables.rows import Table, TableInputs
from cactus.paper.vocabulary import method_rank, setting_title, source_rank

_EMPTY = TableCell(NONE)


def render(inputs: TableInputs) -> Table:
    """Return the table of one data set's paired tests: a row per CACTUs cell and setting.

    Those on embeddings and all others are two floats, if there are both.
    """
    results = averaged_over_seeds(inputs.results)
    paired = read_paired(inputs.folder / PAIRED_FILE)
    paired = paired[paired["dataset"] == results.iloc[0]["dataset"]]
    entries: list[dict[str, Any]] = []
    texts: list[str] = []
    for part, rows in in_parts(paired) or [("", paired)]:
        columns = competitors(rows)
        names = (latex.escape(inputs.titles.method(name)) for name in columns)
        titles = " & ".join(rf"\multicolumn{{1}}{{c}}{{{name}}}" for name in names)
        lines = list(_body(rows, columns, inputs, entries))
        text = latex.table(
            labels=2,
            head=[rf"CACTUs cell & Setting & {titles} \\"] if columns else [],
            body=lines or [r"\multicolumn{2}{l}{There is no pair of methods to compare.} \\"],
            caption=paired_caption(results, inputs.titles, part),
            label=f"{inputs.label}-ablations" if texts else inputs.label,
            notes=paired_notes(paired, rows) if columns else [],
        )
        texts.append(text)
    return "\n".join(texts), entries


def _body(
    paired: pd.DataFrame, columns: list[str], inputs: TableInputs, entries: list[dict[str, Any]]
) -> Iterator[str]:
    """Yield the rows; append the map entry of each cell to `entries`."""
    records = [{str(key): row[key] for key in row} for row in paired.to_dict("records")]
    records.sort(key=lambda row: (source_rank(row["source"]), method_rank(row["method"])))
    previous, titles, decimals = "", inputs.titles, inputs.decimals
    for (source, method, *setting), group in groupby(records, _line):
        title = titles.pair(source, method)
        if previous not in ("", title):
            yield r"\addlinespace"
        found = {competitor(row): row for row in group}
        texts = [latex.escape(title if title != previous else ""), setting_title(*setting)]
        for name in columns:
            cell = paired_cell(found[name], decimals) if name in found else _EMPTY
            row = found.get(name) or next(iter(found.values()))
            place = title, f"{setting_title(*setting)}, minus {titles.method(name)}"
            entries.append(paired_entry(cell, row, place, decimals))
            texts.append(cell.latex)
        previous = title
        yield " & ".join(texts) + r" \\"


def _line(row: dict[str, Any]) -> tuple[str, str, int, int]:
    """Return what a line of the table shows: the CACTUs cell, and the setting."""
    return row["source"], row["method"], row["way"], row["shot"]
