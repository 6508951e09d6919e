import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cactus.config.sections.data.section import OmniglotData
from cactus.data.arrays import load_images, load_labels, load_manifest, load_sources
from cactus.data.prepare import check_raw, prepare
from cactus.data.readers.omniglot import split_characters
from cactus.errors import DataError
from tests.unit.data.rawfiles import SETTINGS, omniglot_members, write_any, write_files, write_zip


def run(tmp_path, settings=SETTINGS):
    check_raw("omniglot", settings, tmp_path / "raw")
    prepare("omniglot", settings, tmp_path / "raw", tmp_path / "out", synthetic=False)
    return tmp_path / "out"


def with_own(**changes):
    return SETTINGS.model_copy(update={"omniglot": SETTINGS.omniglot.model_copy(update=changes)})


def write_parts(root, packing="zip", suffix=""):
    for part, members in omniglot_members().items():
        write_any(root, f"{part}{suffix}", members, packing)


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    path = tmp_path_factory.mktemp("reference")
    write_parts(path / "raw/omniglot")
    return run(path)


def test_split_and_labels(reference):
    manifest = load_manifest(reference)
    names = [split.classes for split in manifest.splits.values()]
    assert sorted(len(classes) for classes in names) == [2, 2, 4]
    assert len({name for classes in names for name in classes}) == 8
    for split in ("train", "val", "test"):
        assert np.bincount(load_labels(reference, split)).tolist() == [3] * len(
            manifest.splits[split].classes
        )
        assert load_images(reference, split).shape[1:] == (28, 28, 1)


def test_images_are_those_of_their_class(reference):
    # Each drawing has ink in rows that only its character uses: rows 4k to 4k + 4 of 105.
    identity = 0
    of = {}
    for part in ("images_background", "images_evaluation"):
        for alphabet in ("One", "Two"):
            for character in (1, 2):
                identity += 1
                of[f"{part}_{alphabet}/character{character:02d}"] = identity
    manifest = load_manifest(reference)
    for split in ("train", "val", "test"):
        images, labels = load_images(reference, split), load_labels(reference, split)
        ink = images[..., 0].astype(float).sum(axis=2)
        center = (ink * np.arange(28)).sum(axis=1) / ink.sum(axis=1)
        expected = np.array([of[manifest.splits[split].classes[label]] for label in labels])
        np.testing.assert_allclose(center, (4 * expected + 2) * 28 / 105 - 0.5, atol=0.2)


@pytest.mark.parametrize(
    ("packing", "suffix"),
    [
        ("folder", ""),
        ("zip", "_rebuilt"),
        ("tar", ""),
        ("tar.gz", "_rebuilt"),
        ("tar.xz", ""),
        ("tar.bz2", ""),
    ],
)
def test_every_form_gives_the_same_arrays(tmp_path, reference, packing, suffix):
    write_parts(tmp_path / "raw/omniglot", packing, suffix)
    out = run(tmp_path)
    for split in ("train", "val", "test"):
        np.testing.assert_array_equal(load_images(out, split), load_images(reference, split))
        np.testing.assert_array_equal(load_labels(out, split), load_labels(reference, split))


def test_unpacked_beside_archive_counts_once(tmp_path, reference):
    write_parts(tmp_path / "raw/omniglot")
    write_parts(tmp_path / "raw/omniglot", "folder")
    assert load_images(run(tmp_path), "train").shape == load_images(reference, "train").shape


def test_torchvision_folder_and_mixed_forms(tmp_path, reference):
    parts = omniglot_members()
    write_files(tmp_path / "raw/omniglot-py", parts["images_background"])
    write_zip(tmp_path / "raw/omniglot-py/images_evaluation.zip", parts["images_evaluation"])
    out = run(tmp_path)
    np.testing.assert_array_equal(load_images(out, "test"), load_images(reference, "test"))
    folder, archive = load_sources(out).raw
    assert folder.file == "images_background/"
    assert archive.file == "images_evaluation.zip"


def test_alphabets_without_the_part_folders(tmp_path, reference):
    merged = {
        name.split("/", 1)[1].replace("images_", ""): data
        for members in omniglot_members().values()
        for name, data in members.items()
    }
    write_files(tmp_path / "raw/omniglot", merged)
    assert load_images(run(tmp_path), "train").shape == load_images(reference, "train").shape


def test_ink(tmp_path, reference):
    write_parts(tmp_path / "raw/omniglot")
    out = run(tmp_path, with_own(ink="black"))
    white, black = load_images(reference, "train"), load_images(out, "train")
    np.testing.assert_array_equal(white, 255 - black)
    assert np.median(white) == 0


@pytest.mark.parametrize("side", [28, 32])
def test_resizing_averages_gray_levels(tmp_path, side):
    write_parts(tmp_path / "raw/omniglot")
    images = load_images(run(tmp_path, with_own(image_size=side, resize="box")), "train")
    assert images.shape[1:3] == (side, side)
    # A box filter keeps the share of ink: at most 4 rows x 90 columns of 105 x 105.
    share = images.mean() / 255
    assert share == pytest.approx(4 * 60 / 105**2, rel=0.05)
    assert len(np.unique(images)) > 2


def test_missing_part_is_named(tmp_path):
    write_zip(
        tmp_path / "raw/omniglot/images_background.zip", omniglot_members()["images_background"]
    )
    with pytest.raises(DataError) as caught:
        check_raw("omniglot", SETTINGS, tmp_path / "raw")
    error = caught.value
    assert "images_evaluation.zip" in error.got
    assert "images_background.zip" not in error.got
    assert "omniglot" in error.where
    assert "github.com/brendenlake/omniglot" in error.fix
    assert "MIT" in error.fix
    downloading = SETTINGS.model_copy(update={"download": True})
    check_raw("omniglot", downloading, tmp_path / "raw")


def test_too_few_characters(tmp_path):
    write_parts(tmp_path / "raw/omniglot")
    with pytest.raises(DataError, match="too few characters"):
        run(tmp_path, with_own(train_characters=7, val_characters=1))


def test_character_with_too_few_drawings(tmp_path):
    parts = omniglot_members()
    for members in parts.values():
        for name in [name for name in members if "One/character02" in name and "_01.png" in name]:
            del members[name]
    for part, members in parts.items():
        write_zip(tmp_path / f"raw/omniglot/{part}.zip", members)
    with pytest.raises(DataError, match="too few images") as caught:
        run(tmp_path)
    assert "One/character02" in caught.value.where


def test_undecodable_drawing_is_named(tmp_path):
    parts = omniglot_members()
    name = next(iter(parts["images_background"]))
    parts["images_background"][name] = parts["images_background"][name][:60]
    for part, members in parts.items():
        write_zip(tmp_path / f"raw/omniglot/{part}.zip", members)
    with pytest.raises(DataError, match="cannot be decoded") as caught:
        run(tmp_path)
    assert name in caught.value.where
    assert not (tmp_path / "out/manifest.json").exists()
    assert not list((tmp_path / "out").glob(".*"))


@given(
    names=st.lists(st.text(min_size=1, max_size=5), min_size=10, max_size=30, unique=True),
    seed=st.integers(0, 5),
    drop=st.integers(0, 9),
)
def test_split_depends_on_names_and_seed_only(names, seed, drop):
    settings = OmniglotData(train_characters=4, val_characters=3, split_seed=seed)
    split = split_characters(names, settings)
    assert split == split_characters(names[::-1], settings)
    assert sorted(split["train"] + split["val"] + split["test"]) == sorted(names)
    assert [len(split["train"]), len(split["val"])] == [4, 3]
    # A character that is missing moves at most one other one over each border.
    fewer = split_characters([name for name in names if name != names[drop]], settings)
    assert len(set(fewer["train"]) - set(split["train"])) <= 1
    assert len(set(fewer["val"]) - set(split["val"])) <= 1


def test_split_seeds_differ():
    names = [f"A/character{i:02d}" for i in range(50)]
    splits = [
        split_characters(names, OmniglotData(train_characters=30, val_characters=5, split_seed=s))
        for s in (0, 1)
    ]
    assert splits[0]["train"] != splits[1]["train"]
