"""Partitions on disk: one row of cluster ids per partition, and a summary written last."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cactus.data.array_files import read_array
from cactus.errors import DataError
from cactus.files import atomic_path, file_hash, read_json, write_json

PARTITIONS_FILE = "partitions.npy"
SUMMARY_FILE = "summary.json"
DROPPED = -1
_MAX_REPORTS = 100


@dataclass(frozen=True)
class Partition:
    """One partition of the images."""

    labels: npt.NDArray[np.integer[Any]]  # (N,) cluster of each image, -1 for none
    # Further entries for the summary, such as restarts and inertia.
    facts: dict[str, int | float] = field(default_factory=dict)


def drop_small(labels: npt.NDArray[np.integer[Any]], minimum: int) -> npt.NDArray[np.integer[Any]]:
    """Return `labels` (N,) with -1 for the images of clusters smaller than `minimum` images."""
    sizes = cluster_sizes(labels)
    too_small = np.append(sizes < minimum, True)  # the last entry serves the label -1
    return np.where(too_small[labels], DROPPED, labels)


def cluster_sizes(labels: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.int64]:
    """Return the number of images of every cluster id from 0 on, ignoring -1.

    Raises
    ------
    DataError
        An id is below -1.
    """
    if labels.size and labels.min() < DROPPED:
        raise DataError(
            "A cluster id is below -1.",
            where="a partition",
            got=f"id {labels.min()}",
            fix="number clusters from 0 and mark dropped images with -1",
        )
    return np.bincount(labels.astype(np.int64) + 1, minlength=1)[1:].astype(np.int64)


def write_partitions(
    folder: Path,
    partitions: Iterable[Partition],
    *,
    count: int,
    images: int,
    clusters: int,
    header: dict[str, Any],
    report: Callable[[str], None],
) -> None:
    """Write partitions one by one as they are made, then the summary.

    Parameters
    ----------
    folder
        Receives ``partitions.npy`` and ``summary.json``.
    partitions
        Exactly `count` partitions of `images` images, ids below `clusters`.
    header
        Further entries of the summary.
    report
        Receives progress lines with the seconds used and left.

    Raises
    ------
    DataError
        The partitions are not as many as promised, or one has other images or ids.
    """
    (folder / SUMMARY_FILE).unlink(missing_ok=True)  # it must not describe other partitions
    dtype = np.min_scalar_type(-clusters)
    path = folder / PARTITIONS_FILE
    described: list[dict[str, Any]] = []
    start = time.monotonic()
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        layout = {"descr": dtype.str, "fortran_order": False, "shape": (count, images)}
        np.lib.format.write_array_header_1_0(file, layout)
        for partition in partitions:
            where = f"partition {len(described) + 1} of {count}"
            _check_labels(partition.labels, images, clusters, where)
            file.write(partition.labels.astype(dtype).tobytes())
            described.append(_describe(partition))
            _report(report, described, count, time.monotonic() - start)
        if len(described) != count:
            raise _not_promised("the partitions", f"{len(described)} of {count}")
    array = {"file": path.name, "shape": [count, images], "dtype": dtype.name}
    array["sha256"] = file_hash(path)
    write_json(folder / SUMMARY_FILE, {**header, "array": array, "per_partition": described})


def _check_labels(
    labels: npt.NDArray[np.integer[Any]], images: int, clusters: int, where: str
) -> None:
    if labels.shape != (images,) or labels.dtype.kind not in "iu":
        raise _not_promised(where, f"{labels.dtype} {labels.shape} for {images} images")
    if images and not DROPPED <= labels.min() <= labels.max() < clusters:
        raise _not_promised(where, f"ids {labels.min()} to {labels.max()}, {clusters} clusters")


def _not_promised(where: str, got: str) -> DataError:
    return DataError(
        "A partition does not give each image one of its clusters.",
        where=where,
        got=got,
        fix="number the clusters of a partition from 0, and mark dropped images with -1",
    )


def _describe(partition: Partition) -> dict[str, Any]:
    sizes = cluster_sizes(partition.labels)
    kept = sizes[sizes > 0]
    return {
        "clusters": len(kept),
        "images": int(kept.sum()),
        "sizes": {
            "smallest": int(kept.min(initial=len(partition.labels))),
            "median": float(np.median(kept)) if len(kept) else 0.0,
            "largest": int(kept.max(initial=0)),
        },
        **partition.facts,
    }


def _report(
    report: Callable[[str], None], described: list[dict[str, Any]], count: int, seconds: float
) -> None:
    done = len(described)
    if done % -(-count // _MAX_REPORTS) and done < count:
        return
    last = described[-1]
    left = seconds / done * (count - done)
    report(
        f"partition {done}/{count}: {last['clusters']} clusters, "
        f"{last.get('restarts', 0)} restarts; {seconds:.1f} s, {left:.0f} s left"
    )


def read_partitions(folder: Path) -> npt.NDArray[np.integer[Any]]:
    """Return the stored partitions (P, N), memory-mapped.

    Raises
    ------
    DataError
        The summary or the array is missing or damaged, or their shapes differ.
    """
    expected = read_json(folder / SUMMARY_FILE)["array"]
    array = read_array(folder / PARTITIONS_FILE, mmap=True)
    if [list(array.shape), array.dtype.name] != [expected["shape"], expected["dtype"]]:
        raise DataError(
            "The stored partitions do not match their summary.",
            where=str(folder / PARTITIONS_FILE),
            got=f"shape {list(array.shape)} {array.dtype}, expected {expected['shape']} "
            f"{expected['dtype']}",
            fix="delete the folder and run the same command to make it again",
        )
    return array
