import numpy as np
import pytest

from cactus.data.arrays import load_images, load_labels, load_manifest, load_sources
from cactus.data.prepare import check_raw, prepare
from cactus.errors import DataError
from tests.unit.data.rawfiles import (
    ATTRIBUTE_NAMES,
    SETTINGS,
    celeba_attributes,
    celeba_csv_lists,
    celeba_images,
    celeba_lists,
    celeba_partition,
    flat_jpeg,
    png,
    write_any,
    write_files,
    write_zip,
)

COUNT = 16


def run(tmp_path, settings=SETTINGS):
    check_raw("celeba", settings, tmp_path / "raw")
    prepare("celeba", settings, tmp_path / "raw", tmp_path / "out", synthetic=False)
    return tmp_path / "out"


def with_own(**changes):
    return SETTINGS.model_copy(update={"celeba": SETTINGS.celeba.model_copy(update=changes)})


def check_content(out, present=range(COUNT)):
    parts = celeba_partition(COUNT)
    for split, part in (("train", "0"), ("val", "1"), ("test", "2")):
        members = [i for i in present if parts[i] == part]
        images, labels = load_images(out, split), load_labels(out, split)
        assert labels.dtype == np.uint8
        np.testing.assert_array_equal(labels, celeba_attributes(COUNT)[members])
        expected = np.array([7 * i % 256 for i in members], dtype=np.uint8)
        np.testing.assert_array_equal(
            images, np.broadcast_to(expected[:, None, None, None], (len(members), 84, 84, 3))
        )


@pytest.mark.parametrize("packing", ["folder", "zip", "tar", "tar.gz"])
@pytest.mark.parametrize("lists", [celeba_lists, celeba_csv_lists])
def test_every_form(tmp_path, packing, lists):
    root = tmp_path / "raw/celeba"
    write_any(root, "img_align_celeba", celeba_images(COUNT), packing)
    write_files(root, lists(COUNT))
    check_content(run(tmp_path))


def test_everything_in_one_archive_with_nested_folders(tmp_path):
    members = celeba_images(COUNT, folder="img_align_celeba/img_align_celeba")
    write_zip(tmp_path / "raw/celeba/archive.zip", members | celeba_csv_lists(COUNT))
    check_content(run(tmp_path))


def test_attributes_of_the_splits(tmp_path):
    write_files(tmp_path / "raw/celeba", celeba_images(COUNT) | celeba_lists(COUNT))
    splits = load_manifest(run(tmp_path)).splits
    assert splits["train"].attributes == list(range(20))
    assert splits["val"].attributes == list(range(20, 30))
    assert splits["test"].attributes == list(range(30, 40))
    assert splits["val"].classes == ATTRIBUTE_NAMES[20:30]
    other = run(tmp_path, with_own(train_attributes=30, val_attributes=4))
    assert load_manifest(other).splits["test"].attributes == list(range(34, 40))


def test_aligned_images_come_before_others_of_the_same_name(tmp_path):
    wild = {f"a/{i + 1:06d}.jpg": flat_jpeg(250) for i in range(COUNT)}
    write_files(tmp_path / "raw/celeba", wild | celeba_images(COUNT) | celeba_lists(COUNT))
    check_content(run(tmp_path))


def test_crop_is_the_centered_square(tmp_path):
    # Gray level 200 in the centered square of 178, 0 above and below it.
    page = np.zeros((218, 178, 3), dtype=np.uint8)
    page[20:198] = 200
    members = {f"img_align_celeba/{i + 1:06d}.png": png(page) for i in range(COUNT)}
    write_files(tmp_path / "raw/celeba", members | celeba_lists(COUNT))
    out = run(tmp_path)
    assert (np.asarray(load_images(out, "train")) == 200).all()
    notes = load_sources(out).notes
    assert any(
        "178x218 were cut to a square (178/178 of the shorter side) and resized to 84x84" in note
        for note in notes
    )


def test_half_size_copy(tmp_path):
    members = celeba_images(COUNT, size=(89, 109))
    write_files(tmp_path / "raw/celeba", members | celeba_lists(COUNT))
    out = run(tmp_path)
    check_content(out)
    assert any("16 images of 89x109" in note for note in load_sources(out).notes)


def test_partial_copy_counts_what_is_missing(tmp_path):
    images = celeba_images(COUNT)
    for i in (0, 1, 9):
        del images[f"img_align_celeba/{i + 1:06d}.jpg"]
    write_files(tmp_path / "raw/celeba", images | celeba_lists(COUNT))
    out = run(tmp_path)
    check_content(out, [i for i in range(COUNT) if i not in (0, 1, 9)])
    notes = load_sources(out).notes
    assert "train: 2 of 8 images are missing" in notes
    assert "val: 1 of 4 images are missing" in notes
    assert not any(note.startswith("test:") for note in notes)


def test_list_that_was_cut_while_its_count_is_complete(tmp_path):
    lists = celeba_lists(COUNT, announced=202599)
    # The last line ends within a value.
    lists["list_attr_celeba.txt"] = lists["list_attr_celeba.txt"].rstrip()[:-4]
    write_files(tmp_path / "raw/celeba", celeba_images(COUNT) | lists)
    out = run(tmp_path)
    check_content(out, range(COUNT - 1))
    notes = load_sources(out).notes
    assert "list_attr_celeba.txt announces 202599 images and lists 15" in notes
    assert "the last line of list_attr_celeba.txt is cut and was left out" in notes
    assert "train: 162762 of 162770 images are missing" in notes
    assert "test: 19959 of 19962 images are missing" in notes


def test_copy_of_the_first_images_has_no_test_split(tmp_path):
    write_files(tmp_path / "raw/celeba", celeba_images(16) | celeba_lists(40))
    with pytest.raises(DataError, match="too few images for the tasks") as caught:
        run(tmp_path)
    assert "val split" in caught.value.where
    assert "proportional" in caught.value.fix
    assert not (tmp_path / "out").exists()
    out = run(tmp_path, with_own(partitions="proportional", min_images=2))
    assert [len(load_images(out, split)) for split in ("train", "val", "test")] == [12, 2, 2]
    assert any("not by the official partition" in note for note in load_sources(out).notes)


def test_image_without_partition_is_not_used(tmp_path):
    lists = celeba_lists(COUNT)
    lines = lists["list_eval_partition.txt"].splitlines()
    lists["list_eval_partition.txt"] = b"\n".join(lines[:-1])
    write_files(tmp_path / "raw/celeba", celeba_images(COUNT) | lists)
    check_content(run(tmp_path), range(COUNT - 1))


def broken(lists):
    attributes = lists["list_attr_celeba.txt"]
    partition = lists["list_eval_partition.txt"]
    lines = attributes.split(b"\r\n")
    return {
        "quota page": ("list_attr_celeba.txt", b"<!doctype html><title>Quota exceeded", "web page"),
        "no count": ("list_attr_celeba.txt", b"\r\n".join(lines[1:]), "line 1"),
        "39 names": ("list_attr_celeba.txt", attributes.replace(b"Attribute_7 ", b""), "line 2"),
        "value 2": ("list_attr_celeba.txt", attributes.replace(b"-1", b"2", 1), "line 3"),
        "short line": (
            "list_attr_celeba.txt",
            b"\r\n".join([*lines[:3], lines[3][:-5], *lines[4:]]),
            "line 4",
        ),
        "partition 3": ("list_eval_partition.txt", b"000001.jpg 3\n" + partition, "line 1"),
        "empty attributes": ("list_attr_celeba.txt", b"", "line 1"),
        "empty partition": ("list_eval_partition.txt", b"", "too few images"),
    }


@pytest.mark.parametrize("case", list(broken(celeba_lists(COUNT))))
def test_bad_lists_stop_with_one_message(tmp_path, case):
    lists = celeba_lists(COUNT)
    name, content, message = broken(lists)[case]
    write_files(tmp_path / "raw/celeba", celeba_images(COUNT) | lists | {name: content})
    with pytest.raises(DataError) as caught:
        run(tmp_path)
    assert message in str(caught.value)
    assert not (tmp_path / "out/manifest.json").exists()


@pytest.mark.parametrize("missing", ["img_align_celeba.zip", "list_attr_celeba.txt"])
def test_missing_files_are_named_with_page_and_license(tmp_path, missing):
    files = {**celeba_lists(COUNT)}
    write_zip(tmp_path / "raw/celeba/img_align_celeba.zip", celeba_images(COUNT))
    write_files(tmp_path / "raw/celeba", files)
    (tmp_path / "raw/celeba" / missing).unlink()
    downloading = SETTINGS.model_copy(update={"download": True})
    with pytest.raises(DataError) as caught:
        run(tmp_path, downloading)
    assert caught.value.got == f"no {missing}"
    assert "mmlab.ie.cuhk.edu.hk" in caught.value.fix
    assert "non-commercial" in caught.value.fix
    assert "data.download" not in caught.value.fix


def test_truncated_archive(tmp_path):
    root = tmp_path / "raw/celeba"
    write_zip(root / "img_align_celeba.zip", celeba_images(COUNT))
    write_files(root, celeba_lists(COUNT))
    archive = root / "img_align_celeba.zip"
    archive.write_bytes(archive.read_bytes()[:-200])
    with pytest.raises(DataError, match="damaged") as caught:
        check_raw("celeba", SETTINGS, tmp_path / "raw")
    assert "img_align_celeba.zip" in caught.value.where
