"""The shape of episodes, and checks that classes are large enough for them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cactus.errors import EpisodeError, counted

_NAMED_CLASSES = 5

IntArray = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True)
class EpisodeShape:
    """The shape of an episode: classes, and support and query images per class."""

    way: int
    shot: int
    query: int

    def __post_init__(self) -> None:
        if min(self.way, self.shot, self.query) < 1:
            raise EpisodeError(
                "An episode needs at least one class, one support and one query image.",
                where="the way, shot and query settings",
                got=f"way {self.way}, shot {self.shot}, query {self.query}",
                fix="set all three to 1 or more",
            )

    @property
    def per_class(self) -> int:
        """Images that an episode needs of each class, shot + query."""
        return self.shot + self.query


def check_episodes(sizes: IntArray, shape: EpisodeShape, where: str) -> None:
    """Check that episodes can be drawn from classes of the given sizes.

    Parameters
    ----------
    sizes
        Images of each class id; 0 for unused ids.

    Raises
    ------
    EpisodeError
        There are fewer than `way` classes, or a class has fewer than shot + query images.
    """
    present = np.flatnonzero(sizes)
    if len(present) < shape.way:
        raise EpisodeError(
            f"{shape.way}-way episodes need at least {shape.way} classes.",
            where=where,
            got=f"{counted(len(present), 'class', 'classes')} with images",
            fix="lower the way in the config, or provide more classes or clusters",
        )
    small = present[sizes[present] < shape.per_class]
    if len(small):
        raise EpisodeError(
            f"{shape.shot}-shot episodes with {shape.query} queries need {shape.per_class} "
            "images of every class.",
            where=where,
            got=_name_classes(small, sizes),
            fix="lower the shot or the query in the config, or provide more images",
        )


def _name_classes(classes: IntArray, sizes: IntArray) -> str:
    named = [f"class {index}: {sizes[index]} images" for index in classes[:_NAMED_CLASSES]]
    more = len(classes) - len(named)
    return ", ".join(named) + (f" and {more} more classes" if more else "")


def check_pools(sizes: IntArray, shape: EpisodeShape) -> None:
    """Check that episodes can be drawn from pools of two classes.

    Parameters
    ----------
    sizes
        (M, 2) images of the two sides of each pool.

    Raises
    ------
    EpisodeError
        There is no pool, the way is not 2, or a side has fewer than shot + query images.
    """
    if shape.way != 2:
        raise EpisodeError(
            "Attribute pools have two classes.",
            where="the way setting of an attribute data set",
            got=f"way {shape.way}",
            fix="set the way to 2",
        )
    smallest = sizes.min(initial=shape.per_class)
    if len(sizes) and smallest >= shape.per_class:
        return
    raise EpisodeError(
        f"{shape.shot}-shot episodes with {shape.query} queries need attribute pools with "
        f"{shape.per_class} images on both sides.",
        where="the attribute table",
        got=f"a pool with a side of {smallest} images" if len(sizes) else "no pool",
        fix="lower the shot or the query in the config, or provide more images",
    )
