"""Where k-means clusters: on the GPU if there is one, else on threads of the CPU."""

import importlib
from functools import partial
from typing import Final

from cactus.config.sections.compute import ComputeSettings
from cactus.config.sections.source import Source
from cactus.tasks.kmeans.cpu_points import cpu_points
from cactus.tasks.kmeans.points import PointsLoader

# It needs PyTorch, which partitions on a CPU do not.
GPU_MODULE: Final = "cactus.tasks.kmeans.gpu_points"


def points_loader(source: Source, compute: ComputeSettings) -> PointsLoader:
    """Return what loads embeddings (N, d) to where k-means clusters them.

    Raises
    ------
    ConfigError
        The configuration asks for a GPU and there is none.
    """
    if compute.device != "cpu" and source.by_kmeans:
        on_gpu: PointsLoader | None = importlib.import_module(GPU_MODULE).gpu_loader(compute)
        if on_gpu is not None:
            return on_gpu
    return partial(cpu_points, threads=compute.threads)
