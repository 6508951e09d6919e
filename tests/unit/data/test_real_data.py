"""The real data sets below $CACTUS_RAW_DATA."""

import os
import re
from pathlib import Path

import numpy as np
import pytest

from cactus.config.sections.data.section import DataSettings
from cactus.data.arrays import load_images, load_labels, load_manifest, load_sources
from cactus.data.names import load_names
from cactus.data.prepare import check_raw, prepare

RAW = os.environ.get("CACTUS_RAW_DATA")
pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(RAW is None, reason="CACTUS_RAW_DATA names no folder of raw data"),
]


def run(dataset, tmp_path):
    settings = DataSettings(download=False)
    if not (Path(RAW) / dataset).is_dir():
        pytest.skip(f"no {dataset} below CACTUS_RAW_DATA")
    check_raw(dataset, settings, Path(RAW))
    prepare(dataset, settings, Path(RAW), tmp_path, synthetic=False)
    return load_manifest(tmp_path)


def test_mnist(tmp_path):
    run("mnist", tmp_path)
    assert {record.official for record in load_sources(tmp_path).raw} == {True}
    for split, count in (("train", 50_000), ("val", 10_000), ("test", 10_000)):
        images = load_images(tmp_path, split)
        assert images.shape == (count, 28, 28, 1)
        # Digits are white on black: the border is empty, the ink about a fifth of the page.
        assert images[:, 0].mean() < 1
        assert 30 < images.mean() < 40
    assert load_labels(tmp_path, "train")[:5].tolist() == [5, 0, 4, 1, 9]
    assert load_labels(tmp_path, "test")[:5].tolist() == [7, 2, 1, 0, 4]


def test_omniglot(tmp_path):
    manifest = run("omniglot", tmp_path)
    names = set()
    for split, characters in (("train", 1100), ("val", 100), ("test", 423)):
        images = load_images(tmp_path, split)
        assert images.shape == (20 * characters, 28, 28, 1)
        assert (np.bincount(load_labels(tmp_path, split)) == 20).all()
        assert 10 < images.mean() < 40
        names.update(manifest.splits[split].classes)
    assert len(names) == 1623
    assert len({name.split("/")[0] for name in names}) == 50
    drawings = load_names(tmp_path, "test", 20 * 423)
    assert len(set(drawings)) == 20 * 423
    classes = manifest.splits["test"].classes
    for name, label in zip(drawings, load_labels(tmp_path, "test"), strict=True):
        assert re.fullmatch(rf"{re.escape(classes[label])}/\d{{4}}_\d\d", name)
