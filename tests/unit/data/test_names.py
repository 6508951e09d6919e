"""The names of prepared images: of each reader, in the order of the images."""

from pathlib import Path

import numpy as np
import pytest

from cactus.data.arrays import load_images, load_manifest
from cactus.data.names import load_names, write_names
from cactus.data.prepare import prepare
from cactus.errors import DataError
from cactus.splits import SPLITS, Split
from tests.unit.data.custom.drawing import pixels, settings, shape, write_folders
from tests.unit.data.rawfiles import (
    SETTINGS,
    mini_classes,
    mini_flat,
    mini_images,
    mini_own_split,
    mini_pickles,
    mnist_arrays,
    mnist_members,
    omniglot_members,
    write_files,
    write_zip,
)


def names_of(folder: Path) -> dict[Split, list[str]]:
    manifest = load_manifest(folder)
    return {
        split: load_names(folder, split, manifest.splits[split].images.shape[0]) for split in SPLITS
    }


def test_mnist_numbers_images_by_their_place_in_the_files(tmp_path):
    arrays = mnist_arrays()
    write_files(tmp_path / "raw/mnist", mnist_members(arrays))
    prepare("mnist", SETTINGS, tmp_path / "raw", tmp_path / "out", synthetic=False)
    found = names_of(tmp_path / "out")
    assert found["train"] == [f"train/{place}" for place in range(40)]
    assert found["val"] == [f"train/{place}" for place in range(40, 60)]
    for split in SPLITS:
        for name, image in zip(found[split], load_images(tmp_path / "out", split), strict=True):
            file, place = name.split("/")
            assert np.array_equal(image[..., 0], arrays[f"{file}-images"][int(place)])


@pytest.mark.parametrize("packed", [True, False])
def test_omniglot_has_alphabet_character_and_drawing_wherever_they_lie(packed, tmp_path):
    for part, members in omniglot_members().items():
        if packed:
            write_zip(tmp_path / f"raw/omniglot/{part}.zip", members)
        else:
            write_files(tmp_path / "raw/omniglot/python", members)
    prepare("omniglot", SETTINGS, tmp_path / "raw", tmp_path / "out", synthetic=False)
    found = names_of(tmp_path / "out")
    manifest = load_manifest(tmp_path / "out")
    for split in SPLITS:
        of_classes = [name.rsplit("/", 1)[0] for name in found[split]]
        assert of_classes == [of for of in manifest.splits[split].classes for _ in range(3)]
    every = [name for split in SPLITS for name in found[split]]
    assert "images_background_One/character02/0002_03" in every
    assert len(set(every)) == 24


@pytest.mark.parametrize("form", ["flat", "folders", "pickles"])
def test_miniimagenet_has_class_and_file_or_place_in_the_pickle(form, tmp_path):
    classes = mini_classes()
    images = mini_images(classes)
    members = {
        "flat": lambda: mini_flat(classes, images),
        "folders": lambda: mini_own_split(images),
        "pickles": lambda: mini_pickles(classes, images),
    }[form]()
    write_files(tmp_path / "raw/miniimagenet", members)
    prepare("miniimagenet", SETTINGS, tmp_path / "raw", tmp_path / "out", synthetic=False)
    for split, found in names_of(tmp_path / "out").items():
        assert len(set(found)) == len(found)
        for place, name in enumerate(found):
            label, image = name.split("/")
            assert label == sorted(classes[split])[place // 4]
            assert image.isdecimal() if form == "pickles" else image in images[label]


def test_files_of_one_name_in_a_class_are_told_apart_by_their_paths(tmp_path):
    classes = mini_classes()
    images = mini_images(classes)
    label = classes["train"][0]
    members = {f"train/{of}/{name}": one for of in images for name, one in images[of].items()}
    members |= {f"val/{label}/{name}": one for name, one in images[label].items()}
    write_files(tmp_path / "raw/miniimagenet", members)
    prepare("miniimagenet", SETTINGS, tmp_path / "raw", tmp_path / "out", synthetic=False)
    found = [name for name in names_of(tmp_path / "out")["train"] if label in name]
    first = sorted(images[label])[0]
    assert found[:2] == [f"train/{label}/{first}", f"val/{label}/{first}"]
    assert len(found) == 8


def test_files_of_ones_own_have_their_paths(tmp_path):
    write_folders(tmp_path / "raw/shapes")
    own = settings(split={"shares": [0.5, 0.25, 0.25]})
    prepare("shapes", own, tmp_path / "raw", tmp_path / "out", synthetic=False)
    for split, found in names_of(tmp_path / "out").items():
        for name, image in zip(found, load_images(tmp_path / "out", split), strict=True):
            kind, number = name.split("/")
            assert np.array_equal(image, pixels(shape(kind, int(number.split(".")[0])), 13))


def test_images_of_a_module_are_numbered(tmp_path):
    module = tmp_path / "mine.py"
    module.write_text(
        "import numpy as np\nfrom cactus.config.sections.base import Settings as Base\n"
        "class Settings(Base):\n    pass\n"
        "def read(settings):\n"
        "    images = np.arange(120, dtype=np.uint8)[:, None, None].repeat(13, 1).repeat(13, 2)\n"
        "    return images, np.arange(120) % 4\n"
    )
    own = settings(module=str(module), channels=1, split={"shares": [0.5, 0.25, 0.25]})
    prepare("shapes", own, tmp_path / "raw", tmp_path / "out", synthetic=False)
    for split, found in names_of(tmp_path / "out").items():
        levels = load_images(tmp_path / "out", split)[:, 0, 0, 0]
        assert found == [str(level) for level in levels.tolist()]


def test_strange_names_take_one_line_each(tmp_path):
    write_names(tmp_path, "train", ["a\u2028b", "c\nd", "e f"])
    assert len(load_names(tmp_path, "train", 3)) == 3
    with pytest.raises(ValueError, match="the same name"):
        write_names(tmp_path, "train", ["a", "a"])


@pytest.mark.parametrize("content", [b"a\nb\n", b"a\nb\nc\nd\n", b"\xff\n\n\n", None])
def test_a_damaged_file_of_names_is_refused(content, tmp_path):
    if content is not None:
        (tmp_path / "val_names.txt").write_bytes(content)
    with pytest.raises(DataError, match="names of prepared images cannot be read") as caught:
        load_names(tmp_path, "val", 3)
    assert "val_names.txt" in caught.value.where
