"""What the text of a paper says of the accuracies: the highest of a setting, and the verdicts."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import pandas as pd

from cactus.config.printed.titles import Titles
from cactus.config.printed.words import inline, listed
from cactus.errors import counted
from cactus.manuscript.numbers import number_key
from cactus.paper.schema.values import VERDICTS
from cactus.paper.tables.best import separation
from cactus.paper.vocabulary import is_oracle, setting_title
from cactus.report.view import rows_of

# What the paper's number is called, by how sure it is.
_PUBLISHED: Final = {"verified": "published", "recalled": "published, recalled and not verified"}
_MOST_NAMED: Final = 3  # more are counted
_VERDICTS: Final = {
    "reproduced": "not separated from the published number (the 95 % interval of the difference "
    "contains 0): {}",
    "above": "above the published number: {}",
    "below": "below the published number: {}",
    "compared": "beside a published number, but not judged, because {why}: {}",
    "not at hand": "published number not at hand: {}",
    "not in the paper": "no published number: {}",
}


class Finding(NamedTuple):
    """The main numbers of a data set in one setting: names of accuracies, empty if there is none.

    Attributes
    ----------
    setting
        The setting.
    method, best
        The method of the highest accuracy among those that learn from unlabeled images.
    alone
        Whether there is no other such method.
    close
        Those that are not separated from it; empty if there are none, or more than are named.
    close_fact, close_count
        The name of the fact of how many these are, and its text, empty if there are none.
    published
        What the paper's number of the method is called; empty if ours is of synthetic data, which
        says nothing about it.
    scratch, scratch_close
        Training from scratch, and whether it is not separated from the method.
    oracle, oracle_method
        The highest accuracy with labels.
    """

    setting: str
    method: str
    best: str
    alone: bool
    close: str
    close_fact: str
    close_count: str
    published: str
    scratch: str
    scratch_close: bool
    oracle: str
    oracle_method: str


def findings(rows: pd.DataFrame, paired: pd.DataFrame, titles: Titles) -> list[Finding]:
    """Return the main numbers of each data set and setting that has a row without labels.

    Parameters
    ----------
    rows
        See `cactus.paper.results.rows_of_tables`.
    paired
        See `cactus.paper.paired.read_paired`.
    titles
        Titles of what the study adds.
    """
    groups = rows.groupby(["dataset", "way", "shot"], sort=False)
    found = (_finding(group, paired, titles) for _, group in groups)
    return [one for one in found if one is not None]


def verdicts_in_words(averaged: pd.DataFrame) -> str:
    """Return how many accuracies have each verdict, as a part of a sentence."""
    counts = averaged["verdict"].value_counts()
    compared = averaged[averaged["verdict"] == "compared"]
    drawn = compared["synthetic"].astype(bool)
    apart = ~drawn & (compared["split"] != "test")
    causes = {
        "the data are synthetic": drawn,
        "ours are not on the test split": apart,
        "the published ones are recalled and not verified": ~drawn & ~apart,
    }
    why = " or ".join(cause for cause, which in causes.items() if which.any())
    parts = [_VERDICTS[name].format(counts[name], why=why) for name in VERDICTS if name in counts]
    return "; ".join(parts)


def _finding(rows: pd.DataFrame, paired: pd.DataFrame, titles: Titles) -> Finding | None:
    """Return the main numbers of one setting; None if all of its rows use labels."""
    oracle = rows["method"].map(is_oracle)
    scratch = rows["method"] == "scratch"
    unlabeled = [*_highest_first(rows[~oracle & ~scratch])]
    if not unlabeled:
        return None
    top, *others = unlabeled
    separated = separation(paired)
    close = [_name(one, titles) for one in others if not separated(one, top)]
    plain = next(_highest_first(rows[scratch]), None)
    labeled = next(_highest_first(rows[oracle]), None)
    lower, higher = sorted((plain or top, top), key=lambda row: float(row["mean"]))
    return Finding(
        setting_title(top["way"], top["shot"]),
        _name(top, titles),
        number_key(top),
        not others,
        listed(close) if len(close) <= _MOST_NAMED else "",
        f"close/{top['dataset']}/{top['way']}w{top['shot']}s",
        counted(len(close), "method") if close else "",
        "" if top["synthetic"] else _PUBLISHED.get(top["paper_status"], ""),
        number_key(plain) if plain else "",
        plain is not None and not separated(lower, higher),
        number_key(labeled) if labeled else "",
        inline(titles.method(labeled["method"])) if labeled else "",
    )


def _name(row: dict[str, Any], titles: Titles) -> str:
    return f"{inline(titles.method(row['method']))} ({titles.source(row['source'])})"


def _highest_first(rows: pd.DataFrame) -> Iterator[dict[str, Any]]:
    yield from rows_of(rows.sort_values("mean", ascending=False, kind="stable"))
