"""Points of k-means in CPU memory, processed by threads in chunks of rows."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from cactus.tasks.kmeans.points import Array, Indices, Labels

# Rows of a chunk: a thread holds this many distances to each centroid at a time.
CHUNK_ROWS = 2048

ResultT = TypeVar("ResultT")


class CpuPoints:
    """See `cactus.tasks.kmeans.points.Points`.

    A thread does all the work on a chunk while the chunk is in its cache. The sums of the chunks
    are added in order, so the bits do not depend on the number of threads.

    Parameters
    ----------
    points
        (N, d) float32 of mean zero.
    pool
        The threads; BLAS must not start its own.
    chunk_rows
        Rows of a chunk.
    """

    def __init__(self, points: Array, pool: ThreadPoolExecutor, chunk_rows: int) -> None:
        self._points, self._pool, self._chunk_rows = points, pool, chunk_rows
        starts = range(0, len(points), chunk_rows)
        self._slices = [slice(start, start + chunk_rows) for start in starts]

    def __len__(self) -> int:
        """Return N."""
        return len(self._points)

    def rows(self, indices: Indices) -> Array:
        """Return the points (m, d) at `indices`."""
        return self._points[indices]

    def nearest(self, centroids: Array) -> tuple[Labels, Array]:
        """Return each point's nearest centroid (N,), and the sum (k, d) of the points of each."""
        columns, half_squares = np.ascontiguousarray(centroids.T), _squares(centroids) / 2
        kind = np.min_scalar_type(len(centroids) - 1)  # small integers are sorted fastest

        def assign(rows: slice) -> tuple[Labels, Labels, Array]:
            chunk = self._points[rows]
            scores = chunk @ columns
            scores -= half_squares
            labels = scores.argmax(axis=1).astype(kind)
            order = labels.argsort(kind="stable")
            grouped = labels[order]
            starts = np.flatnonzero(np.diff(grouped, prepend=-1))
            return labels, grouped[starts], np.add.reduceat(chunk[order], starts, axis=0)

        sums = np.zeros_like(centroids)
        labels = []
        for part, present, part_sums in self._map(assign):
            sums[present] += part_sums
            labels.append(part)
        return np.concatenate(labels), sums

    def distances_to_own(self, centroids: Array, labels: Labels) -> Array:
        """Return the squared distance (N,) of each point to the centroid that its label names."""
        parts = self._map(lambda rows: _squares(self._points[rows] - centroids[labels[rows]]))
        return np.concatenate(list(parts))

    def _map(self, work: Callable[[slice], ResultT]) -> Iterator[ResultT]:
        return self._pool.map(work, self._slices)


def _squares(rows: Array) -> Array:
    result: Array = np.einsum("nd,nd->n", rows, rows)
    return result


@contextmanager
def cpu_points(
    embeddings: Array, threads: int, chunk_rows: int = CHUNK_ROWS
) -> Iterator[CpuPoints]:
    """Center embeddings (N, d) for `threads` threads to work on.

    Distances are computed as differences of squares, which are most accurate near the mean.
    """
    centered = embeddings - embeddings.mean(axis=0, dtype=np.float64).astype(np.float32)
    with threadpool_limits(1), ThreadPoolExecutor(threads) as pool:
        yield CpuPoints(np.ascontiguousarray(centered, np.float32), pool, chunk_rows)
