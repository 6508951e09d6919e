"""Where k-means clusters, on the GPU if there is one, else on the CPU, and whose it is."""

import importlib
from functools import partial
from typing import Final

from cactus.config.sections.compute import ComputeSettings
from cactus.config.sections.partition import PartitionSettings
from cactus.config.sections.source import Source
from cactus.tasks.kmeans.cpu_points import cpu_points
from cactus.tasks.kmeans.lloyd import KMeans, kmeans
from cactus.tasks.kmeans.points import PointsLoader

# It needs PyTorch, which partitions on a CPU do not.
GPU_MODULE: Final = "cactus.tasks.kmeans.gpu_points"
SCIKIT_MODULE: Final = "cactus.tasks.kmeans.scikit"


def kmeans_of(settings: PartitionSettings) -> KMeans:
    """Return the k-means that the settings select."""
    if settings.kmeans == "lloyd":
        return kmeans
    selected: KMeans = importlib.import_module(SCIKIT_MODULE).kmeans
    return selected


def points_loader(
    source: Source, compute: ComputeSettings, settings: PartitionSettings
) -> PointsLoader:
    """Return what loads embeddings (N, d) to where k-means clusters them.

    Raises
    ------
    ConfigError
        The configuration asks for a GPU and there is none.
    """
    if compute.device != "cpu" and source.by_kmeans and settings.kmeans == "lloyd":
        on_gpu: PointsLoader | None = importlib.import_module(GPU_MODULE).gpu_loader(compute)
        if on_gpu is not None:
            return on_gpu
    return partial(cpu_points, threads=compute.threads)
