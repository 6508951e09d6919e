"""Partitions by uniformly random labels, a control without structure."""

from collections.abc import Iterator

import numpy as np

from cactus.config.partition import RandomSettings
from cactus.seeding import numpy_generator
from cactus.tasks.storage import Partition, drop_small


def random_partitions(
    images: int, settings: RandomSettings, minimum: int, seed_parts: tuple[str | int, ...]
) -> Iterator[Partition]:
    """Give every image one of `settings.labels` random labels, drawn again for each partition.

    Parameters
    ----------
    images
        Number of images N.
    minimum
        Images below which a label is dropped, shot + query.
    seed_parts
        Names the generators; each partition has its own.
    """
    for index in range(settings.count):
        generator = numpy_generator(*seed_parts, index)
        labels = generator.integers(settings.labels, size=images, dtype=np.int64)
        yield Partition(drop_small(labels, minimum))
