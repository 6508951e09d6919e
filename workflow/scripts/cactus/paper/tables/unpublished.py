"""The notes of a table on what it leaves out, because the paper has no number to compare with."""

from collections import defaultdict
from typing import Final

import pandas as pd

from cactus.config.printed.titles import Titles
from cactus.paper.absent import NOT_AT_HAND, NOT_RUN, absent_cells
from cactus.paper.latex import escape
from cactus.paper.vocabulary import row_source, setting_title

_WHY: Final = {
    NOT_AT_HAND: "The paper's numbers {of} are not at hand.",
    NOT_RUN: "The paper has no numbers {of}, as far as its sources show.",
}
_ROWS: Final = {
    NOT_AT_HAND: "Left out, because the paper's numbers are not at hand: ",
    NOT_RUN: "Left out, because not run by the paper, as far as its sources show: ",
}


def unpublished_notes(averaged: pd.DataFrame, titles: Titles, *, rows: bool = False) -> list[str]:
    """Return sentences on the settings in which the paper has no number of a data set.

    Parameters
    ----------
    averaged
        See `cactus.paper.results.rows_of_tables`.
    rows
        Whether rows without any number of the paper are left out, too, and named.
    """
    missing = averaged["difference"].isna()
    if missing.all():
        return [_WHY[_reason(averaged)].format(of="for this data set")]
    settings: dict[str, list[str]] = defaultdict(list)
    for way, shot in sorted({*zip(averaged["way"], averaged["shot"], strict=True)}):
        cells = averaged[(averaged["way"] == way) & (averaged["shot"] == shot)]
        if cells["difference"].isna().all():
            settings[_reason(cells)].append(setting_title(way, shot))
    notes = [_WHY[why].format(of=f"for {', '.join(found)}") for why, found in settings.items()]
    if rows:
        named = averaged.assign(source=averaged["source"].map(row_source))
        for why, text in _ROWS.items():
            if names := absent_cells(named, why, titles):
                notes.append(f"{text}{escape('; '.join(names))}.")
    return notes


def _reason(cells: pd.DataFrame) -> str:
    return NOT_AT_HAND if NOT_AT_HAND in set(cells["verdict"]) else NOT_RUN
