import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cactus.errors import ConfigError, DataError, EpisodeError
from cactus.evaluate.baselines.knn import NearestNeighbors
from cactus.evaluate.episodes import episodes_sha256, evaluation_episodes
from cactus.evaluate.run_baselines import run_baselines, score
from cactus.evaluate.statistics import read_accuracies
from cactus.tasks.episodes import EpisodeBatch
from cactus.tasks.labels import task_labels
from tests.unit.evaluate.baseline_jobs import (
    DIMS,
    METHODS,
    SPLITS,
    make_job,
    write_data,
    write_embeddings,
)


def test_every_method_is_scored_on_the_same_episodes(folders: tuple[Path, Path, Path]) -> None:
    lines: list[str] = []
    run_baselines(make_job(), *folders, lines.append)
    results = read_accuracies(folders[2] / "accuracies.csv")
    expected = [(method, way, shot) for way, shot in ((5, 1), (3, 4)) for method in METHODS]
    assert [(one.method, one.way, one.shot) for one in results] == expected
    summary = json.loads((folders[2] / "summary.json").read_text())
    hashes = {(one["way"], one["shot"]): one["episodes_sha256"] for one in summary["settings"]}
    for entry, result in zip(summary["settings"], results, strict=True):
        assert entry["mean"] == np.mean(result.accuracies)
        assert entry["tasks"] == len(result.accuracies) == 30
        assert entry["episodes_sha256"] == hashes[entry["way"], entry["shot"]]
        assert entry["mean"] > 1 / entry["way"]
    assert summary["dims"] == DIMS
    assert any("(8 of 8)" in line for line in lines)


def test_accuracies_are_those_of_the_shared_episodes(folders: tuple[Path, Path, Path]) -> None:
    job = make_job({"methods": ["knn"]})
    run_baselines(job, *folders, lambda _: None)
    labels = task_labels(folders[0], "test")
    points = np.load(folders[1] / "test.npy")
    batches = evaluation_episodes(
        "omniglot", labels, job.evaluation.settings[0], job.evaluation, pool_attributes=3
    )
    first = read_accuracies(folders[2] / "accuracies.csv")[0]
    expected = []
    for batch in batches:
        for support, query in zip(batch.support[:, :, 0], batch.query, strict=True):
            distances = ((points[query][:, :, None] - points[support]) ** 2).sum(axis=-1)
            expected.append(np.mean(distances.argmin(axis=-1) == np.arange(5)[:, None]))
    np.testing.assert_allclose(first.accuracies, expected)
    summary = json.loads((folders[2] / "summary.json").read_text())
    assert summary["settings"][0]["episodes_sha256"] == episodes_sha256(batches)


def test_score_does_not_depend_on_batches(folders: tuple[Path, Path, Path]) -> None:
    job, points = make_job(), np.load(folders[1] / "test.npy")
    labels, setting = task_labels(folders[0], "test"), job.evaluation.settings[0]
    batches = evaluation_episodes("omniglot", labels, setting, job.evaluation, pool_attributes=3)
    single = [
        EpisodeBatch(batch.support[[task]], batch.query[[task]])
        for batch in batches
        for task in range(len(batch.support))
    ]
    scores = [score(NearestNeighbors([1]), points, one, print) for one in (batches, single)]
    np.testing.assert_array_equal(*scores)


def test_second_run_writes_the_same_bytes(folders: tuple[Path, Path, Path]) -> None:
    data, embeddings, output = folders
    for name in ("one", "two"):
        run_baselines(make_job(), data, embeddings, output / name, lambda _: None)
    for file in ("accuracies.csv", "summary.json"):
        assert (output / "one" / file).read_bytes() == (output / "two" / file).read_bytes()


def test_too_few_validation_classes_leave_no_result(folders: tuple[Path, Path, Path]) -> None:
    data, embeddings, output = folders
    labels = {split: task_labels(data, split) for split in SPLITS}
    write_data(data, labels | {"val": labels["val"] % 4}, {})
    baselines = {"methods": ["knn"], "knn": {"neighbors": [1, 3]}}
    with pytest.raises(EpisodeError, match="at least 5 classes") as caught:
        run_baselines(make_job(baselines), data, embeddings, output, lambda _: None)
    assert "val, 5-way 1-shot" in caught.value.where
    assert "baselines.knn a single value" in caught.value.fix
    assert not output.exists() or not list(output.iterdir())
    run_baselines(make_job({"methods": ["knn"]}), data, embeddings, output, lambda _: None)


def test_unused_labels_are_not_read(folders: tuple[Path, Path, Path]) -> None:
    for split in ("train", "val"):
        (folders[0] / f"{split}_labels.npy").unlink()
    run_baselines(make_job(), *folders, lambda _: None)
    assert (folders[2] / "summary.json").exists()


def test_attribute_tasks_are_scored(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    labels = {split: generator.integers(0, 2, (400, 40), dtype=np.uint8) for split in SPLITS}
    write_data(
        tmp_path / "data",
        labels,
        {
            "train": list(range(20)),
            "val": list(range(20, 30)),
            "test": list(range(30, 40)),
        },
    )
    write_embeddings(tmp_path / "embeddings", {k: v.astype(float) for k, v in labels.items()})
    job = make_job(dataset="celeba", settings=[{"way": 2, "shot": 5}])
    run_baselines(job, tmp_path / "data", tmp_path / "embeddings", tmp_path / "out", print)
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    means = {one["method"]: one["mean"] for one in summary["settings"]}
    # The three attributes of a task differ between its classes, so they can be found.
    assert means["linear"] > 0.6


@pytest.mark.parametrize(
    ("baselines", "evaluation", "error"),
    [
        ({}, {"settings": [{"way": 9, "shot": 1}]}, EpisodeError),
        ({}, {"settings": [{"way": 5, "shot": 1}, {"way": 5, "shot": 6}]}, EpisodeError),
        ({"knn": {"neighbors": [6]}}, {}, ConfigError),
        ({"cluster_matching": {"clusters": 81}}, {}, ConfigError),
    ],
    ids=["way", "shot", "neighbors", "clusters"],
)
def test_impossible_jobs_leave_no_result(
    folders: tuple[Path, Path, Path],
    baselines: dict[str, Any],
    evaluation: dict[str, Any],
    error: type[Exception],
) -> None:
    folders[2].mkdir()
    (folders[2] / "summary.json").write_text("{}")
    lines: list[str] = []
    with pytest.raises(error):
        run_baselines(make_job(baselines, **evaluation), *folders, lines.append)
    assert list(folders[2].iterdir()) == []
    assert not any("way" in line for line in lines)


def test_foreign_embeddings_are_refused(folders: tuple[Path, Path, Path]) -> None:
    write_embeddings(folders[1], {split: np.zeros((79, DIMS)) for split in SPLITS})
    with pytest.raises(DataError, match="do not match"):
        run_baselines(make_job(), *folders, lambda _: None)


def test_torch_is_not_imported() -> None:
    code = (
        "import sys; sys.path[:0] = [p for p in {path!r}]\n"
        "import cactus.evaluate.run_baselines, cactus.evaluate.statistics\n"
        "import cactus.evaluate.comparison\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code.format(path=sys.path)], check=True)
