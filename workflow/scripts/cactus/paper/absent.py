"""Which of our cells the paper has no number for, and why."""

from typing import Final

import pandas as pd

from cactus.config.printed.titles import Titles

NOT_AT_HAND: Final = "not at hand"
NOT_RUN: Final = "not in the paper"
ALONE: Final = ("scratch", "labels")  # sources whose methods name them


def cell_name(source: str, method: str, titles: Titles) -> str:
    """Return the name of a row of results; that of a method alone where it says the source."""
    return titles.method(method) if source in ALONE else titles.pair(source, method)


def reasons(rows: pd.DataFrame) -> dict[tuple[str, str], str]:
    """Return why the paper has no number for a cell of a data set in any setting.

    A cell whose numbers are missing for both reasons counts as one that the paper ran.

    Returns
    -------
    dict
        The verdict `NOT_AT_HAND` or `NOT_RUN` by source and method; empty if the cell has a number.
    """
    found = {}
    for (source, method), cells in rows.groupby(["source", "method"], sort=False):
        why = NOT_AT_HAND if NOT_AT_HAND in set(cells["verdict"]) else NOT_RUN
        found[str(source), str(method)] = "" if cells["difference"].notna().any() else why
    return found


def absent_cells(rows: pd.DataFrame, reason: str, titles: Titles) -> list[str]:
    """Return the names of a data set's cells without a number of the paper, for one reason.

    A source is named alone if all its cells are meant.
    """
    why = reasons(rows)
    names = []
    for (source, method), found in why.items():
        if found == reason:
            whole = {one for (name, _), one in why.items() if name == source} == {reason}
            alone = whole and source not in ALONE
            names.append(titles.source(source) if alone else cell_name(source, method, titles))
    return list(dict.fromkeys(names))
