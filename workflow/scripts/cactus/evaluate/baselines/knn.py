"""Nearest neighbours in the embedding space."""

from typing import Any

import numpy as np
import numpy.typing as npt

from cactus.errors import EpisodeError
from cactus.evaluate.baselines.base import FloatArray, IntArray, flatten

# Distances that differ by less than this share of the points' squared norms are taken anew.
_DOUBT = 1e-9


class NearestNeighbours:
    """The majority of the k nearest support points by Euclidean distance.

    Support points at the same distance are taken in the order of their classes, and a tied vote
    goes to the lowest class. The order of an episode's classes is random, so neither rule favours
    a class.

    Parameters
    ----------
    neighbours
        k, at most way * shot.
    """

    def __init__(self, neighbours: int) -> None:
        self._neighbours = neighbours

    def predict(self, support: FloatArray, query: FloatArray) -> IntArray:
        """Return the labels (T, way, query) of queries (T, way, query, d).

        Raises
        ------
        EpisodeError
            The support has fewer points than neighbours are asked for.
        """
        way, shot = support.shape[1:3]
        if self._neighbours > way * shot:
            raise EpisodeError(
                "There are fewer support points than neighbours.",
                where="baselines.knn.neighbours",
                got=f"{self._neighbours} neighbours of {way * shot} support points",
                fix="lower the number of neighbours",
            )
        distances = squared_distances(flatten(query), flatten(support))
        nearest = np.argsort(distances, axis=-1, kind="stable")[..., : self._neighbours]
        votes = (nearest[..., None] // shot == np.arange(way)).sum(axis=-2)
        labels: IntArray = votes.argmax(axis=-1).astype(np.int64)
        return labels.reshape(query.shape[:3])


def squared_distances(
    query: npt.NDArray[np.float64], support: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return the squared Euclidean distances (T, m, n) of queries (T, m, d) to support (T, n, d).

    They come from one matrix product a task. Where rounding could put two of a query's distances
    in a wrong order, they are summed from differences: equal points are exactly equally far.
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
