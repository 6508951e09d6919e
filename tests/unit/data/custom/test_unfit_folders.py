"""Class folders of one's own: what is noted, what is left out, and what is refused."""

import pytest
from pydantic import ValidationError

from cactus.data.arrays import load_sources
from cactus.errors import DataError
from tests.unit.data.custom.drawing import settings, shape, write_folders
from tests.unit.data.custom.folders import BY_LISTS, LISTS, prepared, refused


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
    prepared(tmp_path, **BY_LISTS)
    assert any("same pixels in two splits" in note for note in load_sources(tmp_path / "out").notes)


def test_folders_without_images_are_noted(raw, tmp_path):
    for name in ("blob", "spiral", ".hidden"):
        (raw / name).mkdir()
    (raw / "spiral/README.txt").touch()
    prepared(tmp_path, **BY_LISTS)
    notes = load_sources(tmp_path / "out").notes
    assert "folders without an image, which are no classes: blob, spiral" in notes


def test_folders_without_images_below_those_of_splits_are_noted(tmp_path):
    for split, kinds in LISTS.items():
        write_folders(tmp_path / "raw/shapes" / split, kinds)
    (tmp_path / "raw/shapes/val/blob").mkdir()
    prepared(tmp_path)
    notes = load_sources(tmp_path / "out").notes
    assert "folders without an image, which are no classes: blob" in notes


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
        "circle/desktop.ini",
        "circle/000.png~",
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


@pytest.mark.parametrize("other", ["Ring", "ring ", " rIng"])
def test_classes_whose_names_are_hard_to_tell_apart_are_named(raw, tmp_path, other):
    (raw / other).mkdir()
    shape("ring", 9).save(raw / other / "9.png")
    error = refused(tmp_path, **BY_LISTS)
    assert "hard to tell apart" in str(error)
    assert repr(other) in error.got
    assert "'ring'" in error.got


def test_accents_in_two_forms_are_one_name(raw, tmp_path):
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    (raw / "bar").rename(raw / decomposed)
    error = refused(tmp_path, split={"classes": LISTS | {"test": [composed]}})
    assert "'cafe\\u0301'" in error.fix
    assert prepared(tmp_path, split={"classes": LISTS | {"test": [decomposed]}}).splits
    (raw / composed).mkdir()
    shape("bar", 9).save(raw / composed / "9.png")
    assert "'caf\\xe9'" in refused(tmp_path, **BY_LISTS).got
    both = {"classes": LISTS | {"test": [decomposed], "val": [composed]}}
    with pytest.raises(ValidationError, match="is in val, too"):
        settings(split=both)


@pytest.mark.parametrize("suffix", ["heif", "tga", "psd", "jxl", "dcm", "apng", "raw"])
def test_images_of_formats_that_are_not_read_are_named(raw, tmp_path, suffix):
    (raw / f"ring/9.{suffix}").write_bytes(b"pixels")
    assert f"9.{suffix}" in refused(tmp_path, **BY_LISTS).got


@pytest.mark.parametrize("suffix", ["jfif", "jpe", "JPG"])
def test_jpeg_has_several_suffixes(raw, tmp_path, suffix):
    shape("ring", 9).save(raw / f"ring/9.{suffix}", format="JPEG")
    prepared(tmp_path, **BY_LISTS)
    assert f"ring/9.{suffix}" in (tmp_path / "out/train_names.txt").read_text()


def test_a_folder_that_is_linked_twice_is_in_both_places(raw, tmp_path):
    (raw / "ring/more").symlink_to("../bar")
    (raw / "square/more").symlink_to("../bar")
    (raw / "ring/here").symlink_to(".")  # a circle
    (raw / "bar/back").symlink_to("../ring")  # another
    names = {}
    prepared(tmp_path, **BY_LISTS)
    for split in ("train", "val", "test"):
        names[split] = (tmp_path / f"out/{split}_names.txt").read_text()
    count = len(list(raw.glob("bar/*.png")))
    assert names["train"].count("ring/more/0") == count
    assert names["val"].count("square/more/0") == count
    assert "here" not in names["train"]


def test_a_name_with_a_backslash_is_named(raw, tmp_path):
    shape("ring", 9).save(raw / "ring/a\\b.png")
    error = refused(tmp_path, **BY_LISTS)
    assert "backslash" in error.got
    assert error.where.endswith("ring/a\\b.png")


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
