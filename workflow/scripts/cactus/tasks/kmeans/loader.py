"""Where k-means clusters: on the GPU where there is one, or by threads of the CPU."""

import importlib
from functools import partial
from typing import Final

from cactus.config.compute import ComputeSettings
from cactus.config.source import Source
from cactus.tasks.kmeans.cpu_points import cpu_points
from cactus.tasks.kmeans.partitions import Placement

GPU_MODULE: Final = (
    "cactus.tasks.kmeans.gpu_points"  # it needs PyTorch, as partitions on CPUs do not
)


def may_use_gpu(source: Source, compute: ComputeSettings) -> bool:
    """Return whether the partitions of a source are made on a GPU, should there be one."""
    return compute.device != "cpu" and source.by_kmeans


def placement(source: Source, compute: ComputeSettings) -> Placement:
    """Return what puts embeddings (N, d) where k-means clusters them.

    Raises
    ------
    ConfigError
        A GPU is asked for and there is none.
    """
    if may_use_gpu(source, compute):
        place: Placement | None = importlib.import_module(GPU_MODULE).gpu_placement(compute)
        if place is not None:
            return place
    return partial(cpu_points, threads=compute.threads)
