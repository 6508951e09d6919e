"""Numbers as tables print them, and where each comes from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from cactus.config.printed.titles import Titles
from cactus.paper.paired import LEVEL
from cactus.paper.published import CELL_KEYS
from cactus.paper.results import ALL_SEEDS
from cactus.paper.vocabulary import setting_title

NOT_RUN: Final = r"$\dagger$"
UNAVAILABLE: Final = r"$\ddagger$"
INTERVAL_RECALLED: Final = "a"
MEAN_RECALLED: Final = "b"
NO_INTERVAL: Final = "c"
SIGNIFICANT: Final = " *"
_STAR: Final = r" {\rlap{$^{*}$}}"
# What a printed number is, and the columns of the results that it shows.
COLUMNS_OF: Final = {
    "ours": ["mean", "ci95"],
    "paper": ["paper_mean", "paper_ci95"],
    "difference": ["difference", "difference_ci95"],
    "verdict": ["verdict"],
    "seed spread": ["seed_std"],
}
_BOLD: Final = r"\bfseries "
_KEYS: Final = ["run", *CELL_KEYS, "seed"]
NONE: Final = "{--}"  # braces: text in a column of numbers
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


def shown_value(value: float) -> float:
    """Drop the digits that depend on the order of a sum: 36.85 must round in one way."""
    return round(value, 9)


def percent(fraction: float, decimals: int) -> str:
    """Return a fraction as a percentage with a fixed number of decimals."""
    return f"{shown_value(100 * fraction):.{decimals}f}"


def our_cell(row: Mapping[str, Any], decimals: int, *, bold: bool) -> TableCell:
    """Return our mean and half the interval, in bold if no other row is better."""
    mean, half = percent(row["mean"], decimals), percent(row["ci95"], decimals)
    return TableCell(rf"{_BOLD if bold else ''}{mean} \pm {half}", f"{mean} ± {half}")


def paper_cell(row: Mapping[str, Any], decimals: int) -> TableCell:
    """Return the paper's number, marked if it is recalled, or a mark for why there is none."""
    if not row["in_paper"] or row["paper_status"] == "unavailable":
        mark = UNAVAILABLE if row["in_paper"] else NOT_RUN
        return TableCell(f"{{{mark}}}", mark=mark)
    mean = percent(row["paper_mean"], decimals)
    mark = _recalled_mark(row)
    raised = _raised(mark)
    if row["paper_ci95"] != row["paper_ci95"]:
        return TableCell(f"{mean}{raised}", mean, mark)
    half = percent(row["paper_ci95"], decimals)
    return TableCell(rf"{mean} \pm {half}{raised}", f"{mean} ± {half}", mark)


def difference_cell(row: Mapping[str, Any], decimals: int) -> TableCell:
    """Return ours minus the paper's and half the interval, marked as `paper_cell` is."""
    if row["difference"] != row["difference"]:
        return TableCell(NONE)
    mean, half = signed(row["difference"], decimals), percent(row["difference_ci95"], decimals)
    mark = _recalled_mark(row)
    if row["paper_ci95"] != row["paper_ci95"] and not mark:
        mark = NO_INTERVAL
    return TableCell(rf"{mean} \pm {half}{_raised(mark)}", f"{mean} ± {half}", mark)


def verdict_cell(row: Mapping[str, Any]) -> TableCell:
    """Return the verdict."""
    return TableCell(row["verdict"], row["verdict"])


def seed_spread_cell(row: Mapping[str, Any], decimals: int) -> TableCell:
    """Return the standard deviation over training seeds, if there are several."""
    if row["seed_std"] != row["seed_std"]:
        return TableCell(NONE)
    spread = percent(row["seed_std"], decimals)
    return TableCell(spread, spread)


def paired_cell(row: Mapping[str, Any], decimals: int) -> TableCell:
    """Return a paired difference and half its interval, with a star if it is significant."""
    mean, half = signed(row["difference"], decimals), percent(row["ci95"], decimals)
    raised, star = (_STAR, SIGNIFICANT) if row["p_holm"] < LEVEL else ("", "")
    return TableCell(rf"{mean} \pm {half}{raised}", f"{mean} ± {half}{star}")


def signed(fraction: float, decimals: int) -> str:
    """Return a difference of fractions in percentage points, with its sign."""
    return f"{shown_value(100 * fraction):+z.{decimals}f}"


def _raised(mark: str) -> str:
    """Return a mark of no width, so that the digits of a column stay aligned."""
    return rf" {{\rlap{{$^{{\mathrm{{{mark}}}}}$}}}}" if mark else ""


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
        What the number is, a key of `COLUMNS_OF`.
    position
        Titles of the table's row and column.
    """
    return {
        "row": position[0],
        "column": f"{position[1]}, {side}",
        "printed": cell.printed,
        "mark": cell.mark,
        "columns": COLUMNS_OF[side][: cell.printed.count("±") + 1],
        "scale": 100,
        "decimals": decimals,
        "results_row": {key: row[key] for key in _KEYS},
    }


def paired_entry(
    cell: TableCell, row: Mapping[str, Any], position: tuple[str, str], decimals: int
) -> dict[str, Any]:
    """Return the map entry of a paired difference; ``against`` names the other method's row."""
    first = {key: row[key] for key in ["run", *CELL_KEYS]} | {"seed": ALL_SEEDS}
    other = {key: row[f"other_{key}"] for key in ("source", "method", "learner")}
    return {
        "row": position[0],
        "column": position[1],
        "printed": cell.printed,
        "mark": cell.mark,
        "columns": ["paired_difference", "paired_ci95"],
        "scale": 100,
        "decimals": decimals,
        "results_row": first,
        "against": first | other,
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
    printed = (f"{shown_value(scale * row[name]):z.{decimals}f}" for name in columns)
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


def confusion_entry(
    row: Mapping[str, Any], position: tuple[str, str], share: float, decimals: int
) -> dict[str, Any]:
    """Return the map entry of how often queries of a class were predicted as another.

    Parameters
    ----------
    row
        Has the keys of a row of the results, and the labels `true` and `predicted`.
    position
        Titles of the class, and of what it was predicted as.
    share
        The fraction of its queries.
    decimals
        Decimals to which the percentage can be read from the figure.
    """
    return {
        "row": position[0],
        "column": position[1],
        "printed": percent(share, decimals),
        "mark": "",
        "columns": ["share"],
        "scale": 100,
        "decimals": decimals,
        "results_row": {key: row[key] for key in (*_KEYS, "true", "predicted")},
    }


def drawn_entries(
    results: pd.DataFrame, decimals: int, titles: Titles, *, interval: bool
) -> list[dict[str, Any]]:
    """Return the map entries of our numbers in a figure, one per row of the results.

    Parameters
    ----------
    decimals
        Decimals to which a number can be read from the figure.
    titles
        Titles of what the study adds.
    interval
        Whether the figure also shows the intervals.
    """
    entries = []
    for values in results.to_dict("records"):
        row = {str(key): value for key, value in values.items()}
        full = our_cell(row, decimals, bold=False)
        cell = full if interval else TableCell("", percent(row["mean"], decimals))
        title = titles.row(row["dataset"], row["source"], row["method"])
        position = (title, setting_title(row["way"], row["shot"]))
        entries.append(map_entry(cell, row, "ours", position, decimals))
    return entries
