"""What k-means needs of the points that it clusters."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Labels = npt.NDArray[np.integer[Any]]
Indices = npt.NDArray[np.int64]


class Points(Protocol):
    """Points (N, d) of mean zero, on some device."""

    def __len__(self) -> int:
        """Return N."""

    def rows(self, indices: Indices) -> Array:
        """Return the points (m, d) at `indices`."""

    def nearest(self, centroids: Array) -> tuple[Labels, Array]:
        """Return each point's nearest centroid (N,), and the sum (k, d) of the points of each."""

    def distances_to_own(self, centroids: Array, labels: Labels) -> Array:
        """Return the squared distance (N,) of each point to the centroid that its label names."""


# Loads embeddings (N, d) to where they are clustered, for as long as the context lasts.
PointsLoader = Callable[[Array], AbstractContextManager[Points]]
