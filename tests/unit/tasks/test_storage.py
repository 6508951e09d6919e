import json

import numpy as np
import pytest

from cactus.errors import DataError
from cactus.files import file_hash
from cactus.tasks.storage import (
    Partition,
    cluster_sizes,
    drop_small,
    read_partitions,
    write_partitions,
)


def write(folder, rows, clusters=10, report=lambda _: None, facts=None, count=None):
    write_partitions(
        folder,
        (Partition(np.array(row), facts or {}) for row in rows),
        count=len(rows) if count is None else count,
        images=len(rows[0]),
        clusters=clusters,
        header={"kind": "kmeans"},
        report=report,
    )


def test_sizes_count_every_id_and_ignore_dropped_images():
    assert cluster_sizes(np.array([3, -1, 0, 3, -1])).tolist() == [1, 0, 0, 2]
    assert cluster_sizes(np.array([-1, -1])).tolist() == []


def test_int8_ids_do_not_overflow():
    assert len(cluster_sizes(np.array([127], np.int8))) == 128


def test_ids_below_minus_one_are_refused():
    with pytest.raises(DataError, match="below -1"):
        cluster_sizes(np.array([0, -2]))


def test_small_clusters_are_dropped_and_others_keep_their_ids():
    labels = np.array([0, 0, 2, 2, 2, 5, -1])
    assert drop_small(labels, 2).tolist() == [0, 0, 2, 2, 2, -1, -1]
    assert drop_small(labels, 3).tolist() == [-1, -1, 2, 2, 2, -1, -1]
    assert drop_small(labels, 4).tolist() == [-1] * 7


@pytest.mark.parametrize(
    ("clusters", "dtype"), [(10, "int8"), (128, "int8"), (129, "int16"), (500, "int16")]
)
def test_round_trip_in_the_smallest_type(tmp_path, clusters, dtype):
    rows = [[clusters - 1, 0, -1], [0, 0, clusters - 1]]
    write(tmp_path, rows, clusters)
    stored = read_partitions(tmp_path)
    assert stored.tolist() == rows
    assert stored.dtype == dtype
    assert np.array_equal(np.load(tmp_path / "partitions.npy", allow_pickle=False), rows)


def test_summary_describes_each_partition(tmp_path):
    write(tmp_path, [[0, 0, 0, 2, -1, 4, 4]], facts={"restarts": 2, "inertia": 1.5})
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["kind"] == "kmeans"
    assert summary["array"]["shape"] == [1, 7]
    assert summary["array"]["sha256"] == file_hash(tmp_path / "partitions.npy")
    assert summary["per_partition"] == [
        {
            "clusters": 3,
            "images": 6,
            "sizes": {"smallest": 1, "median": 2.0, "largest": 3},
            "restarts": 2,
            "inertia": 1.5,
        }
    ]


def test_each_partition_is_reported_with_what_remains(tmp_path):
    lines = []
    write(tmp_path, [[0, 1], [0, 0], [1, 1]], report=lines.append, facts={"restarts": 4})
    assert [line.split(";")[0] for line in lines] == [
        "partition 1/3: 2 clusters, 4 restarts",
        "partition 2/3: 1 clusters, 4 restarts",
        "partition 3/3: 1 clusters, 4 restarts",
    ]
    assert lines[-1].endswith("0 s left")


def test_many_partitions_give_a_hundred_lines(tmp_path):
    lines = []
    write(tmp_path, [[0, 1]] * 350, report=lines.append)
    assert len(lines) <= 100
    assert lines[-1].startswith("partition 350/350")


def failing_partitions():
    yield Partition(np.array([1, 1]))
    raise RuntimeError("interrupted")


def test_an_interrupted_run_leaves_nothing_to_trust(tmp_path):
    write(tmp_path, [[0, 1]])
    with pytest.raises(RuntimeError, match="interrupted"):
        write_partitions(
            tmp_path,
            failing_partitions(),
            count=2,
            images=2,
            clusters=2,
            header={},
            report=lambda _: None,
        )
    assert not (tmp_path / "summary.json").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["partitions.npy"]
    with pytest.raises(DataError):
        read_partitions(tmp_path)


def test_an_array_of_another_shape_is_refused(tmp_path):
    write(tmp_path, [[0, 1, 1]])
    np.save(tmp_path / "partitions.npy", np.zeros((1, 2), np.int8))
    with pytest.raises(DataError, match="do not match"):
        read_partitions(tmp_path)


def test_a_truncated_array_is_refused(tmp_path):
    write(tmp_path, [[0, 1, 1]] * 50)
    path = tmp_path / "partitions.npy"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match="cannot be read"):
        read_partitions(tmp_path)


@pytest.mark.parametrize(
    ("rows", "count", "got"),
    [
        ([[0, 1, 1], [0, 1]], 2, "int64 (2,) for 3 images"),
        ([[0, 1, 1], [[0, 1, 1]]], 2, "int64 (1, 3) for 3 images"),
        ([[0, 1, 1], [0.0, 1.0, 1.0]], 2, "float64 (3,) for 3 images"),
        ([[0, 1, 10]], 1, "ids 0 to 10, 10 clusters"),
        ([[0, 1, -2]], 1, "ids -2 to 1, 10 clusters"),
        ([[0, 1, 1]], 2, "1 of 2"),
        ([[0, 1, 1]] * 3, 2, "3 of 2"),
    ],
)
def test_partitions_other_than_promised_are_refused_and_leave_no_summary(
    tmp_path, rows, count, got
):
    with pytest.raises(DataError, match="one of its clusters") as caught:
        write(tmp_path, rows, count=count)
    assert caught.value.got == got
    assert not (tmp_path / "summary.json").exists()
