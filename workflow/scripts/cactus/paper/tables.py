"""LaTeX tables: the paper's numbers and ours side by side, one table per data set."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from cactus.config.sections.source import Source
from cactus.errors import DataError
from cactus.files import write_json, write_text
from cactus.paper import latex
from cactus.paper.cells import TableCell, map_entry, our_cell, paper_cell, percent
from cactus.paper.notes import caption, margin_notes, table_notes
from cactus.paper.results import averaged_over_seeds, read_results
from cactus.paper.vocabulary import is_oracle, method_title, setting_title, source_title

Setting = tuple[int, int]


@dataclass(frozen=True)
class TableRow:
    """One method on one task source, with its results by (way, shot).

    Those of a model that was trained on tasks of the setting's way replace the others.
    """

    source: str  # without way
    method: str
    results: dict[Setting, dict[str, Any]]


def write_table(
    results_file: Path,
    dataset: str,
    output: Path,
    decimals: int,
    run: str,
    hyperplanes: Sequence[Path] = (),
) -> None:
    """Write the table of a data set, and the map from its numbers to the results.

    Rows that use no labels come first; the oracles follow below a rule. In each setting, the
    highest mean among the former is in bold, and so are means with the same printed digits.

    Parameters
    ----------
    results_file
        The table of every number.
    output
        The ``.tex`` file to write; the map is written next to it, to ``<output>.map.json``.
    decimals
        Decimals of the percentages.
    run
        Name of the run, for the label ``tab:<run>-<dataset>``: a paper may show two runs.
    hyperplanes
        Summaries of partitions by hyperplanes; a note names margins that could not be met.

    Raises
    ------
    DataError
        The data set has no results, or a method lacks one of its settings.
    """
    results = read_results(results_file)
    results = results[results["dataset"] == dataset]
    if results.empty:
        raise DataError(
            "There are no results for the table.",
            where=str(results_file),
            got=f"no row of {dataset}",
            fix=f"evaluate a cell of {dataset}, or leave out its table",
        )
    margins = margin_notes(hyperplanes)
    text, entries = _render(results, f"tab:{run}-{dataset}", decimals, margins)
    write_text(output, text)
    write_json(
        output.with_name(output.name + ".map.json"),
        {"table": output.name, "results": results_file.name, "cells": entries},
    )


def _render(
    results: pd.DataFrame, label: str, decimals: int, margins: list[str]
) -> tuple[str, list[dict[str, Any]]]:
    """Return the table of one data set's results, and the map entries of its numbers."""
    averaged = averaged_over_seeds(results)
    rows = _rows(averaged)
    columns = sorted({setting for row in rows for setting in row.results})
    entries: list[dict[str, Any]] = []
    body = list(_body(rows, columns, _best_means(rows, decimals), decimals, entries))
    text = latex.table(
        columns="ll" + "r" * 2 * len(columns),
        head=_head(columns),
        body=body,
        caption=caption(averaged),
        label=label,
        notes=table_notes(results, entries) + margins,
    )
    return text, entries


def _rows(averaged: pd.DataFrame) -> list[TableRow]:
    """Group the results, which are in print order, into rows."""
    found: dict[tuple[str, str], dict[Setting, dict[str, Any]]] = defaultdict(dict)
    for record in averaged.to_dict("records"):
        row = {str(key): value for key, value in record.items()}
        source = Source.parse(row["source"]).without_way
        found[source, row["method"]][row["way"], row["shot"]] = row
    return [TableRow(source, method, results) for (source, method), results in found.items()]


def _best_means(rows: Sequence[TableRow], decimals: int) -> dict[Setting, str]:
    """Return each setting's highest mean, as printed, among the rows that use no labels."""
    best: dict[Setting, float] = {}
    for row in rows:
        for setting, result in row.results.items():
            if not is_oracle(row.method):
                best[setting] = max(best.get(setting, 0.0), result["mean"])
    return {setting: percent(mean, decimals) for setting, mean in best.items()}


def _head(columns: Sequence[Setting]) -> list[str]:
    titles = " & ".join(
        rf"\multicolumn{{2}}{{c}}{{{setting_title(*setting)}}}" for setting in columns
    )
    rules = " ".join(
        rf"\cmidrule(lr){{{first}-{first + 1}}}" for first in range(3, 3 + 2 * len(columns), 2)
    )
    sides = " & ".join([r"\multicolumn{1}{c}{paper} & \multicolumn{1}{c}{ours}"] * len(columns))
    return [rf" & & {titles} \\", rules, rf"Embedding & Method & {sides} \\"]


def _body(
    rows: Sequence[TableRow],
    columns: Sequence[Setting],
    best: dict[Setting, str],
    decimals: int,
    entries: list[dict[str, Any]],
) -> Iterator[str]:
    """Yield the lines below the middle rule; append each number's map entry to `entries`."""
    previous: TableRow | None = None
    for row in rows:
        new_source = previous is None or row.source != previous.source
        if previous is not None and new_source:
            first_oracle = is_oracle(row.method) and not is_oracle(previous.method)
            yield r"\midrule" if first_oracle else r"\addlinespace"
        names = [source_title(row.source) if new_source else "", method_title(row.method)]
        cells = [latex.escape(name) for name in names]
        for setting in columns:
            result = _result(row, setting)
            paper, ours = _cell_pair(row, result, best[setting], decimals)
            position = (f"{source_title(row.source)}, {names[1]}", setting_title(*setting))
            entries.append(map_entry(paper, result, "paper", position, decimals))
            entries.append(map_entry(ours, result, "ours", position, decimals))
            cells += [paper.latex, ours.latex]
        yield " & ".join(cells) + r" \\"
        previous = row


def _result(row: TableRow, setting: Setting) -> dict[str, Any]:
    """Return the result of a setting; without numbers where models of other ways have none."""
    if setting in row.results:
        return row.results[setting]
    other = next(iter(row.results.values()))
    if any(Source.parse(one["source"]).way is None for one in row.results.values()):
        raise DataError(
            "A method has no result for a setting.",
            where=f"{row.source}, {row.method}",
            got=f"no result for {setting_title(*setting)}",
            fix="complete its evaluation, then aggregate again",
        )
    return {**other, "way": setting[0], "shot": setting[1], "mean": None}


def _cell_pair(
    row: TableRow, result: dict[str, Any], best: str, decimals: int
) -> tuple[TableCell, TableCell]:
    if result["mean"] is None:
        blank = TableCell(r"\multicolumn{1}{c}{}")
        return blank, blank
    bold = not is_oracle(row.method) and percent(result["mean"], decimals) == best
    return paper_cell(result, decimals), our_cell(result, decimals, bold=bold)
