import gzip

import numpy as np
import pytest

from cactus.data.arrays import load_images, load_labels, load_manifest
from cactus.data.prepare import check_raw, prepare
from cactus.errors import DataError
from tests.unit.data.rawfiles import (
    SETTINGS,
    idx,
    mnist_arrays,
    mnist_members,
    write_any,
    write_files,
)


def run(tmp_path, settings=SETTINGS):
    check_raw("mnist", settings, tmp_path / "raw")
    prepare("mnist", settings, tmp_path / "raw", tmp_path / "out", synthetic=False)
    return tmp_path / "out"


@pytest.mark.parametrize("packing", ["folder", "zip", "tar.gz"])
@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("dot", [True, False])
def test_every_form_gives_the_images(tmp_path, packing, compressed, dot):
    arrays = mnist_arrays()
    members = mnist_members(arrays, compressed=compressed, dot=dot)
    write_any(tmp_path / "raw/mnist", "mnist", members, packing)
    out = run(tmp_path)
    train, val = load_images(out, "train"), load_images(out, "val")
    np.testing.assert_array_equal(np.concatenate([train, val])[..., 0], arrays["train-images"])
    assert len(val) == 20
    np.testing.assert_array_equal(load_images(out, "test")[..., 0], arrays["t10k-images"])
    np.testing.assert_array_equal(load_labels(out, "test"), arrays["t10k-labels"])
    assert load_labels(out, "val").dtype == np.int64
    assert load_manifest(out).splits["train"].classes == list("0123456789")


@pytest.mark.parametrize("folder", ["MNIST/raw", "mnist/MNIST/raw", "mnist/raw"])
def test_torchvision_folders_are_found(tmp_path, folder):
    write_files(tmp_path / "raw" / folder, mnist_members(mnist_arrays(), compressed=False))
    assert load_images(run(tmp_path), "train").shape == (40, 28, 28, 1)


def test_compressed_file_is_preferred(tmp_path):
    write_files(tmp_path / "raw/mnist", mnist_members(mnist_arrays()))
    write_files(tmp_path / "raw/mnist", mnist_members(mnist_arrays(), compressed=False))
    names = [record.file for record in load_manifest(run(tmp_path)).raw]
    assert len(names) == 4
    assert all(name.endswith(".gz") for name in names)


def test_unofficial_files_are_recorded(tmp_path):
    write_files(tmp_path / "raw/mnist", mnist_members(mnist_arrays()))
    manifest = load_manifest(run(tmp_path))
    assert [record.official for record in manifest.raw] == [False] * 4
    assert any("not an official file" in note for note in manifest.notes)
    strict = SETTINGS.model_copy(update={"official_only": True})
    with pytest.raises(DataError, match="not the official one"):
        run(tmp_path, strict)
    assert not (tmp_path / "out/manifest.json").exists()


def broken(members):
    images = "train-images-idx3-ubyte.gz"
    labels = "train-labels-idx1-ubyte.gz"
    content = gzip.decompress(members[images])
    return {
        "truncated gzip": ({images: members[images][:-500]}, "damaged"),
        "truncated idx": ({images: gzip.compress(content[:-5])}, "damaged"),
        "not idx": ({images: gzip.compress(b"\x00\x00\x0d\x03" + content[4:])}, "damaged"),
        "not gzip": ({images: b"no gzip at all"}, "damaged"),
        "html": ({images: b"\n<!DOCTYPE html><html>quota</html>"}, "web page"),
        "wrong image size": (
            {images: gzip.compress(idx(np.zeros((60, 32, 32), np.uint8)))},
            "do not match each other",
        ),
        "label out of range": (
            {labels: gzip.compress(idx(np.full(60, 10, np.uint8)))},
            "do not match each other",
        ),
        "too few labels": ({labels: gzip.compress(idx(np.zeros(59, np.uint8)))}, "do not match"),
        "class without images": ({labels: gzip.compress(idx(np.zeros(60, np.uint8)))}, "too few"),
    }


@pytest.mark.parametrize("case", list(broken(mnist_members(mnist_arrays()))))
def test_bad_files_stop_with_one_message(tmp_path, case):
    members = mnist_members(mnist_arrays())
    changed, message = broken(members)[case]
    write_files(tmp_path / "raw/mnist", members | changed)
    with pytest.raises(DataError, match=message) as caught:
        run(tmp_path)
    assert all(getattr(caught.value, part) for part in ("what", "where", "got", "fix"))
    assert not (tmp_path / "out/manifest.json").exists()


def test_unpacking_bomb_is_refused(tmp_path):
    members = mnist_members(mnist_arrays())
    members["train-images-idx3-ubyte.gz"] = gzip.compress(bytes(3 << 20))
    write_files(tmp_path / "raw/mnist", members)
    with pytest.raises(DataError, match="unpacks to more"):
        run(tmp_path, SETTINGS.model_copy(update={"max_unpacked_gib": 2 / 1024}))


def test_validation_split_must_leave_training_images(tmp_path):
    write_files(tmp_path / "raw/mnist", mnist_members(mnist_arrays(train=20)))
    with pytest.raises(DataError, match="leaves no training image"):
        run(tmp_path)
