import os
import pickle

import numpy as np
import pytest

from cactus.data.arrays import load_images, load_sources
from cactus.data.prepare import check_raw, prepare
from cactus.errors import DataError
from tests.unit.data.rawfiles import (
    SETTINGS,
    mini_classes,
    mini_images,
    mini_pickles,
    write_files,
    write_tar,
)

CLASSES = mini_classes()
IMAGES = mini_images(CLASSES)
TRAIN = "mini-imagenet-cache-train.pkl"


def run(tmp_path):
    check_raw("miniimagenet", SETTINGS, tmp_path / "raw")
    prepare("miniimagenet", SETTINGS, tmp_path / "raw", tmp_path / "out", synthetic=False)
    return tmp_path / "out"


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_protocol(tmp_path, protocol):
    write_files(tmp_path / "raw/miniimagenet", mini_pickles(CLASSES, IMAGES, protocol))
    assert load_images(run(tmp_path), "train")[:, 0, 0, 0].tolist() == list(range(5, 65, 5))


def test_tar_gz_of_pickles(tmp_path):
    archive = tmp_path / "raw/miniimagenet/mini-imagenet.tar.gz"
    write_tar(archive, mini_pickles(CLASSES, IMAGES))
    sources = load_sources(run(tmp_path))
    assert [(record.file, record.official) for record in sources.raw] == [
        ("mini-imagenet.tar.gz", False)
    ]


def test_validation_pickle_by_its_other_name(tmp_path):
    members = mini_pickles(CLASSES, IMAGES)
    members["mini-imagenet-cache-validation.pkl"] = members.pop("mini-imagenet-cache-val.pkl")
    write_files(tmp_path / "raw/miniimagenet", members)
    assert len(load_images(run(tmp_path), "val")) == 8


def test_indices_in_any_order_and_form(tmp_path):
    members = mini_pickles(CLASSES, IMAGES)
    content = pickle.loads(members[TRAIN])
    content["class_dict"] = {
        name: np.array(indices)[::-1].copy() for name, indices in content["class_dict"].items()
    }
    members[TRAIN] = pickle.dumps(content)
    write_files(tmp_path / "raw/miniimagenet", members)
    levels = load_images(run(tmp_path), "train")[:, 0, 0, 0]
    assert levels.tolist() == [20, 15, 10, 5, 40, 35, 30, 25, 60, 55, 50, 45]


def test_other_sizes_are_resized(tmp_path):
    images = mini_images(CLASSES, size=(32, 32))
    write_files(tmp_path / "raw/miniimagenet", mini_pickles(CLASSES, images))
    out = run(tmp_path)
    assert load_images(out, "train").shape == (12, 84, 84, 3)
    assert "28 images of 32x32 were resized to 84x84 (lanczos)" in load_sources(out).notes


def test_missing_pickle_is_named(tmp_path):
    members = mini_pickles(CLASSES, IMAGES)
    del members["mini-imagenet-cache-test.pkl"]
    write_files(tmp_path / "raw/miniimagenet", members)
    with pytest.raises(DataError) as caught:
        run(tmp_path)
    assert caught.value.got == "no mini-imagenet-cache-test.pkl"


class Hostile:
    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


def bad_contents(folder):
    content = pickle.loads(mini_pickles(CLASSES, IMAGES)[TRAIN])
    images, indices = content["image_data"], content["class_dict"]
    first = next(iter(indices))
    foreign = dict(indices)
    foreign[CLASSES["test"][0]] = foreign.pop(first)
    return {
        "code": ({"image_data": Hostile(f"touch {folder}/ran")}, "asks for code"),
        "no dict": ([1, 2], "does not hold"),
        "no images": ({"class_dict": indices}, "does not hold"),
        "channels first": (content | {"image_data": images.transpose(0, 3, 1, 2)}, "channels"),
        "floats": (content | {"image_data": images / 255}, "does not hold"),
        "index too large": (content | {"class_dict": indices | {first: [99]}}, "indices"),
        "index twice": (content | {"class_dict": indices | {first: [0, 0, 1, 2]}}, "indices"),
        "index no number": (content | {"class_dict": indices | {first: ["0"]}}, "indices"),
        "indices no list": (content | {"class_dict": indices | {first: 3}}, "indices"),
        "class of another split": (content | {"class_dict": foreign}, CLASSES["test"][0]),
        "objects": (content | {"image_data": np.array([None, {}])}, "no data set needs"),
    }


@pytest.mark.parametrize("case", list(bad_contents("/nowhere")))
def test_bad_pickles_stop_with_one_message(tmp_path, case):
    content, message = bad_contents(tmp_path)[case]
    members = mini_pickles(CLASSES, IMAGES) | {TRAIN: pickle.dumps(content)}
    write_files(tmp_path / "raw/miniimagenet", members)
    with pytest.raises(DataError) as caught:
        run(tmp_path)
    assert message in str(caught.value)
    assert TRAIN in caught.value.where
    assert not (tmp_path / "ran").exists()
    assert not (tmp_path / "out/manifest.json").exists()


def test_truncated_pickle(tmp_path):
    members = mini_pickles(CLASSES, IMAGES)
    write_files(tmp_path / "raw/miniimagenet", members | {TRAIN: members[TRAIN][:-1000]})
    with pytest.raises(DataError, match="damaged"):
        run(tmp_path)
