import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cactus.data.array_files import write_array
from cactus.data.arrays import (
    Manifest,
    Sources,
    SplitRecord,
    array_record,
    image_writer,
    load_images,
    load_labels,
    load_manifest,
    load_sources,
    write_labels,
    write_manifest,
    write_sources,
)
from cactus.data.files.record import RawRecord
from cactus.errors import DataError
from cactus.files import file_hash


@given(
    images=hnp.arrays(np.uint8, hnp.array_shapes(min_dims=4, max_dims=4, max_side=5)),
    data=st.data(),
)
@settings(max_examples=25, deadline=None)
def test_rows_in_any_order_make_the_array(tmp_path_factory, images, data):
    path = tmp_path_factory.mktemp("arrays") / "images.npy"
    with image_writer(path, images.shape) as write_row:
        for row in data.draw(st.permutations(range(len(images)))):
            write_row(row, images[row])
    np.testing.assert_array_equal(np.load(path, allow_pickle=False), images)


def image(level):
    return np.full((2, 3, 1), level, dtype=np.uint8)


@pytest.mark.parametrize(
    ("row", "value"),
    [
        (2, image(0)),
        (-1, image(0)),
        (0, image(0)),
        (1, image(0)[..., 0]),
        (1, image(0).astype(np.float32)),
    ],
)
def test_wrong_rows_are_refused_and_nothing_is_left(tmp_path, row, value):
    def write():
        with image_writer(tmp_path / "images.npy", (2, 2, 3, 1)) as write_row:
            write_row(0, image(1))
            write_row(row, value)

    with pytest.raises(ValueError, match=r"row|image"):
        write()
    assert not list(tmp_path.iterdir())


def test_unwritten_rows_are_refused(tmp_path):
    def write():
        with image_writer(tmp_path / "images.npy", (2, 2, 3, 1)) as write_row:
            write_row(0, image(1))

    with pytest.raises(ValueError, match="1 of 2 rows"):
        write()
    assert not list(tmp_path.iterdir())


@pytest.fixture
def folder(tmp_path):
    splits = {}
    for split, count in (("train", 4), ("val", 3), ("test", 2)):
        path = tmp_path / f"{split}_images.npy"
        with image_writer(path, (count, 2, 3, 1)) as write_row:
            for row in range(count):
                write_row(row, image(row))
        labels = write_labels(tmp_path / f"{split}_labels.npy", np.arange(count))
        splits[split] = SplitRecord(
            images=array_record(path, (count, 2, 3, 1), "uint8"), labels=labels, classes=["a"]
        )
    manifest = Manifest(
        dataset="mnist",
        synthetic=True,
        image_shape=(2, 3, 1),
        splits=splits,
    )
    raw = [RawRecord(file="a.gz", sha256="0", official=None)]
    write_sources(tmp_path, Sources(raw=raw, notes=["a note"]))
    write_manifest(tmp_path, manifest)
    return tmp_path


def test_load(folder):
    images = load_images(folder, "train")
    assert isinstance(images, np.memmap)
    assert not images.flags.writeable
    assert images[:, 0, 0, 0].tolist() == [0, 1, 2, 3]
    assert load_labels(folder, "val").tolist() == [0, 1, 2]
    manifest, sources = load_manifest(folder), load_sources(folder)
    assert sources.raw[0].official is None
    assert sources.notes == ["a note"]
    assert manifest.splits["test"].images.sha256 == file_hash(folder / "test_images.npy")
    assert "attributes" not in (folder / "manifest.json").read_text()


def test_without_manifest(folder):
    (folder / "manifest.json").unlink()
    for load in (load_images, load_labels):
        with pytest.raises(DataError, match="not prepared"):
            load(folder, "train")


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"dataset": "mnist", "splits": {}}', "null"]
)
def test_damaged_manifest(folder, content):
    (folder / "manifest.json").write_text(content)
    (folder / "sources.json").write_text(content)
    with pytest.raises(DataError):
        load_manifest(folder)
    with pytest.raises(DataError):
        load_sources(folder)


def test_manifest_cannot_name_files_elsewhere(folder):
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace("train_images.npy", "../train_images.npy"))
    with pytest.raises(DataError, match="not valid"):
        load_manifest(folder)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((5, 2, 3, 1), np.uint8),
        np.zeros((4, 2, 3, 1), np.float32),
        np.zeros((4, 1, 2, 3), np.uint8),
    ],
)
def test_array_that_differs_from_its_manifest(folder, array):
    write_array(folder / "train_images.npy", array)
    with pytest.raises(DataError, match="differs from its manifest"):
        load_images(folder, "train")


def test_array_of_objects_is_refused(folder):
    np.save(folder / "train_images.npy", np.array([{}], dtype=object), allow_pickle=True)
    np.save(folder / "train_labels.npy", np.array([{}], dtype=object), allow_pickle=True)
    for load in (load_images, load_labels):
        with pytest.raises(DataError, match="cannot be read"):
            load(folder, "train")


def test_truncated_and_missing_arrays(folder):
    path = folder / "train_images.npy"
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(DataError, match="cannot be read"):
        load_images(folder, "train")
    (folder / "val_images.npy").unlink()
    with pytest.raises(DataError, match="cannot be read"):
        load_images(folder, "val")
