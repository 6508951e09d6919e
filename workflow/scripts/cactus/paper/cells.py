"""Numbers as tables print them, and where each comes from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from cactus.paper.published import CELL_KEYS
from cactus.paper.vocabulary import dataset_title, method_title, setting_title, source_title

NOT_RUN: Final = r"$\dagger$"
UNAVAILABLE: Final = r"$\ddagger$"
INTERVAL_RECALLED: Final = "a"
MEAN_RECALLED: Final = "b"
_KEYS: Final = ["run", *CELL_KEYS, "seed"]
_QUALITY_KEYS: Final = ["run", "dataset", "source", "learner", "seed", "measure"]


@dataclass(frozen=True)
class TableCell:
    """One printed number.

    Attributes
    ----------
    latex
        The text between two ``&``.
    printed
        The number as a reader sees it, e.g. ``68.84 ± 0.80``; empty if the cell has none.
    mark
        The footnote mark of the cell, or an empty string.
    """

    latex: str
    printed: str = ""
    mark: str = ""


def percent(fraction: float, decimals: int) -> str:
    """Return a fraction as a percentage with a fixed number of decimals."""
    return f"{100 * fraction:.{decimals}f}"


def our_cell(row: Mapping[str, Any], decimals: int, *, bold: bool) -> TableCell:
    """Return our mean and half the interval, with the mean in bold if it is the best."""
    mean, half = percent(row["mean"], decimals), percent(row["ci95"], decimals)
    shown = rf"\textbf{{{mean}}}" if bold else mean
    return TableCell(rf"{shown}\,$\pm$\,{half}", f"{mean} ± {half}")


def paper_cell(row: Mapping[str, Any], decimals: int) -> TableCell:
    """Return the paper's number, marked if it is recalled, or a mark for why there is none."""
    if not row["in_paper"] or row["paper_status"] == "unavailable":
        mark = UNAVAILABLE if row["in_paper"] else NOT_RUN
        return TableCell(rf"\multicolumn{{1}}{{c}}{{{mark}}}", mark=mark)
    mean = percent(row["paper_mean"], decimals)
    mark = _recalled_mark(row)
    # The mark has no width, so that the digits of a column stay aligned.
    raised = rf"\rlap{{$^{{\mathrm{{{mark}}}}}$}}" if mark else ""
    if row["paper_ci95"] != row["paper_ci95"]:
        space = rf"\,$\pm$\,{percent(0.0, decimals)}"
        return TableCell(rf"{mean}{raised}\phantom{{{space}}}", mean, mark)
    half = percent(row["paper_ci95"], decimals)
    return TableCell(rf"{mean}\,$\pm$\,{half}{raised}", f"{mean} ± {half}", mark)


def _recalled_mark(row: Mapping[str, Any]) -> str:
    if row["paper_status"] == "recalled":
        return MEAN_RECALLED
    return INTERVAL_RECALLED if row["paper_ci95_status"] == "recalled" else ""


def map_entry(
    cell: TableCell, row: Mapping[str, Any], side: str, position: tuple[str, str], decimals: int
) -> dict[str, Any]:
    """Return the entry of the map that leads from a printed number to its row of the results.

    Parameters
    ----------
    side
        ``ours`` or ``paper``.
    position
        Titles of the table's row and column.
    """
    columns = ["mean", "ci95"] if side == "ours" else ["paper_mean", "paper_ci95"]
    return {
        "row": position[0],
        "column": f"{position[1]}, {side}",
        "printed": cell.printed,
        "mark": cell.mark,
        "columns": columns[: cell.printed.count("±") + 1],
        "scale": 100,
        "decimals": decimals,
        "results_row": {key: row[key] for key in _KEYS},
    }


def quality_entry(
    row: Mapping[str, Any],
    position: tuple[str, str],
    columns: Sequence[str],
    scale: int,
    decimals: int,
) -> dict[str, Any]:
    """Return the map entry of a number from a row of the table of the partitions' quality.

    Parameters
    ----------
    row
        See `cactus.paper.partition_quality.read_quality_table`.
    position
        Titles of the printed number's row and column.
    columns
        The row's columns that are printed, the mean before its interval.
    scale, decimals
        Factor to the printed unit, and decimals.
    """
    printed = (f"{scale * row[name]:z.{decimals}f}" for name in columns)
    return {
        "row": position[0],
        "column": f"{position[1]}, ours",
        "printed": " ± ".join(printed),
        "mark": "",
        "columns": list(columns),
        "scale": scale,
        "decimals": decimals,
        "results_row": {key: row[key] for key in _QUALITY_KEYS},
    }


def drawn_entries(results: pd.DataFrame, decimals: int, *, interval: bool) -> list[dict[str, Any]]:
    """Return the map entries of our numbers in a figure, one per row of the results.

    Parameters
    ----------
    decimals
        Decimals to which a number can be read from the figure.
    interval
        Whether the figure also shows the intervals.
    """
    entries = []
    for values in results.to_dict("records"):
        row = {str(key): value for key, value in values.items()}
        full = our_cell(row, decimals, bold=False)
        cell = full if interval else TableCell("", percent(row["mean"], decimals))
        names = dataset_title(row["dataset"]), source_title(row["source"])
        title = ", ".join([*names, method_title(row["method"])])
        position = (title, setting_title(row["way"], row["shot"]))
        entries.append(map_entry(cell, row, "ours", position, decimals))
    return entries
