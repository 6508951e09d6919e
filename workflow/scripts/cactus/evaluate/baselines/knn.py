"""Nearest neighbours in the embedding space."""

import numpy as np
from scipy.spatial.distance import cdist

from cactus.errors import EpisodeError
from cactus.evaluate.baselines.base import FloatArray, IntArray, flatten


class NearestNeighbours:
    """The majority of the k nearest support points by Euclidean distance.

    Support points at the same distance are taken in the order of their classes, and a tied vote
    goes to the lowest class. The order of an episode's classes is random, so neither rule favours
    a class. Distances are summed from differences, so that equal points are exactly equally far.

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
        pairs = zip(flatten(query), flatten(support), strict=True)
        distances = np.stack([cdist(one, other, "sqeuclidean") for one, other in pairs])
        nearest = np.argsort(distances, axis=-1, kind="stable")[..., : self._neighbours]
        votes = (nearest[..., None] // shot == np.arange(way)).sum(axis=-2)
        labels: IntArray = votes.argmax(axis=-1).astype(np.int64)
        return labels.reshape(query.shape[:3])
