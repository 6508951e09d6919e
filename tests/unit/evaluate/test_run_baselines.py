import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cactus.config.sections.base import DatasetName
from cactus.config.sections.evaluation import BaselineSettings, EvaluationSettings
from cactus.data.arrays import (
    Manifest,
    SplitRecord,
    array_record,
    write_labels,
    write_manifest,
)
from cactus.errors import ConfigError, DataError, EpisodeError
from cactus.evaluate.baselines.knn import NearestNeighbors
from cactus.evaluate.episodes import episodes_sha256, evaluation_episodes
from cactus.evaluate.run_baselines import run_baselines, score
from cactus.evaluate.statistics import read_accuracies
from cactus.files import write_array, write_json
from cactus.stages.run_baselines import RunBaselinesSpec
from cactus.tasks.episodes import EpisodeBatch
from cactus.tasks.labels import task_labels

CLASSES, IMAGES, DIMS = 8, 10, 12
METHODS = ["knn", "linear", "mlp", "cluster_matching"]
SPLITS = ("train", "val", "test")
SINGLE: dict[str, Any] = {
    "knn": {"neighbors": [1]},
    "linear": {"c": [1.0]},
    "mlp": {"hidden_units": [128], "dropout": [0.5], "epochs": 5},
}


def write_data(folder: Path, labels: dict[str, np.ndarray], columns: dict[str, list[int]]) -> None:
    records = {}
    for split, values in labels.items():
        images = folder / f"{split}_images.npy"
        write_array(images, np.zeros((len(values), 1, 1, 1), np.uint8))
        records[split] = SplitRecord(
            images=array_record(images, (len(values), 1, 1, 1), np.uint8),
            labels=write_labels(folder / f"{split}_labels.npy", values),
            classes=[],
            attributes=columns.get(split),
        )
    dataset = "celeba" if columns else "omniglot"
    manifest = {"dataset": dataset, "synthetic": True, "image_shape": (1, 1, 1), "raw": []}
    write_manifest(folder, Manifest(**manifest, notes=[], splits=records))


def write_embeddings(folder: Path, arrays: dict[str, np.ndarray]) -> None:
    records = {}
    for split, array in arrays.items():
        write_array(folder / f"{split}.npy", array.astype(np.float32))
        records[split] = {"file": f"{split}.npy", "shape": list(array.shape)}
    write_json(folder / "manifest.json", {"embedding": "acai", "arrays": records})


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path, Path]:
    """A data set of eight classes per split, and noisy embeddings of it."""
    generator = np.random.default_rng(0)
    labels = {split: np.repeat(np.arange(CLASSES), IMAGES) for split in SPLITS}
    points = {
        split: generator.normal(size=(CLASSES, DIMS))[values]
        + 0.6 * generator.normal(size=(len(values), DIMS))
        for split, values in labels.items()
    }
    write_data(tmp_path / "data", labels, {})
    write_embeddings(tmp_path / "embeddings", points)
    return tmp_path / "data", tmp_path / "embeddings", tmp_path / "out"


def make_job(
    baselines: dict[str, Any] | None = None,
    dataset: DatasetName = "omniglot",
    **evaluation: Any,
) -> RunBaselinesSpec:
    fast = {**SINGLE, "cluster_matching": {"clusters": 8, "n_init": 1}}
    pairs = [{"way": 5, "shot": 1}, {"way": 3, "shot": 4}]
    values = {"tasks": 30, "settings": pairs, "per_dataset": {}, **evaluation}
    return RunBaselinesSpec(
        dataset=dataset,
        embedding="acai",
        settings=BaselineSettings.model_validate({**fast, **(baselines or {}), "per_dataset": {}}),
        evaluation=EvaluationSettings.model_validate(values),
        pool_attributes=3,
        seed=0,
        threads=1,
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


def test_validation_episodes_choose(folders: tuple[Path, Path, Path]) -> None:
    """Validation embeddings are built so that only many neighbors label them well."""
    data, embeddings, output = folders
    generator = np.random.default_rng(1)
    labels = task_labels(data, "val")
    centers = 3 * generator.normal(size=(CLASSES, DIMS))[labels]
    outliers = generator.random(len(labels)) < 0.3
    noisy = np.where(outliers[:, None], 3 * generator.normal(size=centers.shape), centers)
    arrays = {split: np.load(embeddings / f"{split}.npy") for split in SPLITS}
    write_embeddings(embeddings, arrays | {"val": noisy + 0.1 * generator.normal(size=noisy.shape)})
    baselines = {"methods": ["knn"], "knn": {"neighbors": [1, 3, 15]}, "validation_tasks": 200}
    job = make_job(baselines, settings=[{"way": 3, "shot": 5}])
    run_baselines(job, data, embeddings, output, lambda _: None)
    (entry,) = json.loads((output / "summary.json").read_text())["settings"]
    means = {one["parameters"]["neighbors"]: one["mean"] for one in entry["validation"]}
    assert set(means) == {1, 3, 15}
    assert entry["selected"] == {"neighbors": entry["parameters"]["neighbors"]}
    assert entry["validation_tasks"] == 200
    assert entry["parameters"]["neighbors"] == max(means, key=lambda k: means[k])
    alone = {"methods": ["knn"], "knn": {"neighbors": [entry["parameters"]["neighbors"]]}}
    run_baselines(
        make_job(alone, settings=[{"way": 3, "shot": 5}]), data, embeddings, output / "alone", print
    )
    for one, other in zip(
        read_accuracies(output / "accuracies.csv"),
        read_accuracies(output / "alone" / "accuracies.csv"),
        strict=True,
    ):
        np.testing.assert_array_equal(one.accuracies, other.accuracies)


def test_test_labels_do_not_choose(folders: tuple[Path, Path, Path]) -> None:
    """The choice stays the same when the test classes are shuffled among the images."""
    data, embeddings, output = folders
    mlp = {"hidden_units": [4, 30], "dropout": [0.0, 0.5], "epochs": 30, "validation_tasks": 9}
    baselines = {
        "methods": ["knn", "linear", "mlp"],
        "knn": {"neighbors": [1, 5, 50]},
        "linear": {"c": [1e-3, 1.0, 100.0]},
        "mlp": mlp,
        "validation_tasks": 40,
    }
    chosen = []
    for name in ("right", "shuffled"):
        run_baselines(make_job(baselines), data, embeddings, output / name, lambda _: None)
        summary = json.loads((output / name / "summary.json").read_text())
        chosen.append([(one["parameters"], one["validation"]) for one in summary["settings"]])
        labels = {split: task_labels(data, split) for split in SPLITS}
        labels["test"] = np.random.default_rng(0).permutation(labels["test"])
        write_data(data, labels, {})
    assert chosen[0] == chosen[1]
    assert len(chosen[0]) == 6


def test_perceptrons_are_selected_by_fewer_episodes(folders: tuple[Path, Path, Path]) -> None:
    mlp = {"hidden_units": [4, 30], "dropout": [0.5], "epochs": 3, "validation_tasks": 9}
    baselines = {"methods": ["knn", "mlp"], "knn": {"neighbors": [1, 5]}, "mlp": mlp}
    run_baselines(make_job({**baselines, "validation_tasks": 40}), *folders, lambda _: None)
    summary = json.loads((folders[2] / "summary.json").read_text())
    tasks = {one["method"]: one["validation_tasks"] for one in summary["settings"]}
    assert tasks == {"knn": 40, "mlp": 9}
    mlp_entry = summary["settings"][1]
    assert set(mlp_entry["selected"]) == {"hidden_units"}
    assert mlp_entry["parameters"]["dropout"] == 0.5


@pytest.mark.parametrize("order", [[1, 3, 15], [15, 3, 1]])
def test_the_first_listed_value_wins_a_tie(
    folders: tuple[Path, Path, Path], order: list[int]
) -> None:
    """Every embedding is the same point, so that every value labels all queries alike."""
    write_embeddings(folders[1], {split: np.ones((80, DIMS)) for split in SPLITS})
    baselines = {"methods": ["knn"], "knn": {"neighbors": order}, "validation_tasks": 20}
    run_baselines(make_job(baselines, settings=[{"way": 3, "shot": 5}]), *folders, lambda _: None)
    (entry,) = json.loads((folders[2] / "summary.json").read_text())["settings"]
    assert len({one["mean"] for one in entry["validation"]}) == 1
    assert entry["selected"] == {"neighbors": order[0]}


def test_the_reference_solver_scores_like_ours(folders: tuple[Path, Path, Path]) -> None:
    data, embeddings, output = folders
    values = {"methods": ["linear"], "validation_tasks": 20}
    found = []
    for solver in ("newton", "scikit-learn"):
        job = make_job({**values, "linear": {"c": [0.01, 1.0], "solver": solver}})
        run_baselines(job, data, embeddings, output / solver, lambda _: None)
        summary = json.loads((output / solver / "summary.json").read_text())
        assert {one["parameters"]["solver"] for one in summary["settings"]} == {solver}
        found.append([(one["selected"], one["mean"]) for one in summary["settings"]])
    assert found[0] == found[1]


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
