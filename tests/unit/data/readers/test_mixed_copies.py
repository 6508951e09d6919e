"""Raw folders in which several copies, kits or formats lie beside each other."""

import bz2
import io
import pickle

import numpy as np
import pytest
import torch

from cactus.config.sections.data.section import CELEBA_NAMES
from cactus.data.arrays import load_images, load_labels, load_manifest, load_sources
from cactus.data.prepare import check_raw, prepare
from cactus.data.readers.miniimagenet_lists import parse_list
from cactus.errors import DataError
from tests.unit.data.rawfiles import (
    SETTINGS,
    celeba_csv_lists,
    celeba_images,
    celeba_lists,
    flat_jpeg,
    mini_classes,
    mini_flat,
    mini_images,
    mini_split_folders,
    mnist_arrays,
    mnist_members,
    omniglot_members,
    write_files,
    write_tar,
    write_zip,
)

COUNT = 16
ARRAYS = mnist_arrays()
DIGITS = mnist_members(ARRAYS)
UNPACKED = mnist_members(ARRAYS, compressed=False)
FASHION = mnist_members({name: 255 - array for name, array in ARRAYS.items()})
CLASSES = mini_classes()
IMAGES = mini_images(CLASSES)


def run(folder, dataset, files):
    write_files(folder / "raw" / dataset, files)
    check_raw(dataset, SETTINGS, folder / "raw")
    prepare(dataset, SETTINGS, folder / "raw", folder / "out", synthetic=False)
    return folder / "out"


def same(one, other):
    for split in ("train", "val", "test"):
        np.testing.assert_array_equal(load_images(one, split), load_images(other, split))
        np.testing.assert_array_equal(load_labels(one, split), load_labels(other, split))


def below(folder, files):
    return {f"{folder}/{name}": content for name, content in files.items()}


@pytest.mark.parametrize("digits", [DIGITS, UNPACKED])
def test_fashion_mnist_beside_mnist_is_refused(tmp_path, digits):
    files = below("FashionMNIST/raw", FASHION) | below("MNIST/raw", digits)
    with pytest.raises(DataError, match="same name and differ") as caught:
        run(tmp_path, "mnist", files)
    assert "FashionMNIST/raw" in caught.value.where
    assert "MNIST/raw/train-images-idx3-ubyte" in caught.value.got


def test_equal_and_half_copies_of_mnist_do_not_matter(tmp_path):
    copies = {name: content[:-9] for name, content in UNPACKED.items()} | below("raw", UNPACKED)
    out = run(tmp_path / "b", "mnist", DIGITS | copies)
    same(run(tmp_path / "a", "mnist", DIGITS), out)
    assert [one.file.endswith(".gz") for one in load_sources(out).raw] == [True] * 4


@pytest.mark.parametrize(
    "heading", ["image,label", "img,class", "file_name,wnid", "Path,Class Name", "image,category"]
)
def test_headings_of_other_kits(heading):
    assert [row[:2] for row in parse_list(f"{heading}\na.jpg,n1\n".encode(), "x")] == [
        ("a.jpg", "n1")
    ]


@pytest.mark.parametrize(
    "content", ["image,img,label\na.jpg,b.jpg,n1\n", "image,class,wnid\na.jpg,1,n1\n"]
)
def test_headings_with_two_meanings_are_refused(content):
    with pytest.raises(DataError, match="not valid"):
        parse_list(content.encode(), "x")


def test_the_first_of_two_words_counts_and_joined_lists_are_read():
    content = "filename,image,label,class\na.jpg,0,n1,x\nfilename,image,label,class\nb.jpg,1,n1,x\n"
    rows = parse_list(content.encode(), "x")
    assert [row[:2] for row in rows] == [("a.jpg", "n1"), ("b.jpg", "n1")]


def saved(value, **keywords):
    buffer = io.BytesIO()
    torch.save(value, buffer, **keywords)
    return buffer.getvalue()


FORMATS = {
    "zip archive, as torch.save": saved({"a": 1}),
    "before version 1.6": saved({"a": 1}, _use_new_zipfile_serialization=False),
    "bzip2": bz2.compress(pickle.dumps({})),
    "NumPy": b"\x93NUMPY\1\0",
    "HDF5": b"\x89HDF\r\n\x1a\n" + bytes(99),
}


@pytest.mark.parametrize("kind", FORMATS)
def test_other_formats_under_the_names_of_pickles(tmp_path, kind):
    names = [f"mini-imagenet-cache-{split}.pkl" for split in CLASSES]
    with pytest.raises(DataError, match="another format than its name says") as caught:
        run(tmp_path, "miniimagenet", dict.fromkeys(names, FORMATS[kind]))
    assert kind in caught.value.got
    assert "delete" not in caught.value.fix


def test_copies_in_class_folders_are_used_once(tmp_path):
    files = mini_split_folders(CLASSES, IMAGES)
    copies = {name.replace(".jpg", " (1).jpg"): content for name, content in files.items()}
    out = run(tmp_path / "b", "miniimagenet", files | copies)
    same(run(tmp_path / "a", "miniimagenet", files), out)
    assert f"{len(files)} images are copies by name and size, and were not used" in (
        load_sources(out).notes
    )


@pytest.mark.parametrize("mark", [" 2", " copy", " copy 3", " - Kopie", " - Copy (2)", "_copy"])
def test_second_copies_of_drawings_are_used_once(tmp_path, mark):
    parts = omniglot_members()
    files = parts["images_background"] | parts["images_evaluation"]
    copies = {name.replace(".png", f"{mark}.png"): content for name, content in files.items()}
    same(
        run(tmp_path / "a", "omniglot", files),
        run(tmp_path / "b", "omniglot", files | copies),
    )


def test_numbers_of_characters_without_zeros_give_the_same_split(tmp_path):
    parts = omniglot_members()
    files = parts["images_background"] | parts["images_evaluation"]
    short = {name.replace("character0", "Character"): content for name, content in files.items()}
    same(run(tmp_path / "a", "omniglot", files), run(tmp_path / "b", "omniglot", short))


def named(lists):
    """Give the attributes of lists their official names."""
    heading, *rows = lists["list_attr_celeba.csv"].decode().splitlines()
    heading = ",".join(["image_id", *CELEBA_NAMES])
    return {**lists, "list_attr_celeba.csv": "\n".join([heading, *rows]).encode()}


def changed(lists, change):
    rows = [line.split(",") for line in lists["list_attr_celeba.csv"].decode().splitlines()]
    text = "\n".join(",".join(change(row)) for row in rows)
    return {**lists, "list_attr_celeba.csv": text.encode()}


def test_columns_of_celeba_count_by_name(tmp_path):
    lists = named(celeba_csv_lists(COUNT))
    other = changed(lists, lambda row: [row[0], *reversed(row[1:])])
    a = run(tmp_path / "a", "celeba", celeba_images(COUNT) | lists)
    b = run(tmp_path / "b", "celeba", celeba_images(COUNT) | other)
    same(a, b)
    assert load_manifest(a).splits == load_manifest(b).splits
    note = "the columns of list_attr_celeba.csv were put into the official order"
    assert (note in load_sources(a).notes, note in load_sources(b).notes) == (False, True)


def test_rows_that_a_spreadsheet_filled_up(tmp_path):
    lists = celeba_csv_lists(COUNT)
    same(
        run(tmp_path / "a", "celeba", celeba_images(COUNT) | lists),
        run(
            tmp_path / "b", "celeba", celeba_images(COUNT) | changed(lists, lambda r: [*r, "", ""])
        ),
    )


def test_images_of_one_number_that_differ_are_refused(tmp_path):
    small = celeba_images(COUNT, (89, 109), "small")
    lists, images = celeba_lists(COUNT), celeba_images(COUNT)
    official = run(tmp_path / "a", "celeba", images | lists)
    same(official, run(tmp_path / "b", "celeba", images | small | lists))
    both = below("old", images) | images
    same(official, run(tmp_path / "c", "celeba", both | lists))
    with pytest.raises(DataError, match="same name and differ") as caught:
        run(tmp_path / "d", "celeba", small | celeba_images(COUNT, folder="large") | lists)
    assert "large/000001.jpg" in caught.value.where
    assert "small/000001.jpg" in caught.value.got


def test_an_archive_named_alike_does_not_hide_the_official_one(tmp_path):
    images = celeba_images(COUNT)
    write_zip(tmp_path / "b/raw/celeba/img_align_celeba.zip", images)
    other = celeba_images(COUNT, (64, 64), "a_img_align_celeba_64")
    lists = celeba_lists(COUNT)
    same(
        run(tmp_path / "a", "celeba", images | lists),
        run(tmp_path / "b", "celeba", other | lists),
    )


def test_a_tar_archive_under_the_name_of_a_zip(tmp_path):
    files = mini_flat(CLASSES, IMAGES)
    write_tar(tmp_path / "b/raw/miniimagenet/all.zip", files, "w")
    same(run(tmp_path / "a", "miniimagenet", files), run(tmp_path / "b", "miniimagenet", {}))


def test_a_failure_leaves_no_arrays(tmp_path):
    files = mini_flat(CLASSES, IMAGES)
    files[f"images/{next(iter(IMAGES[CLASSES['test'][0]]))}"] = b"no image at all"
    with pytest.raises(DataError, match="cannot be decoded") as caught:
        run(tmp_path, "miniimagenet", files)
    assert (
        caught.value.got
        == "15 bytes, which are no JPEG, PNG, BMP, GIF or WEBP, or have a broken header"
    )
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("mnist-train.tfrecord-00000-of-00001", "data of another kit"),
        ("t10k-images-idx3-ubyte.gz?raw=true", "rename it so"),
        ("Copy of train-images-idx3-ubyte.gz", "rename it so"),
        ("train.txt", "a text file of another name"),
    ],
)
def test_what_is_not_used_is_named(tmp_path, name, shown):
    with pytest.raises(DataError, match="missing") as caught:
        run(tmp_path, "mnist", {name: flat_jpeg(0)})
    assert f"{name} (" in caught.value.got
    assert shown in caught.value.got
