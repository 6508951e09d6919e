"""Baselines that select among several values, by validation episodes."""

import json
from pathlib import Path

import numpy as np
import pytest

from cactus.evaluate.run_baselines import run_baselines
from cactus.evaluate.statistics import read_accuracies
from cactus.tasks.labels import task_labels
from tests.unit.evaluate.baseline_jobs import (
    CLASSES,
    DIMS,
    SPLITS,
    make_job,
    write_data,
    write_embeddings,
)


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
