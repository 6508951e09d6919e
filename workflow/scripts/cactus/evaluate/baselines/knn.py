"""Nearest neighbors in the embedding space."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cactus.errors import EpisodeError
from cactus.evaluate.baselines.base import FloatArray, IntArray, flatten

# Distances closer together than this share of the points' squared norms are computed again.
_DOUBT = 1e-9


class NearestNeighbors:
    """Majority vote of the k nearest support points by Euclidean distance.

    A tied vote goes to the lowest class, as with scikit-learn, which the original used. Support
    points at the same distance count in the order of their classes; scikit-learn leaves that open.
    The order of an episode's classes is random, so neither rule favors a class.

    Parameters
    ----------
    neighbors
        Values of k, each at most way * shot. One order of the support serves all.
    """

    def __init__(self, neighbors: Sequence[int]) -> None:
        self._neighbors = neighbors

    def predict(self, support: FloatArray, query: FloatArray) -> IntArray:
        """Return the labels (V, T, way, query) of queries (T, way, query, d).

        Raises
        ------
        EpisodeError
            There are more neighbors than support points.
        """
        way, shot = support.shape[1:3]
        largest = max(self._neighbors)
        if largest > way * shot:
            raise EpisodeError(
                "There are more neighbors than support points.",
                where="baselines.knn.neighbors",
                got=f"{largest} neighbors, {way * shot} support points",
                fix="lower the number of neighbors",
            )
        distances = squared_distances(flatten(query), flatten(support))
        nearest = np.argsort(distances, axis=-1, kind="stable")[..., :largest]
        votes = nearest[..., None] // shot == np.arange(way)
        labels = [votes[..., :k, :].sum(axis=-2).argmax(axis=-1) for k in self._neighbors]
        return np.stack(labels).astype(np.int64).reshape(len(labels), *query.shape[:3])


def squared_distances(
    query: npt.NDArray[np.float64], support: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return the squared Euclidean distances (T, m, n) of queries (T, m, d) to support (T, n, d).

    One matrix product per task gives them. Where rounding could swap two distances of a query, the
    query's distances are summed from differences instead, so equal points have equal distances.
    """
    sizes = _squares(query)[..., None], _squares(support)[:, None]
    result = sizes[0] + sizes[1] - 2 * (query @ support.swapaxes(1, 2))
    gaps = np.diff(np.sort(result, axis=-1), axis=-1).min(axis=-1, initial=np.inf)
    doubtful = gaps <= _DOUBT * (sizes[0][..., 0] + sizes[1].max(axis=-1))
    for task in np.flatnonzero(doubtful.any(axis=1)):
        rows = doubtful[task]
        result[task, rows] = _squares(query[task, rows][:, None] - support[task])
    return result


def _squares(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    squares: npt.NDArray[Any] = np.einsum("...d,...d->...", points, points)
    return squares
