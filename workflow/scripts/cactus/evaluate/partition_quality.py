"""How well partitions agree with the true classes: for the report, never for training.

A dropped image (cluster -1) is in no cluster, and tasks never show it. Every measure but `covered`
is of the images in clusters alone. With n images in clusters, n_k of them in cluster k and n_kc of
those in class c:

- ``clusters``: clusters with an image; ``smallest``, ``median`` and ``largest``: their sizes.
- ``covered``: the fraction of all images that are in a cluster.
- ``purity``: sum_k max_c n_kc / n.
- ``nmi``: mutual information over the mean of the two entropies.
- ``purity_chance``, ``nmi_chance``: the same after a random permutation of the classes, because
  both rise with the number of clusters: purity to 1 for clusters of single images.
- ``ari``: adjusted Rand index (Hubert and Arabie, 1985); 0 by chance, 1 if equal.
- ``pair_precision``: the probability that two images share their class, drawn among all pairs of
  images in one cluster.
- ``task_precision``: the same, drawn as tasks draw them: first a cluster, whatever its size.
"""

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from cactus.errors import DataError
from cactus.files import read_text, write_json, write_text
from cactus.seeding import numpy_generator
from cactus.tasks.storage import DROPPED, cluster_sizes

MEASURES: Final = (
    "clusters", "covered", "smallest", "median", "largest", "purity", "purity_chance", "nmi",
    "nmi_chance", "ari", "pair_precision", "task_precision",
)  # fmt: skip
QUALITY_FILE: Final = "quality.csv"
SUMMARY_FILE: Final = "quality.json"
_COLUMNS: Final = ["partition", *MEASURES]

Integers = npt.NDArray[np.integer[Any]]


def partition_quality(
    clusters: Integers, classes: Integers, generator: np.random.Generator
) -> dict[str, float]:
    """Return the `MEASURES` of one partition.

    Parameters
    ----------
    clusters
        (N,) cluster of each image, -1 for none.
    classes
        (N,) true class of each image.
    generator
        Permutes the classes.

    Returns
    -------
    dict
        NaN for what is not defined: probabilities of pairs if no cluster has two images; all but
        sizes if no image is in a cluster.

    Raises
    ------
    DataError
        The partition is of other images.
    """
    if clusters.shape != classes.shape or classes.ndim != 1:
        raise _unfit(f"clusters {clusters.shape}, classes {classes.shape}")
    covered = clusters != DROPPED
    sizes = cluster_sizes(clusters)
    sizes = sizes[sizes > 0]
    values = dict.fromkeys(MEASURES, float("nan"))
    values |= {"clusters": len(sizes), "covered": float(covered.mean()) if len(covered) else 0.0}
    values |= size_summary(sizes)
    if len(sizes):
        values |= _agreement(clusters[covered], classes[covered], generator)
    return values


def size_summary(sizes: Integers) -> dict[str, float]:
    """Return ``smallest``, ``median`` and ``largest`` of (K,) sizes; 0 if there are none."""
    if not len(sizes):
        return {"smallest": 0, "median": 0, "largest": 0}
    return {
        "smallest": int(sizes.min()),
        "median": float(np.median(sizes)),
        "largest": int(sizes.max()),
    }


def _agreement(
    clusters: Integers, classes: Integers, generator: np.random.Generator
) -> dict[str, float]:
    """Return the measures that compare clusters with classes, of images in clusters."""
    # Most code that imports this module only reads what it wrote.
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
    from sklearn.metrics.cluster import contingency_matrix

    shuffled = generator.permutation(classes)
    counts = contingency_matrix(clusters, classes, sparse=True, dtype=np.int64)
    by_chance = contingency_matrix(clusters, shuffled, sparse=True, dtype=np.int64)
    sizes = np.asarray(counts.sum(axis=1)).ravel()
    # Ordered pairs of different images in each cluster, and those of them that share a class.
    pairs = sizes * (sizes - 1)
    same = np.asarray(counts.multiply(counts).sum(axis=1)).ravel() - sizes
    several = pairs > 0
    shares = same[several] / pairs[several]
    return {
        "purity": float(counts.max(axis=1).sum() / len(classes)),
        "purity_chance": float(by_chance.max(axis=1).sum() / len(classes)),
        "nmi": float(normalized_mutual_info_score(classes, clusters)),
        "nmi_chance": float(normalized_mutual_info_score(shuffled, clusters)),
        "ari": float(adjusted_rand_score(classes, clusters)),
        "pair_precision": float(same.sum() / pairs.sum()) if len(shares) else float("nan"),
        "task_precision": float(shares.mean()) if len(shares) else float("nan"),
    }


def measure_partitions(
    partitions: Integers, classes: Integers, folder: Path, header: Mapping[str, Any]
) -> None:
    """Write ``quality.csv``, a row per partition, and then ``quality.json``, their means.

    Parameters
    ----------
    partitions
        (P, N) cluster of each image, -1 for none; may be memory-mapped.
    classes
        (N,) true class of each image.
    header
        Names the cell: the first entries of ``quality.json``, and of the generators.

    Raises
    ------
    DataError
        There is no partition, one is of other images, or no task can be drawn from one.
    """
    (folder / SUMMARY_FILE).unlink(missing_ok=True)
    rows = []
    for index, clusters in enumerate(partitions):
        generator = numpy_generator("partition_quality", *map(str, header.values()), index)
        rows.append(partition_quality(np.asarray(clusters), classes, generator))
    table = np.array([[row[name] for name in MEASURES] for row in rows])
    if not len(rows) or not np.isfinite(table).all():
        raise _unfit(f"{len(rows)} partitions, of which one has no cluster of two images")
    _write_rows(folder / QUALITY_FILE, rows)
    true = cluster_sizes(classes)
    summary = {
        **header,
        "images": len(classes),
        "classes": {"count": int((true > 0).sum()), **size_summary(true[true > 0])},
        "partitions": len(rows),
        "mean": dict(zip(MEASURES, table.mean(axis=0).tolist(), strict=True)),
    }
    write_json(folder / SUMMARY_FILE, summary)


def _write_rows(path: Path, rows: list[dict[str, float]]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({"partition": index, **row} for index, row in enumerate(rows))
    write_text(path, text.getvalue())


def read_quality(path: Path) -> dict[str, npt.NDArray[np.float64]]:
    """Read ``quality.csv``: the (P,) values of each of the `MEASURES`.

    Raises
    ------
    DataError
        The file is missing or is not such a table.
    """
    try:
        lines = list(csv.reader(io.StringIO(read_text(path), newline=""), strict=True))
        if lines[:1] != [_COLUMNS] or len(lines) < 2:
            raise ValueError(f"{len(lines)} lines, the first of which is {lines[:1]}")
        values = np.array([[float(text) for text in line] for line in lines[1:]])
        if values.shape[1:] != (len(_COLUMNS),) or not np.isfinite(values).all():
            raise ValueError(f"not {len(_COLUMNS)} finite values on each line")
    except (OSError, ValueError, csv.Error) as error:
        raise DataError(
            "The quality of partitions cannot be read.",
            where=str(path),
            got=str(error),
            fix="delete the file and run the same command again",
        ) from error
    return dict(zip(_COLUMNS[1:], values.T[1:], strict=True))


def _unfit(got: str) -> DataError:
    return DataError(
        "Partitions cannot be compared with the true classes.",
        where="the partitions of the training images",
        got=got,
        fix="delete the folders of the partitions and of the data set, and run the same command "
        "again",
    )
