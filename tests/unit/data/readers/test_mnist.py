import gzip
import struct
import subprocess
import sys

import numpy as np
import pytest

from cactus.data.arrays import load_images, load_labels, load_manifest, load_sources
from cactus.data.prepare import check_raw, prepare
from cactus.errors import DataError
from tests.unit.data.rawfiles import (
    SETTINGS,
    idx,
    mnist_arrays,
    mnist_members,
    write_any,
    write_files,
    write_zip,
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
    names = [record.file for record in load_sources(run(tmp_path)).raw]
    assert len(names) == 4
    assert all(name.endswith(".gz") for name in names)


def test_unofficial_files_are_recorded(tmp_path):
    write_files(tmp_path / "raw/mnist", mnist_members(mnist_arrays()))
    sources = load_sources(run(tmp_path))
    assert [record.official for record in sources.raw] == [False] * 4
    assert any("not an official file" in note for note in sources.notes)
    strict = SETTINGS.model_copy(update={"official_only": True})
    with pytest.raises(DataError, match="not the official one"):
        run(tmp_path, strict)
    assert not (tmp_path / "out/manifest.json").exists()


def hostile(count, *sides, magic=0x803):
    return struct.pack(f">{2 + len(sides)}I", magic, count, *sides)


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
        "labels for images": ({images: members[labels]}, "do not match each other"),
        "images for labels": ({labels: members[images]}, "do not match each other"),
        "test for training": (
            {images.replace("train", "t10k"): gzip.compress(hostile(60000, 28, 28))},
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
    members["train-images-idx3-ubyte.gz"] = gzip.compress(
        struct.pack(">4I", 0x803, 4000, 28, 28) + bytes(4000 * 28 * 28)
    )
    write_files(tmp_path / "raw/mnist", members)
    with pytest.raises(DataError, match="unpacks to more"):
        run(tmp_path, SETTINGS.model_copy(update={"max_unpacked_gib": 2 / 1024}))


def test_validation_split_must_leave_training_images(tmp_path):
    write_files(tmp_path / "raw/mnist", mnist_members(mnist_arrays(train=20)))
    with pytest.raises(DataError, match="leaves no training image"):
        run(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "damaged"),
        (b"\0", "damaged"),
        (b"hello", "damaged"),
        (hostile(60, 28), "damaged"),
        (hostile(2**32 - 1, 28, 28), "MNIST has 60000"),
        (hostile(65536, 2**31, 2**31), "images of 2147483648x2147483648"),
        (hostile(0, 0, 0), "images of 0x0"),
        (hostile(0, 28, 28), "0 images and 60 labels"),
        (hostile(60, 0, 28), "images of 0x28"),
        (hostile(60000, 28, 28), "0 bytes for a shape of (60000, 28, 28)"),
        (hostile(1, 28, 28) + bytes(28 * 28 + 1), "more than 784 bytes"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n", "git lfs pull"),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_headers_are_checked_before_memory_is_taken(tmp_path, content, message, pack):
    members = mnist_members(mnist_arrays()) | {"train-images-idx3-ubyte.gz": pack(content)}
    write_files(tmp_path / "raw/mnist", members)
    with pytest.raises(DataError) as caught:
        run(tmp_path)
    assert message in str(caught.value)


def test_no_more_is_unpacked_than_the_header_says(tmp_path):
    """3 GB behind a header of 60,000 images: 47 MB are read."""
    script = (
        "import resource, sys; from pathlib import Path\n"
        "from cactus.data.prepare import prepare; from cactus.errors import DataError\n"
        "from tests.unit.data.rawfiles import SETTINGS\n"
        "resource.setrlimit(resource.RLIMIT_DATA, (400 << 20, 400 << 20))\n"
        "try: prepare('mnist', SETTINGS, Path(sys.argv[1]), Path(sys.argv[1], 'o'), False)\n"
        "except DataError as error: print(error)\n"
    )
    write_files(tmp_path / "mnist", mnist_members(mnist_arrays()))
    with gzip.open(tmp_path / "mnist/train-images-idx3-ubyte.gz", "wb", 1) as file:
        file.write(hostile(60000, 28, 28))
        for _ in range(300):
            file.write(bytes(1 << 20))
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path], capture_output=True, text=True, timeout=60
    )
    assert "more than 47040000 bytes for a shape of (60000, 28, 28)" in done.stdout, done.stderr


@pytest.mark.parametrize("pack", ["plain under .gz", "gzip twice", "gzip without .gz"])
def test_content_decides_whether_a_file_is_compressed(tmp_path, pack):
    arrays = mnist_arrays()
    plain = mnist_members(arrays, compressed=False)
    members = {
        "plain under .gz": {f"{name}.gz": data for name, data in plain.items()},
        "gzip twice": {
            f"{name}.gz": gzip.compress(gzip.compress(data)) for name, data in plain.items()
        },
        "gzip without .gz": {name: gzip.compress(data) for name, data in plain.items()},
    }
    write_files(tmp_path / "raw/mnist", members[pack])
    np.testing.assert_array_equal(load_images(run(tmp_path), "test")[..., 0], arrays["t10k-images"])


def test_gzip_thrice_says_so(tmp_path):
    members = mnist_members(mnist_arrays())
    thrice = {name: gzip.compress(gzip.compress(data)) for name, data in members.items()}
    write_files(tmp_path / "raw/mnist", thrice)
    with pytest.raises(DataError, match="again and again"):
        run(tmp_path)


@pytest.mark.parametrize(
    ("prefix", "rename"),
    [
        ("MNIST/raw/", str),
        ("mnist/archive/train/", str),
        ("Mnist/", str.upper),
        ("mnist/", lambda name: name.replace("-idx", ".idx").replace("-images", "_images")),
    ],
)
def test_other_layouts_are_found(tmp_path, prefix, rename):
    members = mnist_members(mnist_arrays())
    write_files(tmp_path / "raw/mnist", {".DS_Store": b"x", "train-labels-idx1-ubyte": b"old"})
    if prefix.startswith("mnist/"):
        (tmp_path / "raw/mnist/train-labels-idx1-ubyte").unlink()
    write_files(tmp_path / "raw", {prefix + rename(name): data for name, data in members.items()})
    assert load_images(run(tmp_path), "train").shape == (40, 28, 28, 1)


def test_kaggle_archive_with_folders_named_like_files(tmp_path):
    members = mnist_members(mnist_arrays(), compressed=False, dot=True)
    nested = {
        f"{name.replace('.', '-')}/{name.replace('.', '-')}": d for name, d in members.items()
    }
    write_zip(tmp_path / "raw/mnist/archive.zip", members | nested)
    assert load_images(run(tmp_path), "train").shape == (40, 28, 28, 1)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("mnist.npz", b"PK\x03\x04", "NumPy arrays"),
        ("mnist_train.csv", b"label,1x1\n", "a table"),
        ("training/0/1.png", b"\x89PNG", "images"),
        ("train-images-idx3-ubyte (1).gz", b"\x1f\x8b", "rename it so"),
        ("mnist.zip.crdownload", b"PK", "an unfinished download"),
        ("MNIST.7z", b"7z\xbc\xaf", "unpack it here"),
        ("mnist.zip.001", b"PK", "one volume"),
        ("train-00000-of-00001.parquet", b"PAR1", "data of another kit"),
    ],
)
def test_what_is_seen_and_not_used_is_named(tmp_path, capsys, name, content, reason):
    write_files(tmp_path / "raw/mnist", {name: content})
    with pytest.raises(DataError, match="are missing") as caught:
        check_raw("mnist", SETTINGS, tmp_path / "raw")
    assert name in caught.value.got
    assert reason in caught.value.got
    check_raw("mnist", SETTINGS.model_copy(update={"download": True}), tmp_path / "raw")
    said = capsys.readouterr().err
    assert name in said
    assert "are downloaded" in said


def test_a_download_that_goes_on_is_named_where_none_may(tmp_path, capsys):
    part = "train-images-idx3-ubyte.gz.part"
    write_files(tmp_path / "raw/mnist", {part: b"\x1f\x8b"})
    check_raw("mnist", SETTINGS.model_copy(update={"download": True}), tmp_path / "raw")
    assert capsys.readouterr().err == ""
    with pytest.raises(DataError) as caught:
        check_raw("mnist", SETTINGS, tmp_path / "raw")
    assert f"{part} (an unfinished download)" in caught.value.got


def test_equal_pixels_of_two_splits_are_noted(tmp_path):
    arrays = mnist_arrays()
    arrays["t10k-images"][3] = arrays["train-images"][7]
    arrays["t10k-images"][4] = arrays["train-images"][7]
    arrays["train-images"][50] = arrays["train-images"][8]
    write_files(tmp_path / "raw/mnist", mnist_members(arrays))
    assert (
        "2 images have the same pixels in two splits, e.g. row 7 of train_images.npy and row 3 of "
        "test_images.npy; row 8 of train_images.npy and row 10 of val_images.npy"
    ) in load_sources(run(tmp_path)).notes
