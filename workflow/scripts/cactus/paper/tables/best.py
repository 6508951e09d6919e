"""Which results are not separated from the best one: these are in bold."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from cactus.paper.cells import shown_value
from cactus.paper.paired import LEVEL

Result = Mapping[Any, Any]  # a row of results, averaged over seeds


def separation(paired: pd.DataFrame) -> Callable[[Result, Result], bool]:
    """Return a function that says whether a result is separated from one of a higher mean.

    Both are of one data set and setting. They are separated if the paired test of the two says so
    after Holm's correction or, if they were not tested, if the interval of the difference leaves 0
    out.

    Parameters
    ----------
    paired
        See `cactus.paper.paired.read_paired`.
    """
    p_values: dict[tuple[object, ...], float] = {}
    for one in paired.to_dict("records"):
        first, other = _cell(one), (one["other_source"], one["other_method"])
        for pair in ((first, other), (other, first)):
            p_values[(*_place(one), *pair)] = one["p_holm"]

    def separated(result: Result, top: Result) -> bool:
        p_value = p_values.get((*_place(result), _cell(result), _cell(top)))
        if p_value is not None:
            return p_value < LEVEL
        difference = shown_value(top["mean"] - result["mean"])
        return difference > shown_value(math.hypot(top["ci95"], result["ci95"]))

    return separated


def _place(row: Result) -> tuple[object, ...]:
    return row["dataset"], row["way"], row["shot"]


def _cell(row: Result) -> tuple[str, str]:
    return row["source"], row["method"]
