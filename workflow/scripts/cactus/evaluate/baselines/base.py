"""The interface of the baselines, and the labels of an episode."""

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating[Any]]
IntArray = npt.NDArray[np.int64]


class Baseline(Protocol):
    """A classifier that labels the queries of episodes from their support.

    It has V sets of parameters, and labels the queries with each, so that these can share work. A
    query's label depends on its own embedding and the support only, never on other queries.
    """

    def predict(self, support: FloatArray, query: FloatArray) -> IntArray:
        """Return the labels (V, T, way, query) of queries (T, way, query, d).

        Parameters
        ----------
        support
            (T, way, shot, d) embeddings; the label of ``[t, n, :]`` is n.
        query
            (T, way, query, d) embeddings.
        """
        ...


def flatten(embeddings: FloatArray) -> npt.NDArray[np.float64]:
    """Return (T, way, m, d) embeddings as (T, way * m, d) in double precision, class by class."""
    tasks, way, images, dims = embeddings.shape
    return embeddings.reshape(tasks, way * images, dims).astype(np.float64)


def support_labels(way: int, shot: int) -> IntArray:
    """Return the labels (way * shot,) of a flattened support."""
    return np.repeat(np.arange(way, dtype=np.int64), shot)
