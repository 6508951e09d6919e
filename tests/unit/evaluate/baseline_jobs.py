"""Small data sets, embeddings and jobs for tests of the baselines."""

from pathlib import Path
from typing import Any

import numpy as np

from cactus.config.sections.base import DatasetName
from cactus.config.sections.evaluation import BaselineSettings, EvaluationSettings
from cactus.data.array_files import write_array
from cactus.data.arrays import Manifest, SplitRecord, array_record, write_labels, write_manifest
from cactus.files import write_json
from cactus.stages.run_baselines import RunBaselinesSpec

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
    manifest = {"dataset": dataset, "synthetic": True, "image_shape": (1, 1, 1)}
    write_manifest(folder, Manifest(**manifest, splits=records))


def write_embeddings(folder: Path, arrays: dict[str, np.ndarray]) -> None:
    records = {}
    for split, array in arrays.items():
        write_array(folder / f"{split}.npy", array.astype(np.float32))
        records[split] = {"file": f"{split}.npy", "shape": list(array.shape)}
    write_json(folder / "manifest.json", {"embedding": "acai", "arrays": records})


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
