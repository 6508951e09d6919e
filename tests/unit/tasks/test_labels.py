import json

import numpy as np
import pytest

from cactus.data.arrays import Manifest, SplitRecord, array_record, write_labels, write_manifest
from cactus.errors import DataError
from cactus.tasks.labels import task_labels


def prepared(folder, dataset, labels, attributes):
    np.save(folder / "images.npy", np.zeros((len(labels), 2, 2, 1), np.uint8))
    images = array_record(folder / "images.npy", (len(labels), 2, 2, 1), np.uint8)
    splits = {
        split: SplitRecord(
            images=images,
            labels=write_labels(folder / f"{split}_labels.npy", labels),
            classes=["a", "b"],
            attributes=columns,
        )
        for split, columns in attributes.items()
    }
    manifest = Manifest(dataset=dataset, synthetic=True, image_shape=(2, 2, 1), splits=splits)
    write_manifest(folder, manifest)


def test_classes_are_read_as_they_are(tmp_path):
    labels = np.array([0, 1, 1])
    prepared(tmp_path, "mnist", labels, dict.fromkeys(("train", "val", "test")))
    assert task_labels(tmp_path, "val").tolist() == [0, 1, 1]


def test_attributes_of_the_split_are_selected(tmp_path):
    labels = np.random.default_rng(0).integers(0, 2, (5, 40), dtype=np.uint8)
    columns = {"train": [0, 1, 2], "val": [20, 21], "test": [38, 39]}
    prepared(tmp_path, "celeba", labels, columns)
    assert np.array_equal(task_labels(tmp_path, "train"), labels[:, :3])
    assert np.array_equal(task_labels(tmp_path, "test"), labels[:, 38:])


@pytest.mark.parametrize(
    ("labels", "got"),
    [
        ([0, 1, 2], "labels 0 to 2 for 2 classes"),
        ([0, 1, -1], "labels -1 to 1 for 2 classes"),
        ([0, 1], "2 labels for 3 images"),
    ],
)
def test_labels_other_than_those_of_the_images_are_refused(tmp_path, labels, got):
    prepared(tmp_path, "mnist", np.array(labels), dict.fromkeys(("train", "val", "test")))
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    manifest["splits"]["val"]["images"]["shape"][0] = 3
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(DataError, match="not those of its images") as caught:
        task_labels(tmp_path, "val")
    assert caught.value.got == got
