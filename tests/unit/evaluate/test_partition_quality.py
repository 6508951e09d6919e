"""The partitions' quality against formulas by hand, on cases at the limits too."""

import csv
import json
import math
from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics.cluster import pair_confusion_matrix

from cactus.errors import DataError
from cactus.evaluate.partition_quality import (
    MEASURES,
    measure_partitions,
    partition_quality,
    read_quality,
)

HEADER = {"dataset": "mnist", "source": "acai", "learner": "maml", "seed": 0}
TRUE = np.repeat(np.arange(4), 6)


def generator() -> np.random.Generator:
    return np.random.default_rng(0)


def quality(clusters, classes) -> dict[str, float]:
    return partition_quality(np.array(clusters), np.array(classes), generator())


def by_hand(clusters: list[int], classes: list[int]) -> dict[str, float]:
    """Compute the measures image by image and pair by pair, from their definitions."""
    kept = [(one, true) for one, true in zip(clusters, classes, strict=True) if one != -1]
    groups = [[true for one, true in kept if one == name] for name in {one for one, _ in kept}]
    shares = [
        sum(a == b for a, b in pairs) / len(pairs)
        for group in groups
        if (pairs := list(combinations(group, 2)))
    ]
    pairs = [pair for group in groups for pair in combinations(group, 2)]

    def entropy(values) -> float:
        counts = Counter(values).values()
        return -math.fsum(n / len(kept) * math.log(n / len(kept)) for n in counts)

    apart, true = entropy([one for one, _ in kept]), entropy([one for _, one in kept])
    shared = apart + true - entropy(kept)
    sizes = sorted(map(len, groups))
    return {
        "clusters": len(groups),
        "covered": len(kept) / len(clusters),
        "smallest": sizes[0],
        "median": (sizes[(len(sizes) - 1) // 2] + sizes[len(sizes) // 2]) / 2,
        "largest": sizes[-1],
        "purity": sum(max(Counter(group).values()) for group in groups) / len(kept),
        "nmi": 2 * shared / (apart + true) if apart + true else 1.0,
        "pair_precision": sum(a == b for a, b in pairs) / len(pairs) if pairs else math.nan,
        "task_precision": math.fsum(shares) / len(shares) if shares else math.nan,
    }


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(-1, 5), st.integers(0, 4)), min_size=1, max_size=40))
@pytest.mark.filterwarnings("ignore:The number of unique classes")
def test_measures_are_those_of_their_definitions(images: list[tuple[int, int]]):
    clusters, classes = map(list, zip(*images, strict=True))
    found = quality(clusters, classes)
    assert tuple(found) == MEASURES
    if max(clusters) < 0:
        assert found["clusters"] == found["covered"] == found["largest"] == 0
        assert all(math.isnan(found[name]) for name in MEASURES[5:])
        return
    for name, value in by_hand(clusters, classes).items():
        assert found[name] == pytest.approx(value, abs=1e-9, nan_ok=True), name


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 4)), min_size=2, max_size=40))
@pytest.mark.filterwarnings("ignore:The number of unique classes")
def test_pairs_are_those_of_scikit_learn(images: list[tuple[int, int]]):
    clusters, classes = map(list, zip(*images, strict=True))
    (_, _), (others, same) = pair_confusion_matrix(clusters, classes)
    (one, two), (three, four) = pair_confusion_matrix(classes, clusters)
    found = quality(clusters, classes)
    expected = same / (same + others) if same + others else math.nan
    assert found["pair_precision"] == pytest.approx(expected, nan_ok=True)
    denominator = (one + two) * (two + four) + (one + three) * (three + four)
    index = 2 * (one * four - two * three) / denominator if denominator else 1.0
    assert found["ari"] == pytest.approx(index)


def test_the_names_and_order_of_clusters_do_not_matter():
    clusters = generator().integers(-1, 5, len(TRUE))
    renamed = np.array([3, 0, 4, 2, 1, -1])[clusters]
    order = generator().permutation(len(TRUE))
    first = quality(clusters, TRUE)
    for other in (quality(renamed, TRUE), quality(clusters[order], TRUE[order])):
        for name in set(MEASURES) - {"purity_chance", "nmi_chance"}:
            assert other[name] == pytest.approx(first[name])


def test_true_labels_agree_with_themselves():
    found = quality(TRUE, TRUE)
    for name in ("covered", "purity", "nmi", "ari", "pair_precision", "task_precision"):
        assert found[name] == pytest.approx(1.0)
    assert found["purity_chance"] < 0.7


def test_random_clusters_are_at_the_floor_of_chance():
    classes = np.repeat(np.arange(50), 40)
    random = np.random.default_rng(1)
    found = [quality(random.integers(100, size=2000), classes) for _ in range(5)]
    for name, other in (("purity", "purity_chance"), ("nmi", "nmi_chance")):
        means = [np.mean([one[key] for one in found]) for key in (name, other)]
        assert means[0] == pytest.approx(means[1], rel=0.05)
    assert np.mean([one["nmi"] for one in found]) > 0.2  # why its chance level is reported
    assert abs(np.mean([one["ari"] for one in found])) < 0.005
    assert np.mean([one["pair_precision"] for one in found]) == pytest.approx(39 / 1999, rel=0.2)


def test_one_cluster_is_as_pure_as_the_largest_class():
    found = quality([0] * 5, [0, 0, 0, 1, 2])
    assert found["purity"] == found["purity_chance"] == 0.6
    assert found["nmi"] == pytest.approx(0.0, abs=1e-12)
    assert found["ari"] == 0.0
    assert found["pair_precision"] == found["task_precision"] == pytest.approx(3 / 10)


@pytest.mark.filterwarnings("ignore:The number of unique classes")
def test_single_images_are_pure_but_no_better_than_chance():
    found = quality(np.arange(len(TRUE)), TRUE)
    assert found["purity"] == found["purity_chance"] == 1.0
    assert found["nmi"] == pytest.approx(found["nmi_chance"])
    assert found["ari"] == 0.0
    assert math.isnan(found["pair_precision"])
    assert math.isnan(found["task_precision"])


def test_large_clusters_weigh_more_in_pairs_than_in_tasks():
    found = quality([0] * 10 + [1, 1], [0, 1] * 5 + [0, 0])
    assert found["pair_precision"] == pytest.approx((20 + 1) / (45 + 1))
    assert found["task_precision"] == pytest.approx((20 / 45 + 1) / 2)


def test_a_partition_of_other_images_is_refused():
    with pytest.raises(DataError, match="cannot be compared"):
        quality([0, 0], [0, 1, 1])
    with pytest.raises(DataError, match="cannot be compared"):
        quality([0, 0], [[0, 1], [1, 1]])  # attributes


def measured(folder: Path, partitions) -> dict[str, object]:
    measure_partitions(np.array(partitions), TRUE, folder, HEADER)
    return json.loads((folder / "quality.json").read_text())


def test_the_files_have_each_partition_and_the_means(tmp_path: Path):
    partitions = np.stack([TRUE // 2, np.where(TRUE == 3, -1, TRUE), TRUE]).astype(np.int8)
    summary = measured(tmp_path, partitions)
    assert {key: summary[key] for key in HEADER} == HEADER
    assert (summary["images"], summary["partitions"]) == (24, 3)
    assert summary["classes"] == {"count": 4, "smallest": 6, "median": 6.0, "largest": 6}
    with (tmp_path / "quality.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["partition"] for row in rows] == ["0", "1", "2"]
    assert [row["clusters"] for row in rows] == ["2", "3", "4"]
    assert [float(row["purity"]) for row in rows] == [0.5, 1.0, 1.0]
    assert [float(row["covered"]) for row in rows] == [1.0, 0.75, 1.0]
    for name, values in read_quality(tmp_path / "quality.csv").items():
        assert [float(row[name]) for row in rows] == values.tolist()
        assert summary["mean"][name] == pytest.approx(math.fsum(values) / 3, rel=1e-12)


def test_the_same_partitions_give_the_same_bytes(tmp_path: Path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        measured(tmp_path / name, [TRUE % 3, TRUE // 3])
    for file in ("quality.json", "quality.csv"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


@pytest.mark.filterwarnings("ignore:The number of unique classes")
@pytest.mark.parametrize(
    "partitions",
    [
        np.empty((0, len(TRUE)), int),
        [np.full(len(TRUE), -1)],
        [TRUE, np.arange(len(TRUE))],
        [TRUE[1:]],
    ],
    ids=["none", "all dropped", "single images", "other images"],
)
def test_partitions_that_give_no_tasks_leave_no_files(tmp_path: Path, partitions):
    with pytest.raises(DataError, match="cannot be compared"):
        measured(tmp_path, partitions)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda _: "",
        lambda text: text.splitlines()[0] + "\n",
        lambda text: text.replace("purity", "pureness", 1),
        lambda text: text.rstrip("\n") + ",1\n",
        lambda text: text.rstrip("\n")[:-4] + "x\n",
        lambda text: text.replace("1.0", "nan"),
        lambda text: text + "1,2\n",
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, change):
    measured(tmp_path, [TRUE])
    path = tmp_path / "quality.csv"
    path.write_text(change(path.read_text()))
    with pytest.raises(DataError, match="cannot be read"):
        read_quality(path)
