"""Class folders of one's own: which images they give, and in which splits."""

from itertools import chain
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import ExifTags, Image

from cactus.data.arrays import load_images, load_labels, load_sources
from cactus.data.prepare import check_raw, prepare
from cactus.splits import SPLITS, Split
from tests.unit.data.custom.drawing import (
    KINDS,
    pixels,
    settings,
    shape,
    write_folders,
    write_table,
)
from tests.unit.data.custom.folders import BY_LISTS, LISTS, prepared, refused


def images(tmp_path: Path, split: Split = "train") -> npt.NDArray[np.uint8]:
    return np.asarray(load_images(tmp_path / "out", split))


def write(image: Image.Image, tmp_path: Path, name: str = "circle/000.png", **save: object) -> None:
    image.save(tmp_path / "raw/shapes" / name, **save)


@pytest.mark.usefixtures("raw")
def test_images_are_resized_and_labeled_by_their_folders(tmp_path):
    manifest = prepared(tmp_path, **BY_LISTS)
    assert {name: one.classes for name, one in manifest.splits.items()} == LISTS
    assert manifest.image_shape == (13, 13, 3)
    expected = [pixels(shape(kind, n), 13) for kind in LISTS["train"] for n in range(6)]
    np.testing.assert_array_equal(images(tmp_path), np.stack(expected))
    np.testing.assert_array_equal(load_labels(tmp_path / "out", "train"), [0] * 6 + [1] * 6)
    rest = len(KINDS) - 4
    assert any(
        one.startswith(f"{rest} classes are in no split")
        for one in load_sources(tmp_path / "out").notes
    )


@pytest.mark.usefixtures("raw")
@pytest.mark.parametrize(("rotations", "images"), [(False, 12), (True, 48)])
def test_training_images_are_counted_before_they_are_read(tmp_path, rotations, images):
    own = settings(rotations=rotations, **BY_LISTS)
    assert check_raw("shapes", own, tmp_path / "raw") == images
    assert prepared(tmp_path, rotations=rotations, **BY_LISTS)


@pytest.mark.usefixtures("raw")
def test_gray_images_have_one_channel(tmp_path):
    prepared(tmp_path, channels=1, **BY_LISTS)
    gray = shape("square", 0).convert("L").resize((13, 13), Image.Resampling.LANCZOS)
    np.testing.assert_array_equal(images(tmp_path, "val")[0, ..., 0], np.asarray(gray))


def test_top_level_folders_are_the_splits(tmp_path):
    for split, kinds in LISTS.items():
        write_folders(tmp_path / "raw/shapes" / split, kinds)
    manifest = prepared(tmp_path)
    assert {name: one.classes for name, one in manifest.splits.items()} == LISTS


def test_everything_below_a_class_folder_is_of_this_class(raw, tmp_path):
    write_folders(raw / "circle", ["square"], 2)
    manifest = prepared(tmp_path, **BY_LISTS)
    assert manifest.splits["train"].images.shape[0] == 14


def test_a_file_splits_the_classes(raw, tmp_path):
    rows = [(kind, split) for split, kinds in LISTS.items() for kind in kinds]
    write_table(raw / "classes.csv", [("class", "split"), *rows])
    manifest = prepared(tmp_path, split={"file": "classes.csv"})
    assert {name: one.classes for name, one in manifest.splits.items()} == LISTS
    assert "classes.csv" in {one.file for one in load_sources(tmp_path / "out").raw}


@pytest.mark.usefixtures("raw")
def test_shares_choose_classes_by_the_seed_alone(tmp_path):
    def chosen(seed: int) -> dict[str, list[str]]:
        manifest = prepared(tmp_path, split={"shares": [0.5, 0.25, 0.25], "seed": seed})
        return {name: one.classes for name, one in manifest.splits.items()}

    first = chosen(0)
    assert {name: len(classes) for name, classes in first.items()} == {
        "train": 4, "val": 2, "test": 2,
    }  # fmt: skip
    assert sorted(chain(*first.values())) == sorted(KINDS)
    assert len({str(chosen(seed)) for seed in range(5)}) > 1
    assert chosen(0) == first


@pytest.mark.usefixtures("raw")
def test_shared_classes_share_out_the_images_of_each(tmp_path):
    manifest = prepared(
        tmp_path, shared_classes=True, split={"shares": [0.5, 1 / 3, 1 / 6]}, min_images_per_class=1
    )
    assert all(one.classes == sorted(KINDS) for one in manifest.splits.values())
    sizes = [np.bincount(load_labels(tmp_path / "out", split)).tolist() for split in SPLITS]
    assert sizes == [[3] * 8, [2] * 8, [1] * 8]
    every = np.concatenate([images(tmp_path, split) for split in SPLITS])
    assert len(np.unique(every.reshape(len(every), -1), axis=0)) == len(every)


def test_folders_may_give_each_split_other_images_of_the_same_classes(tmp_path):
    kinds = ("ring", "bar")
    for at, split in enumerate(SPLITS):
        for kind in kinds:
            (tmp_path / f"raw/shapes/{split}/{kind}").mkdir(parents=True)
            for number in range(2):
                write(shape(kind, 2 * at + number), tmp_path, f"{split}/{kind}/{number}.png")
    manifest = prepared(tmp_path, shared_classes=True)
    assert all(one.classes == sorted(kinds) for one in manifest.splits.values())
    np.testing.assert_array_equal(images(tmp_path, "test")[2], pixels(shape("ring", 4), 13))
    (tmp_path / "raw/shapes/val/ring").rename(tmp_path / "raw/shapes/val/cross")
    error = refused(tmp_path, shared_classes=True)
    assert error.what == "A class is not in all splits, which share their classes."
    assert error.where.endswith(("class cross", "class ring"))


@pytest.mark.usefixtures("raw")
def test_own_images_are_no_official_files_to_look_for(tmp_path):
    only = settings(**BY_LISTS).model_copy(update={"official_only": True})
    sources = prepare("shapes", only, tmp_path / "raw", tmp_path / "out", synthetic=False)
    assert {one.official for one in sources.raw} == {None}


@pytest.mark.usefixtures("raw")
@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_images_are_turned_as_their_exif_data_says(tmp_path, orientation):
    image, exif = shape("corner", 0, 13), Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    write(image, tmp_path, exif=exif)
    prepared(tmp_path, **BY_LISTS)
    turns = {3: 2, 6: 3, 8: 1}[orientation]
    np.testing.assert_array_equal(images(tmp_path)[0], np.rot90(np.asarray(image), turns))
    assert any("upright" in note for note in load_sources(tmp_path / "out").notes)


@pytest.mark.usefixtures("raw")
def test_palettes_transparency_and_16_bits_have_one_meaning(tmp_path):
    plain = shape("circle", 0, 13)
    half = Image.new("RGBA", (13, 13), (200, 0, 0, 255))
    half.paste((0, 0, 0, 0), (0, 0, 6, 13))
    write(plain.quantize(256), tmp_path, "circle/000.png")
    write(half, tmp_path, "circle/001.png")
    deep = np.full((13, 13), 40_000, np.uint16)
    write(Image.fromarray(deep), tmp_path, "circle/002.png")
    prepared(tmp_path, **BY_LISTS)
    found = images(tmp_path)
    np.testing.assert_array_equal(found[0], np.asarray(plain.quantize(256).convert("RGB")))
    assert found[1, 0, 0].tolist() == [255, 255, 255]
    assert found[1, 0, 12].tolist() == [200, 0, 0]
    assert (found[2] == 40_000 >> 8).all()
