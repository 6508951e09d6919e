"""CelebA task pools: classes defined by the values of a few attributes.

Hsu, Levine and Finn, "Unsupervised Learning via Meta-Learning", ICLR 2019: a pool fixes the
values of three attributes. The images that have all of them are one class, the images that have
all opposite values are the other, and the rest are ignored.
"""

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from cactus.errors import DataError


@dataclass(frozen=True)
class AttributePools:
    """M pools with two opposite classes each."""

    attributes: npt.NDArray[np.int64]  # (M, k) columns of the attribute table
    values: npt.NDArray[np.int64]  # (M, k) in {0, 1}, of side 0; side 1 has the opposite values
    sizes: npt.NDArray[np.int64]  # (M, 2) images of the two sides

    def __len__(self) -> int:
        return len(self.attributes)


def attribute_pools(
    attributes: npt.NDArray[np.integer[Any]], minimum: int, pool_attributes: int = 3
) -> AttributePools:
    """Return every pool that has at least `minimum` images on both sides.

    The first value is always 0, since the opposite pool is the same pair of classes. There are
    at most 2^(k-1) * C(A, k) pools, 4560 for 20 attributes and k = 3.

    Parameters
    ----------
    attributes
        (N, A) in {0, 1}: the attributes of one split only.
    minimum
        Images that each side needs, shot + query.
    pool_attributes
        Attributes k per pool.

    Raises
    ------
    DataError
        The table is not a matrix of zeros and ones.
    """
    _check_table(attributes)
    columns = np.ascontiguousarray(attributes.T).astype(np.int64)
    bits = 1 << np.arange(pool_attributes)
    side = np.arange(0, 2**pool_attributes, 2)  # the values as bits, the first one 0
    values = (side[:, None] & bits > 0).astype(np.int64)
    empty = np.empty((0, pool_attributes), np.int64)
    chosen, chosen_values, chosen_sizes = [empty], [empty], [np.empty((0, 2), np.int64)]
    for combination in combinations(range(len(columns)), pool_attributes):
        codes = bits @ columns[list(combination)]
        counts = np.bincount(codes, minlength=2**pool_attributes)
        sizes = np.stack([counts[side], counts[::-1][side]], axis=1)
        kept = sizes.min(axis=1) >= minimum
        chosen.append(np.tile(combination, (kept.sum(), 1)))
        chosen_values.append(values[kept])
        chosen_sizes.append(sizes[kept])
    return AttributePools(*map(np.concatenate, (chosen, chosen_values, chosen_sizes)))


def _check_table(attributes: npt.NDArray[np.integer[Any]]) -> None:
    if attributes.ndim == 2 and np.isin(attributes, (0, 1)).all():
        return
    values = ", ".join(str(value) for value in np.unique(attributes)[:5])
    raise DataError(
        "The attributes are not a table of zeros and ones.",
        where="the labels of an attribute data set",
        got=f"shape {attributes.shape}, values {values}",
        fix="prepare the data set again; attributes are stored as (images, attributes) in {0, 1}",
    )
