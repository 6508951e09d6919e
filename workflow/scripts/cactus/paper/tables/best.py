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
    tests: dict[tuple[object, ...], tuple[float, float]] = {}
    for one in paired.to_dict("records"):
        first, other = _cell(one), (one["other_source"], one["other_method"])
        p_value, difference = one["p_holm"], one["difference"]
        tests[(*_place(one), first, other)] = p_value, difference
        tests[(*_place(one), other, first)] = p_value, -difference

    def separated(result: Result, top: Result) -> bool:
        test = tests.get((*_place(result), _cell(result), _cell(top)))
        if test is not None:  # on the seeds that both have, whose order may be another one
            return test[0] < LEVEL and test[1] < 0
        difference = shown_value(top["mean"] - result["mean"])
        return difference > shown_value(math.hypot(top["ci95"], result["ci95"]))

    return separated


def _place(row: Result) -> tuple[object, ...]:
    return row["dataset"], row["way"], row["shot"]


def _cell(row: Result) -> tuple[str, str]:
    return row["source"], row["method"]
