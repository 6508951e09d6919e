"""The summary of a run: the grid's median next to training from scratch and the oracle."""

import math

import pandas as pd

from cactus.config.printed.titles import UNTITLED, Titles
from cactus.paper.results import averaged_over_seeds, caveat, rows_of_tables
from cactus.paper.verdicts import verdict_counts
from cactus.paper.vocabulary import is_embedding, is_oracle, setting_title

_CACTUS = "cactus-"
_COLUMNS = [
    *("data set", "setting", "cells", "median", "lowest", "highest", "scratch", "oracle"),
    "best cell",
]


def summarize(results: pd.DataFrame, titles: Titles = UNTITLED) -> pd.DataFrame:
    """Return one row per data set and setting, with accuracies in percent.

    Parameters
    ----------
    results
        The table of results, see `cactus.paper.results.read_results`.
    titles
        Those of what the study adds.

    Returns
    -------
    DataFrame
        ``median``, ``lowest`` and ``highest`` are over the CACTUs cells, each averaged over its
        seeds; ``cells`` is their number, and ``best cell`` names the highest. ``oracle`` is the
        best meta-learner on true labels. NaN where the run has no such cell.
    """
    groups = averaged_over_seeds(results).groupby(["dataset", "way", "shot"], sort=False)
    rows = []
    for _, chosen in groups:
        first = chosen.iloc[0]
        title = (
            titles.dataset(first["dataset"]),
            setting_title(first["way"], first["shot"]),
        )
        rows.append([*title, *_summary(chosen), _best(chosen, titles)])
    return pd.DataFrame(rows, columns=_COLUMNS)


def _summary(rows: pd.DataFrame) -> list[float]:
    percent = 100 * rows["mean"]
    cells = 100 * _learned(rows)["mean"]
    scratch = percent[rows["method"] == "scratch"]
    oracle = percent[rows["method"].map(is_oracle)]
    cactus = [cells.median(), cells.min(), cells.max()]
    return [len(cells), *cactus, scratch.mean(), oracle.max()]


def _learned(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["method"].str.startswith(_CACTUS) & rows["source"].map(is_embedding)]


def _best(rows: pd.DataFrame, titles: Titles) -> str | float:
    cells = _learned(rows)
    if cells.empty:
        return math.nan
    best = cells.nlargest(1, "mean").iloc[0]
    return titles.pair(best["source"], best["method"])


def format_summary(results: pd.DataFrame, titles: Titles = UNTITLED) -> str:
    """Return the summary as aligned text, with a heading, and a line that counts the verdicts."""
    note = f" ({caveat(results)})" if caveat(results) else ""
    table = summarize(results, titles).to_string(
        index=False, float_format="{:.1f}".format, na_rep="-"
    )
    verdicts = verdict_counts(rows_of_tables(results))
    return f"Accuracy of the CACTUs cells in percent{note}\n{table}\nAgainst the paper: {verdicts}"
