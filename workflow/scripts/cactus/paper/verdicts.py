"""Verdicts: how each of our numbers stands to the paper's."""

from typing import Final

import numpy as np
import pandas as pd

from cactus.paper.schema.values import VERDICTS

_COUNTED: Final = {"compared": "compared only"}


def with_verdicts(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with our difference to the paper, its 95 % half-width, and the verdict.

    The two accuracies are independent estimates with half-widths a (ours) and b (the paper's), so
    that their difference has the half-width ``sqrt(a^2 + b^2)``; if the paper's interval is not at
    hand, a alone. The verdict is

    - ``reproduced`` if the interval of the difference contains 0, otherwise ``above`` or ``below``;
    - ``compared`` if the paper's mean is recalled, our data is synthetic, or our accuracy is not
      on the test split: no judgment then;
    - ``not at hand`` if the paper ran the cell, but we do not have its number;
    - ``not in the paper`` if it did not.

    Parameters
    ----------
    rows
        With ``mean``, ``ci95``, ``paper_mean``, ``paper_ci95``, ``paper_status``, ``synthetic`` and
        ``split``.
    """
    difference = rows["mean"] - rows["paper_mean"]
    both = np.hypot(rows["ci95"], rows["paper_ci95"].fillna(0.0))
    half = pd.Series(both, rows.index).where(difference.notna())
    status = rows["paper_status"].astype("string").fillna("")
    like_the_papers = ~rows["synthetic"].astype(bool) & (rows["split"] == "test")
    judged = (status == "verified") & like_the_papers
    cases = {
        "not in the paper": status == "",
        "not at hand": status == "unavailable",
        "compared": ~judged,
        "reproduced": difference.abs() <= half,
        "above": difference > 0,
    }
    verdict = np.select(list(cases.values()), list(cases), default="below")
    return rows.assign(difference=difference, difference_ci95=half, verdict=verdict)


def verdict_counts(averaged: pd.DataFrame) -> str:
    """Return how often each verdict occurs, e.g. ``12 reproduced, 9 above, 3 not at hand``."""
    counts = averaged["verdict"].value_counts()
    return ", ".join(
        f"{counts[name]} {_COUNTED.get(name, name)}" for name in VERDICTS if name in counts
    )


def resting_on_recalled(averaged: pd.DataFrame) -> int:
    """Return how many numbers would not be reproduced without an interval that is recalled."""
    resting = (averaged["verdict"] == "reproduced") & (averaged["paper_ci95_status"] == "recalled")
    return int((resting & (averaged["difference"].abs() > averaged["ci95"])).sum())
