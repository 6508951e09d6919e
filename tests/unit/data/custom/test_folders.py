"""Class folders of one's own: which images they give, in which splits, and what is refused."""

from itertools import chain
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import ExifTags, Image

from cactus.data.arrays import Manifest, load_images, load_labels
from cactus.data.prepare import check_raw, prepare
from cactus.errors import DataError
from cactus.splits import SPLITS, Split
from tests.unit.data.custom.drawing import (
    KINDS,
    pixels,
    settings,
    shape,
    write_folders,
    write_table,
)

LISTS = {"train": ["circle", "ring"], "val": ["square"], "test": ["bar"]}
BY_LISTS = {"split": {"classes": LISTS}}


def prepared(tmp_path: Path, **own: object) -> Manifest:
    """Prepare the files below ``raw/shapes``."""
    check_raw("shapes", settings(**own), tmp_path / "raw")
    return prepare("shapes", settings(**own), tmp_path / "raw", tmp_path / "out", synthetic=False)


def refused(tmp_path: Path, **own: object) -> DataError:
    """Return the error, which the check before the first job raises, too."""
    with pytest.raises(DataError) as early:
        check_raw("shapes", settings(**own), tmp_path / "raw")
    with pytest.raises(DataError) as late:
        prepare("shapes", settings(**own), tmp_path / "raw", tmp_path / "out", synthetic=False)
    assert str(early.value) == str(late.value)
    return late.value


def images(tmp_path: Path, split: Split = "train") -> npt.NDArray[np.uint8]:
    return np.asarray(load_images(tmp_path / "out", split))


def write(image: Image.Image, tmp_path: Path, name: str = "circle/000.png", **save: object) -> None:
    image.save(tmp_path / "raw/shapes" / name, **save)


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return write_folders(tmp_path / "raw/shapes")


@pytest.mark.usefixtures("raw")
def test_images_are_resized_and_labeled_by_their_folders(tmp_path):
    manifest = prepared(tmp_path, **BY_LISTS)
    assert {name: one.classes for name, one in manifest.splits.items()} == LISTS
    assert manifest.image_shape == (13, 13, 3)
    expected = [pixels(shape(kind, n), 13) for kind in LISTS["train"] for n in range(6)]
    np.testing.assert_array_equal(images(tmp_path), np.stack(expected))
    np.testing.assert_array_equal(load_labels(tmp_path / "out", "train"), [0] * 6 + [1] * 6)
    rest = len(KINDS) - 4
    assert any(one.startswith(f"{rest} classes are in no split") for one in manifest.notes)


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
    assert "classes.csv" in {one.file for one in manifest.raw}


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
    manifest = prepare("shapes", only, tmp_path / "raw", tmp_path / "out", synthetic=False)
    assert {one.official for one in manifest.raw} == {None}


@pytest.mark.usefixtures("raw")
@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_images_are_turned_as_their_exif_data_says(tmp_path, orientation):
    image, exif = shape("corner", 0, 13), Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    write(image, tmp_path, exif=exif)
    manifest = prepared(tmp_path, **BY_LISTS)
    turns = {3: 2, 6: 3, 8: 1}[orientation]
    np.testing.assert_array_equal(images(tmp_path)[0], np.rot90(np.asarray(image), turns))
    assert any("upright" in note for note in manifest.notes)


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


@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n"])
def test_unreadable_images_are_named(raw, tmp_path, content):
    (raw / "ring/002.png").write_bytes(content)
    with pytest.raises(DataError) as error:
        prepared(tmp_path, **BY_LISTS)
    assert "ring/002.png" in error.value.where
    assert not list((tmp_path / "out").glob("*.npy"))


def test_a_truncated_image_is_named(raw, tmp_path):
    path = raw / "bar/001.png"
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(DataError, match="cannot be decoded"):
        prepared(tmp_path, **BY_LISTS)


def test_equal_images_in_two_splits_are_noted(raw, tmp_path):
    (raw / "square/000.png").write_bytes((raw / "circle/000.png").read_bytes())
    assert any("same pixels in two splits" in note for note in prepared(tmp_path, **BY_LISTS).notes)


def test_a_class_in_two_splits_is_named(tmp_path):
    for split, kinds in LISTS.items():
        write_folders(tmp_path / "raw/shapes" / split, kinds)
    write_folders(tmp_path / "raw/shapes/test", ["ring"])
    error = refused(tmp_path)
    assert error.what == "A class is in two splits."
    assert error.where.endswith("class ring")
    assert "train and test" in error.got


def test_links_are_followed_and_links_to_nothing_named(raw, tmp_path):
    (raw / "circle").rename(tmp_path / "elsewhere")
    (raw / "circle").symlink_to(tmp_path / "elsewhere")
    assert prepared(tmp_path, **BY_LISTS).splits["train"].images.shape[0] == 12
    (raw / "ring/link.png").symlink_to(tmp_path / "nothing.png")
    assert "ring/link.png (a link to nothing)" in refused(tmp_path, **BY_LISTS).got


def test_hidden_files_and_texts_are_ignored(raw, tmp_path):
    for name in (
        ".DS_Store",
        "circle/.hidden.png",
        "circle/Thumbs.db",
        "README.md",
        "ring/note.txt",
    ):
        (raw / name).write_bytes(b"anything")
    (raw / ".git").mkdir()
    shape("ring", 0).save(raw / ".git/a.png")
    assert prepared(tmp_path, **BY_LISTS).splits["train"].images.shape[0] == 12


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("circle/photo.tiff", "circle/photo.tiff (images that are none"),
        ("circle/all.npz", "circle/all.npz (NumPy arrays"),
        ("labels.csv", "labels.csv (a table, which is not read)"),
        ("ring/001.png.part", "ring/001.png.part (an unfinished download)"),
    ],
)
def test_data_that_is_not_read_is_named(raw, tmp_path, name, told):
    (raw / name).write_bytes(b"anything")
    assert told in refused(tmp_path, **BY_LISTS).got


def test_an_image_outside_a_class_folder_is_named(raw, tmp_path):
    error = refused(tmp_path)  # these folders are classes, and no splits
    assert "<split>/<class>/" in error.fix
    assert "data.custom.shapes.split" in error.fix
    shape("ring", 0).save(raw / "lost.png")
    assert "lost.png" in refused(tmp_path, **BY_LISTS).where


def test_folders_that_are_no_splits_are_named(tmp_path):
    for split, kinds in {"train": ["ring"], "valid": ["bar"], "test": ["square"]}.items():
        write_folders(tmp_path / "raw/shapes" / split, kinds)
    assert "'valid'" in refused(tmp_path).got


@pytest.mark.parametrize("made", [True, False])
def test_an_empty_folder_is_named(tmp_path, made):
    if made:
        (tmp_path / "raw/shapes/circle").mkdir(parents=True)
    error = refused(tmp_path, **BY_LISTS)
    assert error.where == f"{tmp_path}/raw/shapes/"
    assert error.got == "no image"


def test_classes_whose_names_differ_only_in_case_are_named(raw, tmp_path):
    (raw / "Ring").mkdir()
    shape("ring", 9).save(raw / "Ring/9.png")
    assert "Ring and ring" in refused(tmp_path, **BY_LISTS).got


@pytest.mark.parametrize("name", ["li\nne", "b\udcff"])
def test_names_that_cannot_be_recorded_are_named(raw, tmp_path, name):
    try:
        (raw / name).mkdir()
    except OSError:
        pytest.skip("the file system has no such names")
    (raw / name / "1.png").write_bytes((raw / "ring/000.png").read_bytes())
    assert "in its name" in refused(tmp_path, **BY_LISTS).got


def test_too_few_classes_and_images_are_named(raw, tmp_path):
    least = {"train": 4, "val": 2, "test": 3}
    error = refused(tmp_path, split={"shares": [0.5, 0.25, 0.25]}, min_classes=least)
    assert (error.where, error.got) == ("test split", "2 classes, at least 3 needed")
    for path in sorted((raw / "ring").iterdir())[3:]:
        path.unlink()
    error = refused(tmp_path, min_images_per_class=4, **BY_LISTS)
    assert error.where == "train split, class ring"
    assert "data.custom.shapes.min_images_per_class" in error.fix


@pytest.mark.usefixtures("raw")
def test_a_listed_class_without_images_is_named(tmp_path):
    error = refused(tmp_path, split={"classes": {**LISTS, "val": ["squares"]}})
    assert error.got == "squares"
    assert error.fix == "did you mean 'square'?"
