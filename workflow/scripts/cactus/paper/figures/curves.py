"""Training logs as curves."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from cactus.errors import DataError


def read_log(path: Path, points: int) -> pd.DataFrame:
    """Read a metrics log, and reduce every metric to at most `points` means.

    Parameters
    ----------
    path
        JSON lines with a ``step`` and any metrics; a metric may be missing on some lines.
    points
        Maximum number of points of a curve. A longer one is divided into windows with equal
        numbers of lines, and each window is replaced by its mean step and mean value.

    Returns
    -------
    DataFrame
        Columns ``metric``, ``step`` and ``value``.

    Raises
    ------
    DataError
        The file is missing or is not such a log.
    """
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        frame = pd.DataFrame(lines or {"step": []}).astype(float)
        values = frame.melt("step", var_name="metric").dropna()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            "A training log cannot be read.",
            where=str(path),
            got=str(error),
            fix="delete the folder and run the same command again to recreate it",
        ) from error
    parts = [_shorten(rows, points) for _, rows in values.groupby("metric", sort=False)]
    return pd.concat(parts, ignore_index=True) if parts else values


def _shorten(rows: pd.DataFrame, points: int) -> pd.DataFrame:
    window = np.arange(len(rows)) * min(points, len(rows)) // len(rows)
    means = rows[["step", "value"]].groupby(window).mean()
    return means.assign(metric=rows["metric"].iloc[0])
