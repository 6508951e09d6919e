"""Points of k-means in GPU memory, processed in chunks of rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import numpy as np
import torch
from torch import Tensor

from cactus.config.compute import ComputeSettings
from cactus.tasks.kmeans.points import Array, Indices, Labels, PointsLoader
from cactus.train.device import set_up_device

# Rows of a chunk: this many distances to each centroid are held at a time.
CHUNK_ROWS = 1 << 16


class GpuPoints:
    """See `cactus.tasks.kmeans.points.Points`; centroids and results pass through the CPU's memory.

    Parameters
    ----------
    points
        (N, d) of mean zero, on any device.
    chunk_rows
        Rows of a chunk.
    """

    def __init__(self, points: Tensor, chunk_rows: int = CHUNK_ROWS) -> None:
        self._points, self._chunk_rows = points, chunk_rows

    def __len__(self) -> int:
        """Return N."""
        return len(self._points)

    def rows(self, indices: Indices) -> Array:
        """Return the points (m, d) at `indices`."""
        return _floats(self._points[self._to_device(indices)])

    def nearest(self, centroids: Array) -> tuple[Labels, Array]:
        """Return each point's nearest centroid (N,), and the sum (k, d) of the points of each."""
        means = self._to_device(centroids)
        half_squares, columns = means.square().sum(1) / 2, means.T.contiguous()
        sums, labels = torch.zeros_like(means), []
        for chunk in torch.split(self._points, self._chunk_rows):
            labels.append(torch.addmm(half_squares, chunk, columns, beta=-1).argmax(1))
            sums.index_add_(0, labels[-1], chunk)
        return torch.cat(labels).cpu().numpy(), _floats(sums)

    def distances_to_own(self, centroids: Array, labels: Labels) -> Array:
        """Return the squared distance (N,) of each point to the centroid that its label names."""
        means, own = self._to_device(centroids), self._to_device(labels.astype(np.int64))
        parts = zip(
            torch.split(self._points, self._chunk_rows),
            torch.split(own, self._chunk_rows),
            strict=True,
        )
        return _floats(torch.cat([(chunk - means[at]).square().sum(1) for chunk, at in parts]))

    def _to_device(self, array: Array | Indices) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self._points.device)


def _floats(values: Tensor) -> Array:
    result: Array = values.cpu().numpy()
    return result


@contextmanager
def gpu_points(embeddings: Array, device: torch.device) -> Iterator[GpuPoints]:
    """Copy embeddings (N, d) to a device and center them."""
    points = torch.from_numpy(np.ascontiguousarray(embeddings, np.float32)).to(device)
    yield GpuPoints(points - points.mean(0))


def gpu_loader(compute: ComputeSettings) -> PointsLoader | None:
    """Return what loads embeddings to the GPU, or None where there is none.

    Raises
    ------
    ConfigError
        The configuration asks for a GPU and there is none.
    """
    device = set_up_device(compute.device, compute.threads, deterministic=compute.deterministic)
    return None if device.type == "cpu" else partial(gpu_points, device=device)
